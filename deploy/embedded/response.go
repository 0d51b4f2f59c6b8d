package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// respond writes a result. Types are asked for only if a column needs them.
func respond(w http.ResponseWriter, req *request, format string, result engineResult, types func() []string) error {
	header := w.Header()
	header.Set("X-ClickHouse-Format", format)
	header.Set("X-ClickHouse-Timezone", "UTC")
	if req.queryID != "" {
		header.Set("X-ClickHouse-Query-Id", req.queryID)
	}
	header.Set("X-ClickHouse-Summary", summary(result.stats))
	header.Set("Content-Type", contentType(format))

	write := func(w io.Writer) error { _, err := w.Write(result.data); return err }
	if strings.EqualFold(format, "Native") && req.revision >= revisionBlockInfo && len(result.data) > 0 {
		var known []string
		retype := func(i int, name string) string {
			if name != "DateTime" {
				return name
			}
			if known == nil {
				known = append(types(), "")
			}
			if i < len(known)-1 && strings.HasPrefix(known[i], "DateTime(") {
				return known[i]
			}
			return name
		}
		// Walked once without writing: a type that cannot be sent must be an error with
		// a status, not a broken stream.
		if err := rewriteNative(io.Discard, result.data, req.revision, retype); err != nil {
			return newException(48, "NOT_IMPLEMENTED", "sending the result in Native: "+err.Error())
		}
		write = func(w io.Writer) error { return rewriteNative(w, result.data, req.revision, retype) }
	}
	if len(result.data) == 0 && req.encoding == "" {
		return nil // a driver takes Content-Length 0 for "no blocks"
	}
	out, finish, err := encodeBody(w, req)
	if err != nil {
		return err
	}
	// From here on the status is sent; a failure means that the client is gone.
	if err := write(out); err == nil {
		_ = finish()
	}
	return nil
}

func summary(s stats) string {
	return fmt.Sprintf(`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d",`+
		`"total_rows_to_read":"0","result_rows":"%d","result_bytes":"0","elapsed_ns":"%d"}`,
		s.readRows, s.readBytes, s.writtenRows, s.writtenByte, s.resultRows, int64(s.seconds*1e9))
}

func writeException(w http.ResponseWriter, err error) {
	var e *exception
	if !errors.As(err, &e) {
		e = newException(1001, "STD_EXCEPTION", err.Error())
	}
	header := w.Header()
	header.Del("Content-Encoding")
	header.Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.code))
	header.Set("Content-Type", "text/plain; charset=UTF-8")
	w.WriteHeader(e.httpStatus())
	_, _ = io.WriteString(w, e.text+" (version "+engineVersion+" (embedded build))\n")
}

func contentType(format string) string {
	name := strings.ToLower(format)
	switch {
	case strings.HasPrefix(name, "jsoneachrow"), strings.HasSuffix(name, "eachrow"):
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(name, "json"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(name, "csv"):
		return "text/csv; charset=UTF-8; header=" + presence(name)
	case strings.HasPrefix(name, "tabseparated"), strings.HasPrefix(name, "tsv"):
		return "text/tab-separated-values; charset=UTF-8"
	case name == "xml":
		return "application/xml; charset=UTF-8"
	case name == "native", strings.HasPrefix(name, "rowbinary"), name == "parquet", name == "arrow", name == "orc":
		return "application/octet-stream"
	default:
		return "text/plain; charset=UTF-8"
	}
}

func presence(name string) string {
	if strings.Contains(name, "withnames") {
		return "present"
	}
	return "absent"
}

// columnTypes asks the engine for the types of a SELECT. An error leaves the types as
// they are: the result itself is right, only its time zones are not named.
func columnTypes(session engineSession, st statement, params []param) []string {
	if !st.selects {
		return nil
	}
	result, err := session.query("DESCRIBE TABLE ("+st.described+"\n) SETTINGS print_pretty_type_names = 0", "TSVRaw", params)
	if err != nil {
		return nil
	}
	defer result.free()
	var types []string
	for line := range bytes.Lines(result.data) {
		fields := strings.Split(string(line), "\t")
		if len(fields) < 2 {
			return nil
		}
		types = append(types, fields[1])
	}
	return types
}

func stringReader(s string) io.Reader { return strings.NewReader(s) }
