//go:build !unix

package vault

import "os"

// lockFile does nothing: this system's locks are not in the standard library, so
// whoever starts a second writer of one chain finds it broken.
func lockFile(*os.File) error { return nil }

// syncFolder does nothing: this system keeps no folders open.
func syncFolder(*os.File) error { return nil }
