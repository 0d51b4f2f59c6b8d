package server

import (
	"context"
	"fmt"
	"time"

	"github.com/riskpipe/riskpipe/vault"
)

// checkpointAfter is how long a record of the audit log stays without a checkpoint
// behind it at most: so long its end could be rewritten by whoever can write it.
const checkpointAfter = time.Hour

// KeepPinned signs the end of the audit log an hour after its first record that no
// checkpoint pins, again and again until ctx ends. It returns an error when the log
// cannot be signed; it takes no entries then either.
func KeepPinned(ctx context.Context, audit *vault.AuditChain) error {
	for {
		grown := audit.Grown()
		var due <-chan time.Time
		if last, pinned := audit.Last(); last > pinned {
			grown = nil // what follows is pinned with it
			due = time.After(checkpointAfter)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-grown:
		case <-due:
			if err := audit.Pin(); err != nil {
				return fmt.Errorf("pinning the audit log: %w", err)
			}
		}
	}
}
