package embedded

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func background() context.Context { return context.Background() }

type answer struct {
	status int
	body   string
	header http.Header
}

// ask sends a query as curl would: values are name, value, name, value.
func ask(t testing.TB, body string, values ...string) answer {
	t.Helper()
	query := url.Values{}
	for i := 0; i < len(values); i += 2 {
		query.Set(values[i], values[i+1])
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+engineAddr+"/?"+query.Encode(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return do(t, req)
}

func do(t testing.TB, req *http.Request) answer {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, string(text), res.Header}
}

func must(t testing.TB, body string, values ...string) string {
	t.Helper()
	a := ask(t, body, values...)
	if a.status != http.StatusOK {
		t.Fatalf("%s: HTTP %d: %s", body, a.status, a.body)
	}
	return a.body
}

// database creates one for the test and drops it at the end.
func database(t testing.TB) string {
	t.Helper()
	name := strings.ToLower(strings.Map(func(r rune) rune {
		if isWord(byte(r)) {
			return r
		}
		return '_'
	}, t.Name()))
	must(t, "CREATE DATABASE "+name)
	t.Cleanup(func() {
		req, err := http.NewRequest(http.MethodPost, "http://"+engineAddr+"/", strings.NewReader("DROP DATABASE "+name+" SYNC"))
		if err != nil {
			t.Fatal(err)
		}
		if a := do(t, req); a.status != http.StatusOK {
			t.Errorf("dropping %s: %s", name, a.body)
		}
	})
	return name
}

// Probes and every common output format answer as a server's do.
func TestHTTP_formats(t *testing.T) {
	res, err := http.Get("http://" + engineAddr + "/ping")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("ping: %v %v", res, err)
	}
	res.Body.Close()
	for format, want := range map[string]string{
		"TabSeparated": "1\ta\n", "CSV": "1,\"a\"\n", "JSONEachRow": `{"n":1,"s":"a"}` + "\n", "CSVWithNames": "\"n\",\"s\"\n1,\"a\"\n",
		"JSONCompact": "", "Pretty": "", "Vertical": "", "Values": "(1,'a')", "RowBinary": "\x01\x01a", "Parquet": "", "XML": "", "Markdown": "",
	} {
		for _, how := range []string{"clause", "parameter"} {
			var a answer
			if how == "clause" {
				a = ask(t, "SELECT 1 AS n, 'a' AS s FORMAT "+format+";\n")
			} else {
				a = ask(t, "SELECT 1 AS n, 'a' AS s", "default_format", format)
			}
			if a.status != http.StatusOK || a.body == "" || want != "" && a.body != want {
				t.Errorf("%s by %s: HTTP %d %q, want %q", format, how, a.status, a.body, want)
			}
			if got := a.header.Get("X-ClickHouse-Format"); got != format {
				t.Errorf("X-ClickHouse-Format = %q, want %q", got, format)
			}
		}
	}
}

// An error has the status, the header and the text by which clients tell it apart.
func TestHTTP_errors(t *testing.T) {
	for _, c := range []struct {
		sql, code string
		status    int
		values    []string
	}{
		{"SELECT 1 FROM nowhere", "60", 404, nil},
		{"SELEC 1", "62", 400, nil},
		{"SELECT 1; SELECT 2", "62", 400, nil},
		{"", "62", 400, nil},
		{"SELECT nosuch", "47", 404, nil},
		{"SELECT 1", "81", 404, []string{"database", "nosuch"}},
		{"SELECT 1", "115", 404, []string{"nosuch_setting", "1"}},
		{"SELECT {x:UInt8}", "456", 400, nil},
		{"SELECT {x:UInt8}", "457", 400, []string{"param_x", "many"}},
		{"SELECT throwIf(1)", "395", 500, nil},
		{"SELECT sleep(3)", "159", 408, []string{"max_execution_time", "0.2", "function_sleep_max_microseconds_per_block", "9000000"}},
		{"SELECT 1", "48", 501, []string{"session_id", "a"}},
	} {
		a := ask(t, c.sql, c.values...)
		if a.status != c.status || a.header.Get("X-ClickHouse-Exception-Code") != c.code ||
			!strings.HasPrefix(a.body, "Code: "+c.code+". DB::Exception: ") {
			t.Errorf("%q: HTTP %d, code %s, want %d and %s: %s", c.sql, a.status, a.header.Get("X-ClickHouse-Exception-Code"), c.status, c.code, a.body)
		}
	}
}

// A GET cannot change anything, as on a server.
func TestHTTP_getIsReadOnly(t *testing.T) {
	db := database(t)
	get := func(sql string) answer {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+engineAddr+"/?database="+db+"&query="+url.QueryEscape(sql), nil)
		if err != nil {
			t.Fatal(err)
		}
		return do(t, req)
	}
	if a := get("SELECT currentDatabase()"); a.body != db+"\n" {
		t.Errorf("got %q", a.body)
	}
	if a := get("CREATE TABLE t (a Int8) ENGINE = Memory"); a.header.Get("X-ClickHouse-Exception-Code") != "164" {
		t.Errorf("a GET created a table: %d %s", a.status, a.body)
	}
}

