package sink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// warehouse stands in for ClickHouse behind the sink's rows: per table it leaves
// out a block whose token is among the last it has seen, and keeps every row of
// the others. The engine's own behaviour is tested with the engine.
type warehouse struct {
	mu     sync.Mutex
	window int // tokens remembered by each table
	tables map[string]*table
	refuse string // a row that no block may hold; empty for none
	// around is called with each insert, and may fail before and after it.
	rename func(token string) string // by a mutant; nil for none
	around func(ctx context.Context, conn Conn, insert func()) error
}

type table struct {
	tokens []string
	copies map[string]int // of each row, by its identity; FINAL shows one
	blocks map[int32][]span
}

func newWarehouse(window int) *warehouse {
	return &warehouse{
		window: window, tables: map[string]*table{},
		around: func(_ context.Context, _ Conn, insert func()) error { insert(); return nil },
	}
}

func (w *warehouse) table(topic string) *table {
	if w.tables[topic] == nil {
		w.tables[topic] = &table{copies: map[string]int{}, blocks: map[int32][]span{}}
	}
	return w.tables[topic]
}

func (w *warehouse) insert(ctx context.Context, conn Conn, records []*kgo.Record, token string) error {
	w.mu.Lock()
	around := w.around
	refused := w.refuse != "" && slices.ContainsFunc(records, func(r *kgo.Record) bool { return string(r.Value) == w.refuse })
	w.mu.Unlock()
	if refused {
		return errInjected
	}
	return around(ctx, conn, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.rename != nil {
			token = w.rename(token)
		}
		t := w.table(records[0].Topic)
		if slices.Contains(t.tokens, token) {
			return
		}
		if t.tokens = append(t.tokens, token); len(t.tokens) > w.window {
			t.tokens = t.tokens[1:]
		}
		for _, r := range records {
			t.copies[string(r.Value)]++
		}
		t.blocks[records[0].Partition] = append(t.blocks[records[0].Partition], span{records[0].Offset, records[len(records)-1].Offset, true})
	})
}

// weather sets what happens around inserts.
func (w *warehouse) weather(around func(ctx context.Context, conn Conn, insert func()) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.around = around
}

// refuses makes the warehouse refuse whatever holds the row, from now on.
func (w *warehouse) refuses(row string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = row
}

// holds looks for rows of a topic that are missing or of nobody; with once, also
// for rows that stand there twice, and for gaps and overlaps between blocks.
func (w *warehouse) holds(topic string, want map[string]bool, once bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.table(topic)
	for row := range want {
		if t.copies[row] == 0 {
			return fmt.Errorf("%s is missing (%d of %d)", row, len(t.copies), len(want))
		}
	}
	if len(t.copies) != len(want) {
		return fmt.Errorf("%d rows, want %d", len(t.copies), len(want))
	}
	if !once {
		return nil
	}
	for _, row := range slices.Sorted(maps.Keys(t.copies)) {
		if t.copies[row] > 1 {
			return fmt.Errorf("%s was written %d times", row, t.copies[row])
		}
	}
	for partition, blocks := range t.blocks {
		slices.SortFunc(blocks, func(a, b span) int { return int(a.first - b.first) })
		next := int64(0)
		for _, b := range blocks {
			if b.first != next {
				return fmt.Errorf("partition %d: block %d-%d follows offset %d", partition, b.first, b.last, next-1)
			}
			next = b.last + 1
		}
	}
	return nil
}

// behind makes a sink write to the warehouse.
func (w *warehouse) behind(s *Sink) *Sink {
	for topic := range s.pools {
		s.pools[topic] = newRowsPool(s.config.Inserts, func() rows { return &shelf{warehouse: w} })
	}
	return s
}

// shelf are rows on their way to the warehouse.
type shelf struct {
	warehouse *warehouse
	records   []*kgo.Record
}

func (s *shelf) add(r *kgo.Record) error {
	s.records = append(s.records, r)
	return nil
}
func (s *shelf) len() int                        { return len(s.records) }
func (s *shelf) oldest() schemas.Time            { return 1 }
func (s *shelf) sources() map[schemas.Source]int { return nil }
func (s *shelf) reset()                          { s.records = nil }
func (s *shelf) insert(ctx context.Context, conn Conn, token string) error {
	return s.warehouse.insert(ctx, conn, s.records, token)
}

// noConn is a connection that nobody uses.
type noConn struct{ Conn }

var errInjected = errors.New("injected fault")
