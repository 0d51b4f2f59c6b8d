package schemas

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
)

// lookupTimeout bounds one question to the registry for a schema that was never
// seen before; it is asked once per schema id and process.
const lookupTimeout = 10 * time.Second

// Register makes the codec write Confluent's wire format: it registers the
// schema under the topic's subject (TopicNameStrategy, "<topic>-value") with
// FULL_TRANSITIVE compatibility and looks unknown ids up from then on. Call it
// before the codec is used.
func (c *Codec[T]) Register(ctx context.Context, registry *sr.Client, topic string) error {
	subject := topic + "-value"
	for _, r := range registry.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFullTransitive}, subject) {
		if r.Err != nil {
			return fmt.Errorf("setting the compatibility of subject %s: %w", subject, r.Err)
		}
	}
	registered, err := registry.CreateSchema(ctx, subject, sr.Schema{Schema: c.schema.String(), Type: sr.TypeAvro})
	if err != nil {
		return fmt.Errorf("registering the schema under subject %s: %w", subject, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.header = binary.BigEndian.AppendUint32([]byte{0}, uint32(registered.ID))
	c.byID[uint32(registered.ID)] = c.schema
	c.lookup = func(id uint32) (string, error) {
		ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
		defer cancel()
		s, err := registry.SchemaByID(ctx, int(id))
		var answer *sr.ResponseError
		if errors.As(err, &answer) && answer.StatusCode == 404 {
			return "", fmt.Errorf("%w: the registry knows no schema id %d", ErrMalformed, id)
		}
		if err != nil {
			return "", fmt.Errorf("looking schema id %d up: %w", id, err)
		}
		return s.Schema, nil
	}
	return nil
}
