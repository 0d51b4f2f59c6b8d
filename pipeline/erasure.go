package pipeline

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// ErasureRecord is the order to erase a user, for the topic events: a record
// without a value under the user's key, as on a compacted topic. It stands in
// the log, behind what the user did, so that every fold over the log forgets
// them at the same place: the state goes, open alerts close, and the topics
// alerts and risk get a record without a value under the same key.
//
// What comes behind it, whenever it happened, is scored as for a user never
// seen. Ordering twice is ordering once.
func ErasureRecord(topics schemas.Topics, user schemas.Pseudonym) *kgo.Record {
	return withoutValue(topics.Events(), user)
}

// withoutValue is the record that tells a topic's readers to forget a user.
func withoutValue(topic string, user schemas.Pseudonym) *kgo.Record {
	return &kgo.Record{Topic: topic, Key: []byte(user.String())}
}

// erasedUser reads whom a record without a value is about. The error wraps
// schemas.ErrMalformed, and does not quote the key.
func erasedUser(record *kgo.Record) (user schemas.Pseudonym, err error) {
	if user.UnmarshalText(record.Key) != nil || user == (schemas.Pseudonym{}) {
		return user, fmt.Errorf("a record without a value whose key is no pseudonym: %w", schemas.ErrMalformed)
	}
	return user, nil
}
