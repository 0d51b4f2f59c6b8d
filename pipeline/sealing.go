package pipeline

import (
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// Sealing is what a normaliser seals evidence and identities with.
type Sealing struct {
	Vault      *vault.PublicKey
	Keys       *schemas.Codec[schemas.EvidenceKey]
	Identities *schemas.Codec[schemas.Identity]
	// Previous is the pseudonym key before the current one; nil when there was
	// none. Identities then link to the pseudonym under it.
	Previous *vault.Key
	// CachedIdentities is of how many people it is remembered that the vault
	// knows them; others are written again when they are met again. Default
	// 50,000, about 40 MB.
	CachedIdentities int
}

// evidenceSealer seals the evidence of one worker's batches. It is not safe for
// concurrent use.
type evidenceSealer struct {
	topics  schemas.Topics
	keys    *schemas.Codec[schemas.EvidenceKey]
	sealer  *vault.Sealer
	now     func() time.Time
	written string // id of the data key that Kafka has

	sealed []byte // evidence of a batch
}

func newEvidenceSealer(topics schemas.Topics, keys *schemas.Codec[schemas.EvidenceKey], sealer *vault.Sealer, now func() time.Time) *evidenceSealer {
	return &evidenceSealer{topics: topics, keys: keys, sealer: sealer, now: now}
}

// seal puts the evidence of the batch's events into them, sealed, which is valid
// until the next batch. It returns the record that Kafka must have before the
// events, nil when it has it already.
func (s *evidenceSealer) seal(out *Batch) (*kgo.Record, error) {
	if len(out.Events) == 0 {
		return nil, nil
	}
	if err := s.sealer.Renew(schemas.TimeOf(s.now()), len(out.Events)); err != nil {
		return nil, err
	}
	key := s.sealer.Key()
	size := 0
	for i := range out.made {
		size += len(out.made[i].evidence) + vault.EvidenceOverhead
	}
	s.sealed = slices.Grow(s.sealed[:0], size)
	for i, e := range out.Events {
		evidence := out.made[i].evidence
		if len(evidence) == 0 {
			continue
		}
		start := len(s.sealed)
		longer, err := s.sealer.AppendSealed(s.sealed, e.User, e.ID, evidence)
		if err != nil {
			return nil, fmt.Errorf("sealing evidence of event %s: %w", e.ID, err)
		}
		s.sealed = longer
		e.Evidence, e.EvidenceKey = longer[start:len(longer):len(longer)], key.ID
	}
	if key.ID == s.written {
		return nil, nil
	}
	value, err := s.keys.Append(nil, &key)
	if err != nil {
		return nil, err
	}
	return &kgo.Record{Topic: s.topics.EvidenceKeys(), Key: []byte(key.ID), Value: value}, nil
}

// confirm tells that Kafka has the data key in use.
func (s *evidenceSealer) confirm() { s.written = s.sealer.Key().ID }
