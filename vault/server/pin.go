package server

import (
	"context"
	"fmt"
	"time"
)

// checkpointAfter is how long a record of an audit chain stays without a checkpoint
// behind it at most: so long its end could be rewritten by whoever can write it.
const checkpointAfter = time.Hour

// Pinnable is what grows by records that are to be pinned: the audit log of the
// vault, or the chains of others that it watches.
type Pinnable interface {
	// Grown returns a channel that is closed once there is a record more than now.
	Grown() <-chan struct{}
	// Unpinned tells whether there is a record that no checkpoint pins.
	Unpinned() bool
	// Pin signs what no checkpoint pins.
	Pin() error
}

// KeepPinned signs what has grown an hour after its first record that no checkpoint
// pins, again and again until ctx ends. It returns an error when the audit log cannot
// be signed; it takes no entries then either.
func KeepPinned(ctx context.Context, growing Pinnable) error {
	for {
		grown := growing.Grown()
		var due <-chan time.Time
		if growing.Unpinned() {
			grown = nil // what follows is pinned with it
			due = time.After(checkpointAfter)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-grown:
		case <-due:
			if err := growing.Pin(); err != nil {
				return fmt.Errorf("pinning the audit log: %w", err)
			}
		}
	}
}
