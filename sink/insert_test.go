package sink

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/deploy/embedded/servertest"
	"github.com/riskpipe/riskpipe/schemas"
)

// Rows are the same whichever way they take: compressed or not, or through the driver, as over the
// native protocol.
func TestInsert_everyWay(t *testing.T) {
	events := codec[schemas.Event](t, schemas.EventSchema)
	alerts := codec[schemas.Alert](t, schemas.AlertSchema)
	risks := codec[schemas.Risk](t, schemas.RiskSchema)
	digests := func(compression string, throughDriver bool) (all [3]uint64) {
		addr, database := servertest.Database(t)
		conn, err := Open(t.Context(), ClickHouseConfig{Addresses: []string{addr}, Protocol: "http", Username: "default", Compression: compression})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := Migrate(t.Context(), conn, database, MigrateOptions{}); err != nil {
			t.Fatal(err)
		}
		into := conn
		if throughDriver {
			into = conn.(*httpConn).Conn
		}
		write := func(r rows, values ...[]byte) {
			for i, value := range values {
				if err := r.add(&kgo.Record{Value: value, Offset: int64(i)}); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.insert(t.Context(), into, "token"); err != nil {
				t.Fatal(err)
			}
		}
		var encoded [][]byte
		for _, e := range fullEvents() {
			encoded = append(encoded, encode(t, events, e))
		}
		write(newActivityRows(events, database), encoded...)
		write(newAlertRows(alerts, database), encode(t, alerts, fullAlert(1)), encode(t, alerts, fullAlert(2)))
		write(newRiskRows(risks, database), encode(t, risks, fullRisk(1)), encode(t, risks, fullRisk(2)))
		for i, table := range []string{"activity", "alert_history", "risk"} {
			all[i] = count(t, conn, "SELECT sum(cityHash64(toString(tuple(* EXCEPT inserted_at)))) FROM "+database+"."+table)
		}
		return all
	}
	want := digests("none", false)
	for _, tt := range []struct {
		compression   string
		throughDriver bool
	}{{"lz4", false}, {"zstd", false}, {"none", true}, {"lz4", true}} {
		if got := digests(tt.compression, tt.throughDriver); got != want {
			t.Errorf("compression %s, through the driver %t: %v, want %v", tt.compression, tt.throughDriver, got, want)
		}
	}
}

// Dictionaries grow with what is in them: their keys have 8, 16 and 32 bits.
func TestInsert_dictionaries(t *testing.T) {
	conn, database := openMigrated(t)
	for _, n := range []int{254, 255, 256, 257, 70_000} {
		rows := newActivityRows(nil, database).(*typed[schemas.Event, activity])
		for i := range n {
			a, err := eventFlattener()(&schemas.Event{Time: noon, Operation: "Op" + strconv.Itoa(i), Origin: schemas.Origin{Offset: int64(i), Index: int32(n)}})
			if err != nil {
				t.Fatal(err)
			}
			rows.columns.add(&a)
		}
		for _, into := range []Conn{conn, conn.(*httpConn).Conn} {
			if err := rows.insert(t.Context(), into, strconv.Itoa(n)); err != nil {
				t.Fatal(err)
			}
		}
		if got := count(t, conn, "SELECT countIf(operation = concat('Op', toString(origin_offset))) FROM "+database+".activity WHERE origin_index = ?", n); got != uint64(n) {
			t.Errorf("%d of %d rows are right", got, n)
		}
	}
}

// A column of another type than the table's is refused: its bytes would be taken for something else.
func TestInsert_otherType(t *testing.T) {
	conn, database := openMigrated(t)
	if err := conn.Exec(t.Context(), "CREATE TABLE "+database+".other (n UInt64) ENGINE = Memory"); err != nil {
		t.Fatal(err)
	}
	c := newColumns([]column[int64]{{"n", "Int64", from(func(n *int64) int64 { return *n })}})
	c.add(new(int64(-1)))
	c.types[0].Type = "UInt64" // as the native protocol says it
	if err := c.insertBatch(t.Context(), conn, "INSERT INTO "+database+".other (n)"); err == nil {
		t.Error("no error")
	}
}

// A block is the same whether columns wait for rows that have them or not, after other blocks, and
// when the records are gone.
func TestColumns_bodies(t *testing.T) {
	events := codec[schemas.Event](t, schemas.EventSchema)
	lazy := newActivityRows(events, "").(*typed[schemas.Event, activity])
	rapid.Check(t, func(rt *rapid.T) {
		eager := newColumns(activityColumns())
		lazy.reset()
		for range rapid.IntRange(0, 20).Draw(rt, "rows") {
			e := rapid.SampledFrom(fullEvents()).Draw(rt, "event")
			a, err := eventFlattener()(&e)
			if err != nil {
				rt.Fatal(err)
			}
			eager.add(&a)
			value := encode(t, events, e)
			if err := lazy.add(&kgo.Record{Value: value}); err != nil {
				rt.Fatal(err)
			}
			clear(value)
		}
		if string(lazy.columns.native()) != string(eager.native()) {
			rt.Error("the blocks differ")
		}
	})
}

// Once the memory for a block is there, a row needs none but for what it points to.
func TestRows_allocations(t *testing.T) {
	events := codec[schemas.Event](t, schemas.EventSchema)
	var records []*kgo.Record
	for range 100 {
		for _, e := range fullEvents() {
			records = append(records, &kgo.Record{Value: encode(t, events, e)})
		}
	}
	into := newActivityRows(events, "").(*typed[schemas.Event, activity])
	block := func() {
		into.reset()
		for _, r := range records {
			if err := into.add(r); err != nil {
				t.Fatal(err)
			}
		}
		into.columns.native()
	}
	block()
	if n := testing.AllocsPerRun(20, block) / float64(len(records)); n > 1.5 {
		t.Errorf("%.1f allocations a row", n)
	}
}

// What HTTP reads, or has written, is the block in frames, and nothing once the insert has ended.
func TestInsertBody(t *testing.T) {
	block := make([]byte, 2*frameBytes+100)
	for i := range block {
		block[i] = byte(i * i >> 8)
	}
	body := func(compressed bool) *insertBody {
		b := &insertBody{left: block}
		if compressed {
			b.compressor = compress.NewWriter(compress.LevelZero, compress.LZ4)
		}
		return b
	}
	for _, compressed := range []bool{false, true} {
		read, err := io.ReadAll(struct{ io.Reader }{body(compressed)})
		if err != nil {
			t.Fatal(err)
		}
		var written bytes.Buffer
		if n, err := body(compressed).WriteTo(&written); err != nil || n != int64(written.Len()) || !bytes.Equal(written.Bytes(), read) {
			t.Errorf("compressed %t: %d bytes written of %d that are read, %v", compressed, n, len(read), err)
		}
		begun := body(compressed)
		begin := make([]byte, 10)
		if _, err := io.ReadFull(begun, begin); err != nil {
			t.Fatal(err)
		}
		written.Reset()
		if _, err := begun.WriteTo(&written); err != nil || !bytes.Equal(slices.Concat(begin, written.Bytes()), read) {
			t.Errorf("compressed %t: the rest is %d bytes, %v", compressed, written.Len(), err)
		}
		if compressed {
			unframed := make([]byte, len(block))
			_, err := io.ReadFull(compress.NewReader(bytes.NewReader(read)), unframed)
			if read = unframed; err != nil {
				t.Error(err)
			}
		}
		if !bytes.Equal(read, block) {
			t.Errorf("compressed %t: another block is read", compressed)
		}
	}
	ended := body(false)
	ended.stop()
	if n, err := ended.Read(make([]byte, 1)); n != 0 || !errors.Is(err, errStopped) {
		t.Errorf("after the end: %d bytes, %v", n, err)
	}
	if n, err := ended.WriteTo(io.Discard); n != 0 || !errors.Is(err, errStopped) {
		t.Errorf("after the end: %d bytes, %v", n, err)
	}
}

// A server that does not read the block does not hold up the end of its insert, whether it answers or
// not: this test would not end.
func TestInsertBody_unread(t *testing.T) {
	for name, answer := range map[string]string{
		"answer without a body": "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
		"answer with a body":    "HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nWhy",
		"no answer":             "",
	} {
		t.Run(name, func(t *testing.T) {
			var listen net.ListenConfig
			server, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			go func() {
				conn, err := server.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				_, err = io.ReadFull(conn, make([]byte, 64<<10)) // so that the block is on its way
				if err == nil {
					_, err = io.WriteString(conn, answer)
				}
				if err != nil || answer == "" {
					giveUp()
				}
				<-t.Context().Done() // which is the end of the test
			}()
			body := &insertBody{left: make([]byte, 64<<20)} // more than sockets hold
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+server.Addr().String(), body)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := new(http.Transport).RoundTrip(req); err == nil {
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					t.Error(err)
				}
				resp.Body.Close()
			}
			body.stop()
			if len(body.left) == 0 {
				t.Error("the block was read")
			}
		})
	}
}
