package embedded

import (
	"bytes"
	"io"
	"testing"
)

func keepType(_ int, name string) string { return name }

// Each composite type's extent is found: what follows the column would not parse else.
func TestRewriteNative_extents(t *testing.T) {
	for _, expr := range []string{
		"number", "toString(number)", "toLowCardinality(toString(number % 3))", "toLowCardinality(if(number % 2, NULL, toString(number)))",
		"range(number)", "arrayMap(x -> toLowCardinality(toString(x)), range(number % 4))", "map('a', number, 'b', number)",
		"map('k', [map('x', toLowCardinality('y'))])", "tuple(number, toString(number), [number])",
		"CAST((number, 'x'), 'Tuple(`a b` UInt64, c String)')", "[[[number]], []]", "if(number % 2, NULL, number)", "NULL", "[]",
		"generateUUIDv4()", "toFixedString('ab', 5)", "toDecimal32(1, 2)", "toDecimal64(1, 2)", "toDecimal128(1, 2)", "toDecimal256(1, 2)",
		"toInt256(number)", "toIPv4('1.2.3.4')", "toIPv6('::1')", "toDate32('2020-01-01')", "now64(9, 'UTC')", "INTERVAL 1 DAY",
		"CAST('a', 'Enum16(\\'a\\' = 1, \\'b(,)\\' = 2)')", "CAST(number % 2 ? 'x' : NULL, 'Variant(String, UInt64)')",
		"CAST(number, 'Variant(Array(String), UInt64)')", "(1.5, 2.5)::Point", "[(1., 2.)]::Ring", "true", "toFloat32(1)",
		"CAST([(1, 'a')], 'Nested(x UInt8, y String)')",
	} {
		text := must(t, "SELECT "+expr+" AS v, 'end' AS e FROM numbers(7) SETTINGS max_block_size = 3", "default_format", "Native")
		var out bytes.Buffer
		if err := rewriteNative(&out, []byte(text), 54460, keepType); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
		// Cut anywhere, it is an error, never a panic or a wrong block.
		for n := range len(text) {
			rewriteNative(io.Discard, []byte(text[:n]), 54460, keepType)
		}
	}
	a := ask(t, "SELECT sumState(number) FROM numbers(3)", "default_format", "Native", "client_protocol_version", "54460")
	if a.header.Get("X-ClickHouse-Exception-Code") != "48" {
		t.Errorf("an aggregate state has no known extent: HTTP %d %q", a.status, a.body)
	}
}

// Arbitrary bytes are refused without a panic.
func FuzzRewriteNative(f *testing.F) {
	f.Add([]byte("\x01\x01\x01a\x05UInt8\x00"))
	f.Add([]byte("\x01\x05\x01a\x0fFixedString(-8)abc")) // would walk back
	f.Add([]byte("\x01\x01\x01a\x16LowCardinality(String)\x01\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		rewriteNative(io.Discard, data, 54460, keepType)
	})
}

// Statement, data and format are told apart whatever strings and comments say.
func TestParseStatement(t *testing.T) {
	for _, c := range []struct{ sql, format, dataFormat, data, file string }{
		{sql: "SELECT 1"},
		{sql: "SELECT ' FORMAT x' -- FORMAT y\n FORMAT CSV -- z", format: "CSV"},
		{sql: "SELECT format FROM t"},
		{sql: "SELECT a AS format /* ; */ FROM t WHERE b = 'it''s; \\'x' FORMAT JSON SETTINGS a = 1", format: "JSON"},
		{sql: "SELECT (SELECT 1 FORMAT Null)", format: ""},
		{sql: "SELECT $x$ ; FORMAT a $x$;  \n"},
		{sql: "INSERT INTO t (a, format) VALUES (1)", dataFormat: "Values", data: " (1)", file: "INSERT INTO t (a, format)  FROM INFILE 'f' COMPRESSION 'none'  FORMAT Values"},
		{sql: "insert into format settings x = 1 format CSV \r\n\n1", dataFormat: "CSV", data: "\n1", file: "insert into format  FROM INFILE 'f' COMPRESSION 'none' settings x = 1  FORMAT CSV"},
		{sql: "INSERT INTO FUNCTION null('a String') FORMAT TSV\na", dataFormat: "TSV", data: "a", file: "INSERT INTO FUNCTION null('a String')  FROM INFILE 'f' COMPRESSION 'none'  FORMAT TSV"},
		{sql: "INSERT INTO t SELECT 1 FORMAT"},
	} {
		st, err := parseStatement(c.sql)
		if err != nil {
			t.Errorf("%s: %v", c.sql, err)
			continue
		}
		data, file := "", ""
		if st.dataAt >= 0 {
			data, file = st.sql[st.dataAt:], st.fromFile("f")
		}
		if st.format != c.format || st.dataFormat != c.dataFormat || data != c.data || file != c.file {
			t.Errorf("%s: format %q, data format %q, data %q, file %q", c.sql, st.format, st.dataFormat, data, file)
		}
	}
}
