//go:build !linux || !amd64 || riskpipe_noengine

package embedded

import (
	"context"
	"errors"
)

// Kafka and Redis are embedded everywhere; the engine is not.
const engineSupported = false

func lockFile(context.Context, string) (func(), error) { return nil, errors.ErrUnsupported }

func openEngine(string, string) (engineLib, error) { return nil, ErrNoEngine }
