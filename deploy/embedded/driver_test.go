package embedded

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// connect opens the driver package sink uses.
func connect(t testing.TB, db string, method clickhouse.CompressionMethod) driver.Conn {
	t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol: clickhouse.HTTP, Addr: []string{engineAddr},
		Auth:        clickhouse.Auth{Database: db, Username: "default", Password: "ignored"},
		Compression: &clickhouse.Compression{Method: method, Level: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

type row struct {
	S    string
	LC   string
	LCN  *string
	U    uuid.UUID
	FS   string
	T    time.Time
	D    time.Time
	DT   time.Time
	I    int64
	B    bool
	A    []string
	AA   [][]uint32
	M    map[string]uint64
	MLC  map[string][]string
	Tup  []any
	N    *int32
	E    string
	Dec  decimal.Decimal
	F    float64
	ALC  []string
	AN   []*string
	Sum  uint64
	IP   string
	U8   uint8
	Big  uint64
	D256 decimal.Decimal
}

const everyType = `s String, lc LowCardinality(String), lcn LowCardinality(Nullable(String)), u UUID, fs FixedString(3),
	t DateTime64(3, 'UTC'), d Date, dt DateTime('Europe/Paris'), i Int64, b Bool, a Array(String), aa Array(Array(UInt32)),
	m Map(String, UInt64), mlc Map(LowCardinality(String), Array(LowCardinality(String))), tup Tuple(a String, b UInt8), n Nullable(Int32),
	e Enum8('low' = 1, 'it''s (high)' = 2), dec Decimal(18, 4), f Float64, alc Array(LowCardinality(String)), an Array(Nullable(String)),
	sum SimpleAggregateFunction(sum, UInt64), ip IPv4, u8 UInt8, big UInt64, d256 Decimal(60, 5)`

// Every type riskpipe may store is written and read back unchanged, with every
// compression the driver has over HTTP.
func TestDriver_everyType(t *testing.T) {
	db := database(t)
	must(t, "CREATE TABLE t ("+everyType+") ENGINE = MergeTree ORDER BY s", "database", db)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	text, one := "x", int32(-1)
	for _, method := range []clickhouse.CompressionMethod{
		clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD,
		clickhouse.CompressionGZIP, clickhouse.CompressionDeflate, clickhouse.CompressionBrotli,
	} {
		must(t, "TRUNCATE TABLE t", "database", db)
		conn := connect(t, db, method)
		if err := conn.Ping(t.Context()); err != nil {
			t.Fatalf("%v: %v", method, err)
		}
		want := []row{{
			S: "a\n\n'b", LC: "low", LCN: &text, U: uuid.MustParse("6e1c0b4e-2a6a-4b8e-9d0a-3a1f2b3c4d5e"), FS: "abc",
			T: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC), D: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
			DT: time.Date(2026, 7, 2, 3, 4, 5, 0, paris), I: -1 << 62, B: true, A: []string{"x", "", "y"}, AA: [][]uint32{{1}, {}, {2, 3}},
			M: map[string]uint64{"k": 1}, MLC: map[string][]string{"k": {"v", "w"}}, Tup: []any{"t", uint8(7)}, N: &one, E: "it's (high)",
			Dec: decimal.RequireFromString("-12.3456"), F: 1.5, ALC: []string{"p", "p"}, AN: []*string{nil, &text}, Sum: 9, IP: "10.0.0.1",
			U8: 255, Big: 1<<64 - 1, D256: decimal.RequireFromString("12345678901234567890123456789012345678901234567890.12345"),
		}, {
			S: "b", U: uuid.Nil, FS: "\x00\x00\x00", T: time.Unix(0, 0).UTC(), D: time.Unix(0, 0).UTC(), DT: time.Unix(0, 0).In(paris),
			A: []string{}, AA: [][]uint32{}, M: map[string]uint64{}, MLC: map[string][]string{}, Tup: []any{"", uint8(0)}, E: "low",
			ALC: []string{}, AN: []*string{}, IP: "0.0.0.0",
		}}
		batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO t")
		if err != nil {
			t.Fatalf("%v: %v", method, err)
		}
		for _, r := range want {
			if err := batch.Append(r.S, r.LC, r.LCN, r.U, r.FS, r.T, r.D, r.DT, r.I, r.B, r.A, r.AA, r.M, r.MLC, r.Tup, r.N, r.E, r.Dec,
				r.F, r.ALC, r.AN, r.Sum, r.IP, r.U8, r.Big, r.D256); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatalf("%v: %v", method, err)
		}
		rows, err := conn.Query(t.Context(), "SELECT * REPLACE (toString(ip) AS ip) FROM t ORDER BY s")
		if err != nil {
			t.Fatalf("%v: %v", method, err)
		}
		var got []row
		for rows.Next() {
			var r row
			var tuple struct {
				A string `ch:"a"`
				B uint8  `ch:"b"`
			}
			if err := rows.Scan(&r.S, &r.LC, &r.LCN, &r.U, &r.FS, &r.T, &r.D, &r.DT, &r.I, &r.B, &r.A, &r.AA, &r.M, &r.MLC, &tuple, &r.N, &r.E, &r.Dec,
				&r.F, &r.ALC, &r.AN, &r.Sum, &r.IP, &r.U8, &r.Big, &r.D256); err != nil {
				t.Fatalf("%v: %v", method, err)
			}
			r.Tup = []any{tuple.A, tuple.B}
			got = append(got, r)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if dt := rows.ColumnTypes()[7].DatabaseTypeName(); dt != "DateTime('Europe/Paris')" {
			t.Errorf("%v: DateTime lost its zone: %s", method, dt)
		}
		if len(got) != len(want) {
			t.Fatalf("%v: %d rows", method, len(got))
		}
		for i := range want {
			compareRow(t, method, got[i], want[i])
		}
	}
}

func compareRow(t *testing.T, method clickhouse.CompressionMethod, got, want row) {
	t.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		a, b := g.Field(i).Interface(), w.Field(i).Interface()
		same := reflect.DeepEqual(a, b)
		switch x := a.(type) {
		case time.Time:
			same = x.Equal(b.(time.Time))
		case decimal.Decimal:
			same = x.Equal(b.(decimal.Decimal))
		}
		if !same {
			t.Errorf("%v: %s = %v, want %v", method, g.Type().Field(i).Name, a, b)
		}
	}
}

// Parameters bind on the server, errors arrive typed, and results may be empty.
func TestDriver_queries(t *testing.T) {
	conn := connect(t, database(t), clickhouse.CompressionNone)
	ctx := clickhouse.Context(t.Context(), clickhouse.WithParameters(clickhouse.Parameters{"n": "41", "s": "it's\\n"}))
	var n int64
	var s string
	if err := conn.QueryRow(ctx, "SELECT {n:Int64} + 1, {s:String}").Scan(&n, &s); err != nil || n != 42 || s != "it's\n" {
		t.Errorf("%d %q %v", n, s, err)
	}
	if err := conn.QueryRow(t.Context(), "SELECT toInt64(?)", 7).Scan(&n); err != nil || n != 7 {
		t.Errorf("%d %v", n, err)
	}
	var exception *clickhouse.Exception
	if err := conn.Exec(t.Context(), "DROP TABLE nowhere"); !errors.As(err, &exception) || exception.Code != 60 {
		t.Errorf("got %v, want exception 60", err)
	}
	rows, err := conn.Query(t.Context(), "SELECT 1 WHERE 0")
	if err != nil || rows.Next() {
		t.Errorf("an empty result: %v", err)
	}
	deadline, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := conn.QueryRow(deadline, "SELECT sleepEachRow(1) FROM numbers(3)").Scan(new(uint8)); err == nil {
		t.Error("a query outlived its deadline")
	}
	// An external table is a form with the data of the table in it.
	table, err := ext.NewTable("wanted", ext.Column("id", "UInt64"))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []uint64{3, 5} {
		if err := table.Append(id); err != nil {
			t.Fatal(err)
		}
	}
	ctx = clickhouse.Context(t.Context(), clickhouse.WithExternalTable(table))
	var sum uint64
	if err := conn.QueryRow(ctx, "SELECT sum(number) FROM numbers(9) WHERE number IN wanted").Scan(&sum); err != nil || sum != 8 {
		t.Errorf("external table: %d %v", sum, err)
	}
}

// A big result comes in many blocks, a big insert goes in one.
func TestDriver_bigBlocks(t *testing.T) {
	db := database(t)
	conn := connect(t, db, clickhouse.CompressionLZ4)
	if err := conn.Exec(t.Context(), typicalTable); err != nil {
		t.Fatal(err)
	}
	insertTypical(t, conn, typical(100_000))
	rows, err := conn.Query(t.Context(), "SELECT id, user, tags FROM activity ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100_000 {
		var id uint64
		var user string
		var tags []string
		if !rows.Next() {
			t.Fatalf("the result ends at row %d: %v", i, rows.Err())
		}
		if err := rows.Scan(&id, &user, &tags); err != nil || id != uint64(i) || user != fmt.Sprintf("ANON-%08d", i%5000) || len(tags) != i%3 {
			t.Fatalf("row %d: %d %s %v %v", i, id, user, tags, err)
		}
	}
}
