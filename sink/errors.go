package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kerr"
)

// fatalError is one that trying again does not mend: Run returns it.
type fatalError struct{ err error }

func (e fatalError) Error() string { return e.err.Error() }
func (e fatalError) Unwrap() error { return e.err }

func isFatal(err error) bool {
	_, ok := errors.AsType[fatalError](err)
	return ok
}

// The answers of ClickHouse that only people can mend, and how. All others, like running out of
// memory, disk or connections, being read-only, or having too many parts, pass.
// https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
var fatalCodes = map[int32]string{
	16:  "run `riskpipe migrate`",              // NO_SUCH_COLUMN_IN_TABLE
	20:  "run `riskpipe migrate`",              // NUMBER_OF_COLUMNS_DOESNT_MATCH
	47:  "run `riskpipe migrate`",              // UNKNOWN_IDENTIFIER
	53:  "run `riskpipe migrate`",              // TYPE_MISMATCH
	60:  "run `riskpipe migrate`",              // UNKNOWN_TABLE
	62:  "ClickHouse must be 24.8 or newer",    // SYNTAX_ERROR
	81:  "run `riskpipe migrate`",              // UNKNOWN_DATABASE
	115: "ClickHouse must be 24.8 or newer",    // UNKNOWN_SETTING
	192: "check clickhouse.username",           // UNKNOWN_USER
	193: "check clickhouse.password",           // WRONG_PASSWORD
	194: "check clickhouse.password",           // REQUIRED_PASSWORD
	497: "grant INSERT on the tables",          // ACCESS_DENIED
	516: "check clickhouse.username, password", // AUTHENTICATION_FAILED
}

// classify makes an error of an insert fatal if only people can mend it.
func classify(err error) error {
	if e, ok := errors.AsType[*clickhouse.Exception](err); ok {
		if hint, ok := fatalCodes[e.Code]; ok {
			return fatalError{fmt.Errorf("%w; %s", err, hint)}
		}
	}
	return err
}

// classifyKafka makes an error of polling fatal if only people can mend it.
func classifyKafka(err error) error {
	for _, e := range []error{
		kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.SaslAuthenticationFailed,
	} {
		if errors.Is(err, e) {
			return fatalError{fmt.Errorf("%w; check the credentials and the ACLs of the sink", err)}
		}
	}
	return err
}

// ended tells the end of a wait from an error.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
