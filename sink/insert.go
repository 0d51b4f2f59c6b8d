package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	driver "github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// insert writes the rows as one block. ClickHouse leaves out a block whose token it has seen.
// Rows of many months make many parts, which is slow and yet better than refusing a replay.
func (c *columns[V]) insert(ctx context.Context, conn Conn, table, token string) error {
	settings := clickhouse.Settings{
		"async_insert":                             0,
		"insert_deduplicate":                       1,
		"insert_deduplication_token":               token,
		"throw_on_max_partitions_per_insert_block": 0,
		// Or else every block is merged with itself, which costs as much as all the rest, to find copies
		// that merges and FINAL find anyway.
		"optimize_on_insert": 0,
	}
	query := "INSERT INTO " + table + " (" + c.names + ")"
	var err error
	if s, ok := conn.(*httpConn); ok {
		err = s.insertNative(ctx, settings, query, c.native())
	} else {
		err = c.insertBatch(clickhouse.Context(ctx, clickhouse.WithSettings(settings), clickhouse.WithColumnNamesAndTypes(c.types)), conn, query)
	}
	if err != nil {
		return fmt.Errorf("inserting into %s: %w", table, err)
	}
	return nil
}

// insertBatch hands the columns to the driver, which knows the native protocol.
func (c *columns[V]) insertBatch(ctx context.Context, conn Conn, query string) error {
	batch, err := conn.PrepareBatch(ctx, query)
	if err != nil {
		return err
	}
	defer batch.Close()
	c.complete()
	for i, into := range batch.Columns() {
		col := c.list[i]
		if got := string(into.Type()); got != col.kind {
			return fatalError{fmt.Errorf("column %s is %s, and %s is sent; run `riskpipe migrate`", col.name, got, col.kind)}
		}
		c.wire = col.cells.appendTo(c.wire[:0])
		from := proto.NewReader(bytes.NewReader(c.wire))
		if prefixed, ok := into.(driver.CustomSerialization); ok {
			err = prefixed.ReadStatePrefix(from)
		}
		if err == nil {
			err = into.Decode(from, c.rows)
		}
		if err != nil {
			return fmt.Errorf("filling column %s: %w", col.name, err)
		}
	}
	return batch.Send()
}

// httpConn is a pool of connections over HTTP, where a block can be sent as it is.
type httpConn struct {
	Conn
	compressors *sync.Pool // of *compress.Writer; nil sends without compression
}

func newHTTPConn(conn Conn, compression clickhouse.CompressionMethod) *httpConn {
	c := &httpConn{Conn: conn}
	if compression != clickhouse.CompressionNone {
		c.compressors = &sync.Pool{New: func() any { return compress.NewWriter(compress.LevelZero, compress.Method(compression)) }}
	}
	return c
}

// insertNative runs an INSERT over a block of ClickHouse's Native format, and is done with the block
// when it returns.
func (c *httpConn) insertNative(ctx context.Context, settings clickhouse.Settings, query string, block []byte) error {
	body := &insertBody{left: block}
	if c.compressors != nil {
		body.compressor = c.compressors.Get().(*compress.Writer) //nolint:errcheck // the pool holds nothing else
		defer c.compressors.Put(body.compressor)
	}
	defer body.stop()
	return c.InsertFormat(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), "Native", query, body)
}

// framed is a transport that tells ClickHouse of a compressed block. A setting of the query would
// not do: the driver sends it along with queries of its own.
type framed struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (f framed) RoundTrip(req *http.Request) (*http.Response, error) {
	if body, ok := req.Body.(*insertBody); ok && body.compressor != nil {
		req = req.Clone(req.Context())
		query := req.URL.Query()
		query.Set("decompress", "1")
		req.URL.RawQuery = query.Encode()
	}
	return f.RoundTripper.RoundTrip(req)
}

// insertBody is a block on its way. It is cut and compressed while it is read, or written whole by
// HTTP, which would copy what it reads to write it.
type insertBody struct {
	mu         sync.Mutex
	left       []byte           // to be cut
	frame      []byte           // to be read
	compressor *compress.Writer // nil for none
	stopped    bool
}

// frameBytes is what ClickHouse cuts its own frames to.
const frameBytes = 1 << 20

var errStopped = errors.New("the insert has ended")

func (b *insertBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.fill(); err != nil {
		return 0, err
	}
	n := copy(p, b.frame)
	b.frame = b.frame[n:]
	return n, nil
}

// WriteTo implements io.WriterTo, for the transport. A write lasts no longer than the insert: when that
// has ended, in whichever way, with bytes left to be sent, the transport closes the connection.
func (b *insertBody) WriteTo(w io.Writer) (written int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for err = b.fill(); err == nil; err = b.fill() {
		n, failed := w.Write(b.frame)
		b.frame = b.frame[n:]
		written += int64(n)
		if failed != nil {
			return written, failed
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return written, err
}

// fill cuts the next frame off if nothing is left of the one before. It returns io.EOF at the end.
func (b *insertBody) fill() error {
	switch {
	case b.stopped:
		return errStopped
	case len(b.frame) > 0:
		return nil
	case len(b.left) == 0:
		return io.EOF
	}
	n := min(len(b.left), frameBytes)
	b.frame, b.left = b.left[:n], b.left[n:]
	if b.compressor != nil {
		if err := b.compressor.Compress(b.frame); err != nil {
			return fmt.Errorf("compressing a block: %w", err)
		}
		b.frame = b.compressor.Data
	}
	return nil
}

// Close implements io.Closer, which lets the transport know the body.
func (b *insertBody) Close() error {
	b.stop()
	return nil
}

// stop returns when the block is read no more. HTTP reads on after an early answer, and must not
// find the rows of the next block then.
func (b *insertBody) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
}
