package chaos

import (
	"context"
	"fmt"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// learned are the names that the log has, and those that Redis has, each with whose it is.
func (in *installation) learned(ctx context.Context) (logged, stored ledger, err error) {
	logged, stored = ledger{}, ledger{}
	records, err := in.kafka.records(ctx, in.topics.Names())
	if err != nil {
		return nil, nil, err
	}
	for _, partition := range records {
		for _, r := range partition {
			logged[inHex(string(r.Key))] = inHex(string(r.Value))
		}
	}
	const prefix = redisPrefix + "name:"
	client := in.redis.writer().client
	keys := client.Scan(ctx, 0, prefix+"*", 1000).Iterator()
	for keys.Next(ctx) {
		value, err := client.Get(ctx, keys.Val()).Result()
		if err != nil {
			return nil, nil, fmt.Errorf("reading a name: %w", err)
		}
		if len(value) == len(schemas.Pseudonym{}) { // else an alert that waits
			stored[inHex(strings.TrimPrefix(keys.Val(), prefix))] = inHex(value)
		}
	}
	if err := keys.Err(); err != nil {
		return nil, nil, fmt.Errorf("looking through names: %w", err)
	}
	return logged, stored, nil
}