// Data survives an INSERT whatever it contains: blank lines, quotes, semicolons,
// any of the ways to split statement and data between URL and body.
func TestHTTP_insert(t *testing.T) {
	db := database(t)
	must(t, "CREATE TABLE t (a Int32, s String) ENGINE = MergeTree ORDER BY a", "database", db)
	must(t, "INSERT INTO t VALUES (1, 'x\n\ny; SELECT \\'2\\''), (1+1, concat('p', 'q')) , (3, 'VALUES')", "database", db)
	must(t, "INSERT INTO t (s, a) FORMAT JSONEachRow\n{\"a\":4,\"s\":\"\\n\\n\"}\n\n\n{\"a\":5,\"s\":\"five\"}\n", "database", db)
	must(t, "header\n6,six\n7,seven\n", "database", db, "query", "INSERT INTO t FORMAT CSV", "input_format_csv_skip_first_lines", "1")
	must(t, "8\teight\n", "database", db, "query", "INSERT INTO t (a, s) SETTINGS max_insert_threads = 1 FORMAT TSV")
	must(t, "INSERT INTO t SELECT number + 9, 'FORMAT' FROM numbers(2)", "database", db)
	must(t, "INSERT INTO t VALUES ({n:Int32}, {s:String})", "database", db, "param_n", "11", "param_s", "it's")

	got := must(t, "SELECT groupArray((a, s)) FROM (SELECT * FROM t ORDER BY a) FORMAT TSVRaw", "database", db)
	want := `[(1,'x\n\ny; SELECT \'2\''),(2,'pq'),(3,'VALUES'),(4,'\n\n'),(5,'five'),(6,'six'),(7,'seven'),(8,'eight'),(9,'FORMAT'),(10,'FORMAT'),(11,'it\'s')]` + "\n"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	a := ask(t, "INSERT INTO t FORMAT CSV\n12,a\nnot a number,b\n", "database", db)
	if a.status != http.StatusBadRequest || !strings.HasPrefix(a.body, "Code: 27. DB::Exception: Cannot parse input") {
		t.Errorf("bad data: HTTP %d %s", a.status, a.body)
	}
	a = ask(t, "12\tx\n13\ty\n", "database", db, "query", "INSERT INTO t FORMAT TSV")
	if !strings.Contains(a.header.Get("X-ClickHouse-Summary"), `"written_rows":"2"`) {
		t.Errorf("summary: %s", a.header.Get("X-ClickHouse-Summary"))
	}
}

// A block sent twice with the same token is stored once: the sink's restart relies on it.
func TestHTTP_deduplicationToken(t *testing.T) {
	db := database(t)
	must(t, "CREATE TABLE t (a Int32) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100", "database", db)
	for _, token := range []string{"p0-1-9", "p0-1-9", "p0-10-19"} {
		must(t, "1\n2\n", "database", db, "query", "INSERT INTO t FORMAT TSV", "insert_deduplication_token", token)
	}
	if got := must(t, "SELECT count() FROM t", "database", db); got != "4\n" {
		t.Errorf("count = %s, want 4", got)
	}
}

// Requests do not see each other's parameters, settings, databases or temporary tables.
func TestHTTP_requestsAreSeparate(t *testing.T) {
	done := make(chan string)
	for i := range 64 {
		go func() {
			n := string(rune('a' + i%26))
			a := ask(t, "SELECT {x:String}, getSetting('max_block_size'), sleepEachRow(0.01)", "param_x", n, "max_block_size", "10")
			b := ask(t, "SELECT {x:String}")
			if !strings.HasPrefix(a.body, n+"\t10\t") || b.status != http.StatusBadRequest {
				done <- a.body + b.body
				return
			}
			done <- ""
		}()
	}
	for range 64 {
		if problem := <-done; problem != "" {
			t.Error(problem)
		}
	}
}

// HTTP's content encodings work in both directions.
func TestHTTP_contentEncoding(t *testing.T) {
	for _, encoding := range []string{"gzip", "deflate", "br", "zstd"} {
		var body bytes.Buffer
		w, finish, err := encodeBody(recorder{&body}, &request{encoding: encoding})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, "SELECT sum(number), 'x' FROM numbers(10) FORMAT CSV")
		finish()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+engineAddr+"/", &body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Encoding", encoding)
		req.Header.Set("Accept-Encoding", encoding)
		a := do(t, req)
		if a.header.Get("Content-Encoding") != encoding {
			t.Errorf("answered in %q, want %s", a.header.Get("Content-Encoding"), encoding)
		}
		plain, err := decodeBody(&http.Request{Header: a.header, Body: io.NopCloser(strings.NewReader(a.body))}, false)
		if err != nil {
			t.Fatalf("%s: %v: %q", encoding, err, a.body)
		}
		text, err := io.ReadAll(plain)
		if err != nil || string(text) != "45,\"x\"\n" {
			t.Errorf("%s: %q %v", encoding, text, err)
		}
	}
}

type recorder struct{ io.Writer }

func (recorder) Header() http.Header { return http.Header{} }
func (recorder) WriteHeader(int)     {}
