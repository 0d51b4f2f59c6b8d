package sink

import (
	"encoding/binary"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// column is one column of a table: how it is called, which type it has in the table, and where its
// values come from.
type column[V any] struct {
	name  string
	kind  string
	cells cells[V]
}

// cells collects the values of one column.
type cells[V any] interface {
	// open makes room for values of ClickHouse's type kind. It comes first, once.
	open(kind string)
	add(row *V)
	reset()
	// appendTo appends the values in ClickHouse's Native format.
	appendTo(dst []byte) []byte
}

// from makes the cells whose values get returns. What they point to is copied before the next row.
func from[V, C any](get func(*V) C) cells[V] { return &slice[V, C]{get: get} }

type slice[V, C any] struct {
	get func(*V) C
	all vector[C]
}

func (s *slice[V, C]) open(kind string) { s.all = vectorOf[C](kind) }
func (s *slice[V, C]) add(row *V)       { s.all.add(s.get(row)) }
func (s *slice[V, C]) reset()           { s.all.reset() }

func (s *slice[V, C]) appendTo(dst []byte) []byte {
	return s.all.appendValues(s.all.appendPrefix(dst))
}

// columns are the columns of a table, with the rows of the block that is being made. Their memory is
// that of the largest block so far.
type columns[V any] struct {
	list  []column[V]
	names string
	types []clickhouse.ColumnNameAndType
	rows  int
	wire  []byte
}

func newColumns[V any](list []column[V]) *columns[V] {
	c := &columns[V]{list: list}
	names := make([]string, len(list))
	for i, col := range list {
		col.cells.open(col.kind)
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

// native returns the rows as a block of ClickHouse's Native format, which is valid until the next
// call.
func (c *columns[V]) native() []byte {
	text := func(s string) { c.wire = append(binary.AppendUvarint(c.wire, uint64(len(s))), s...) }
	c.wire = binary.AppendUvarint(c.wire[:0], uint64(len(c.list)))
	c.wire = binary.AppendUvarint(c.wire, uint64(c.rows))
	for _, col := range c.list {
		text(col.name)
		text(col.kind)
		c.wire = col.cells.appendTo(c.wire)
	}
	return c.wire
}
