package sink

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// column is one column of a table: how it is called, in which type its values are sent, and
// where they come from.
type column[V any] struct {
	name string
	// kind is the type of the values on the wire, over HTTP. A LowCardinality column is sent as
	// its plain type, which ClickHouse converts: the client's way of building dictionaries costs
	// ten times as much as all the rest of the row. The native protocol sends the table's type.
	kind  string
	cells cells[V]
}

// cells collects the values of one column.
type cells[V any] interface {
	add(row *V)
	values() any
	reset()
}

// from makes the cells whose values get returns.
func from[V, C any](get func(*V) C) cells[V] { return &slice[V, C]{get: get} }

type slice[V, C any] struct {
	get func(*V) C
	all []C
}

func (s *slice[V, C]) add(row *V)  { s.all = append(s.all, s.get(row)) }
func (s *slice[V, C]) values() any { return s.all }

// reset keeps the memory of the slice and lets go of what it points to.
func (s *slice[V, C]) reset() {
	clear(s.all)
	s.all = s.all[:0]
}

// columns are the columns of a table, with the rows of the block that is being made.
type columns[V any] struct {
	list  []column[V]
	names string
	types []clickhouse.ColumnNameAndType
	rows  int
}

func newColumns[V any](list []column[V]) *columns[V] {
	c := &columns[V]{list: list}
	names := make([]string, len(list))
	for i, col := range list {
		names[i] = "`" + col.name + "`"
		c.types = append(c.types, clickhouse.ColumnNameAndType{Name: col.name, Type: col.kind})
	}
	c.names = strings.Join(names, ", ")
	return c
}

func (c *columns[V]) add(row *V) {
	for i := range c.list {
		c.list[i].cells.add(row)
	}
	c.rows++
}

func (c *columns[V]) reset() {
	for i := range c.list {
		c.list[i].cells.reset()
	}
	c.rows = 0
}

// insert writes the rows as one block. ClickHouse leaves out a block whose token it has seen.
// Rows of many months make many parts, which is slow and yet better than refusing a replay.
func (c *columns[V]) insert(ctx context.Context, conn Conn, table, token string) error {
	ctx = clickhouse.Context(ctx,
		clickhouse.WithColumnNamesAndTypes(c.types),
		clickhouse.WithSettings(clickhouse.Settings{
			"async_insert":                             0,
			"insert_deduplicate":                       1,
			"insert_deduplication_token":               token,
			"throw_on_max_partitions_per_insert_block": 0,
		}))
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+table+" ("+c.names+")")
	if err != nil {
		return fmt.Errorf("preparing the insert into %s: %w", table, err)
	}
	defer batch.Close()
	for i, col := range c.list {
		if err := batch.Column(i).Append(col.cells.values()); err != nil {
			return fmt.Errorf("filling column %s of %s: %w", col.name, table, err)
		}
	}
	if err := batch.Send(); err != nil {
		return fmt.Errorf("inserting into %s: %w", table, err)
	}
	return nil
}
