package pipeline

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	// ErrFenced means that another owner has claimed the partition, or that the
	// store went back in time: what is in memory is worthless.
	ErrFenced = errors.New("the partition's fence has changed")
	// errNotOwner means that the broker no longer lists this process as the
	// owner of the partition.
	errNotOwner = errors.New("the partition belongs to another member of the group")
	// errUnclaimed means that the partition's position is not known yet.
	errUnclaimed = errors.New("the partition is not claimed yet")
)

// fatalError ends Run: trying again would fail again or do harm.
type fatalError struct{ error }

func (e fatalError) Unwrap() error { return e.error }

func isFatal(err error) bool {
	var fatal fatalError
	return errors.As(err, &fatal) || isForbidden(err)
}

// isForbidden tells errors which only somebody with the right to grant rights
// can repair.
func isForbidden(err error) bool {
	for _, denied := range []error{
		kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed,
		kerr.SaslAuthenticationFailed, kerr.UnsupportedSaslMechanism,
	} {
		if errors.Is(err, denied) {
			return true
		}
	}
	return false
}

// isDataLoss tells that records are gone which were never read: retention was
// shorter than the outage, or the topic was recreated.
func isDataLoss(err error) bool {
	var loss *kgo.ErrDataLoss
	return errors.Is(err, kerr.OffsetOutOfRange) || errors.As(err, &loss)
}

// Bounds of the pause between attempts.
const (
	backoffFirst = 50 * time.Millisecond
	backoffLast  = 10 * time.Second
)

// backoff is how long to wait after so many failures in a row: twice as long
// each time, half of it at random so that a fleet does not come back at once.
func backoff(failures int) time.Duration {
	wait := backoffLast
	if failures < 8 {
		wait = min(backoffFirst<<max(failures-1, 0), backoffLast)
	}
	return wait/2 + rand.N(wait/2)
}
