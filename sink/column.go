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
	addZeros(n int)
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
func (s *slice[V, C]) addZeros(n int)   { s.all.addZeros(n) }
func (s *slice[V, C]) reset()           { s.all.reset() }

func (s *slice[V, C]) appendTo(dst []byte) []byte {
	return s.all.appendValues(s.all.appendPrefix(dst))
}

// body is columns that all have their zero values in rows which are not of that kind.
type body[V any] struct {
	of      func(*V) bool // nil for what every row has
	columns []column[V]
	behind  int // how many rows its columns do not have yet, all of them zeros
}

// catchUp adds the rows that the columns do not have yet.
func (b *body[V]) catchUp() {
	if b.behind == 0 {
		return
	}
	for i := range b.columns {
		b.columns[i].cells.addZeros(b.behind)
	}
	b.behind = 0
}

// columns are the columns of a table, with the rows of the block that is being made. Their memory is
// that of the largest block so far.
type columns[V any] struct {
	bodies []body[V]
	list   []column[V] // of all bodies
	names  string
	types  []clickhouse.ColumnNameAndType
	rows   int
	wire   []byte
}

func newColumns[V any](list []column[V]) *columns[V] { return newBodies([]body[V]{{columns: list}}) }

func newBodies[V any](bodies []body[V]) *columns[V] {
	c := &columns[V]{bodies: bodies, list: allColumns(bodies)}
	names := make([]string, len(c.list))
	for i, col := range c.list {
		col.cells.open(col.kind)
		names[i] = "`" + col.name + "`"
		c.types = append(c.types, clickhouse.ColumnNameAndType{Name: col.name, Type: col.kind})
	}
	c.names = strings.Join(names, ", ")
	return c
}

func allColumns[V any](bodies []body[V]) []column[V] {
	var all []column[V]
	for _, b := range bodies {
		all = append(all, b.columns...)
	}
	return all
}

func (c *columns[V]) add(row *V) {
	for i := range c.bodies {
		b := &c.bodies[i]
		if b.of != nil && !b.of(row) {
			b.behind++
			continue
		}
		b.catchUp()
		for j := range b.columns {
			b.columns[j].cells.add(row)
		}
	}
	c.rows++
}

// complete makes all columns as long as each other.
func (c *columns[V]) complete() {
	for i := range c.bodies {
		c.bodies[i].catchUp()
	}
}

func (c *columns[V]) reset() {
	for i := range c.bodies {
		c.bodies[i].behind = 0
	}
	for i := range c.list {
		c.list[i].cells.reset()
	}
	c.rows = 0
}

// native returns the rows as a block of ClickHouse's Native format, which is valid until the next
// call.
func (c *columns[V]) native() []byte {
	c.complete()
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
