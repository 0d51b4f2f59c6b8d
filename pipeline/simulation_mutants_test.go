package pipeline

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// mutant takes one safeguard away, from outside of the worker: it stands between
// the worker and its store or broker.
type mutant struct {
	name    string
	weather *weather // that shows it; nil for that of the seed

	unproven  bool // claims do not ask the broker
	claim     func(m *member, claimed Fence) Fence
	load      func(m *member, users []schemas.Pseudonym) (string, [][]byte, error)
	produce   func(m *member, records []*kgo.Record) error
	commit    func(m *member, from, to string, states []UserState) error
	committed func(m *member, err error) error // what the worker is told
}

func mutants() []*mutant {
	return []*mutant{
		{
			name:    "states are stored before alerts are written",
			produce: func(m *member, records []*kgo.Record) error { m.held = append(m.held, records...); return nil },
			commit: func(m *member, from, to string, states []UserState) error {
				if err := m.sim.commit(from, to, states); err != nil {
					return err
				}
				return m.release()
			},
		},
		{
			name: "acknowledgements are not awaited",
			produce: func(m *member, records []*kgo.Record) error {
				_ = m.deliver(records) // the fault
				return nil
			},
		},
		{
			name: "epoch and nonce are not compared",
			commit: func(m *member, _, to string, states []UserState) error {
				return m.sim.commit(m.sim.store.of(0).fence, to, states)
			},
		},
		{
			name: "states and fence are written one by one",
			commit: func(m *member, from, to string, states []UserState) error {
				for i := range states {
					if err := m.sim.store.Commit(context.Background(), 0, from, from, states[i:i+1]); err != nil {
						return err
					}
					m.sim.remember()
					if err := m.mishap("within commit"); err != nil {
						return err
					}
				}
				return m.sim.commit(from, to, nil)
			},
		},
		{
			name: "the position is stored before the states",
			commit: func(m *member, from, to string, states []UserState) error {
				if err := m.sim.store.Commit(context.Background(), 0, from, to, nil); err != nil {
					return err
				}
				m.sim.remember()
				if err := m.mishap("within commit"); err != nil {
					return err
				}
				return m.sim.commit(to, to, states)
			},
		},
		{
			name: "the position is not in the transaction: Kafka's commit is the start",
			claim: func(m *member, claimed Fence) Fence {
				if claimed.Next == earliest || m.sim.kafka == claimed.Next {
					return claimed
				}
				from := claimed.String()
				claimed.Next = m.sim.kafka
				claimed.Watermark = m.sim.oracle.watermarks[claimed.Next]
				if err := m.sim.store.Commit(context.Background(), 0, from, claimed.String(), nil); err != nil {
					m.sim.failf("%w", err)
				}
				return claimed
			},
		},
		{
			name: "states are read apart from the fence", weather: &weather{zombie: 12, rollback: 3, fault: 3},
			load: func(m *member, users []schemas.Pseudonym) (string, [][]byte, error) {
				if len(users) == 0 {
					return m.sim.store.Load(context.Background(), 0, nil)
				}
				fence, _, err := m.sim.store.Load(context.Background(), 0, nil)
				if err != nil {
					return "", nil, err
				}
				if err := m.mishap("within load"); err != nil {
					return "", nil, err
				}
				_, states, err := m.sim.store.Load(context.Background(), 0, users)
				return fence, states, err
			},
		},
		{name: "claims do not ask the broker", unproven: true},
		{
			name:      "what is in doubt is taken for stored",
			committed: func(*member, error) error { return nil },
		},
		{
			// Nothing goes wrong by it: the next claim finds the position. What shows
			// is that a batch is given up for which all was done.
			name: "what is in doubt is not asked about", weather: &lostAnswers,
			load: func(m *member, users []schemas.Pseudonym) (string, [][]byte, error) {
				if m.worker.claimed && len(users) == 0 {
					return "nobody asks", nil, nil
				}
				return m.sim.store.Load(context.Background(), 0, users)
			},
		},
	}
}

// release writes what was held back.
func (m *member) release() error {
	held := m.held
	m.held = nil
	return m.deliver(held)
}
