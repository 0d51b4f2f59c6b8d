package embedded

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A statement's text ends within this many bytes when data may follow it. A server's
// limit (max_query_size) is 256 KiB.
const maxHead = 4 << 20

// request is a query as the HTTP interface received it.
type request struct {
	query    string // of the URL or of the form; the body follows it
	body     io.Reader
	database string
	format   string // for results, unless the statement has a FORMAT clause
	readonly bool
	settings []param
	params   []param
	external []externalTable

	queryID  string
	revision int    // of the client's protocol
	frames   string // method of ClickHouse's own compression of the result, "" is none
	encoding string // HTTP content encoding of the result, "" is none
}

type externalTable struct {
	name, structure, format string
	data                    io.Reader
}

// Parameters that are part of the interface; all others are settings of the query.
var reserved = map[string]bool{
	"query": true, "database": true, "default_format": true, "client_protocol_version": true,
	"compress": true, "decompress": true, "user": true, "password": true, "role": true,
	"quota_key": true, "query_id": true, "stacktrace": true, "buffer_size": true,
	"wait_end_of_query": true, "session_id": true, "session_timeout": true,
	"session_check": true, "session_timezone_header": true, "close_session": true,
}

func readRequest(r *http.Request) (*request, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, newException(36, "BAD_ARGUMENTS", "the URL cannot be parsed: "+err.Error())
	}
	if values.Get("session_id") != "" {
		return nil, newException(48, "NOT_IMPLEMENTED", "the embedded engine keeps no HTTP sessions; put everything into one request")
	}
	req := &request{
		query:    values.Get("query"),
		database: first(values.Get("database"), r.Header.Get("X-ClickHouse-Database")),
		format:   first(values.Get("default_format"), r.Header.Get("X-ClickHouse-Format"), "TabSeparated"),
		readonly: r.Method == http.MethodGet || r.Method == http.MethodHead,
		queryID:  values.Get("query_id"),
	}
	req.revision, _ = strconv.Atoi(values.Get("client_protocol_version"))
	if isOn(values.Get("compress")) {
		req.frames = strings.ToUpper(first(values.Get("network_compression_method"), "LZ4"))
	}
	if enable := values.Get("enable_http_compression"); enable == "" || isOn(enable) {
		req.encoding = acceptedEncoding(r.Header.Get("Accept-Encoding"))
	}
	if req.body, err = decodeBody(r, isOn(values.Get("decompress"))); err != nil {
		return nil, err
	}
	if kind, attributes, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" {
		if err := req.readForm(multipart.NewReader(req.body, attributes["boundary"]), values); err != nil {
			return nil, err
		}
		req.body = strings.NewReader("")
	}
	for name := range values {
		value := values.Get(name)
		if p, ok := strings.CutPrefix(name, "param_"); ok {
			req.params = append(req.params, param{p, value})
		} else if !reserved[name] {
			req.settings = append(req.settings, param{name, value})
		}
	}
	// A map has no order; an error about two bad settings should always name the same.
	byName := func(a, b param) int { return strings.Compare(a.name, b.name) }
	slices.SortFunc(req.settings, byName)
	slices.SortFunc(req.params, byName)
	return req, nil
}

// readForm takes the query, parameters and external tables of a form. A table's format
// and structure stand in the URL, next to the settings, and are removed from there.
func (req *request) readForm(form *multipart.Reader, values url.Values) error {
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return newException(36, "BAD_ARGUMENTS", "the form cannot be read: "+err.Error())
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		name := part.FormName()
		switch {
		case name == "query":
			req.query += string(content)
		case part.FileName() == "" && !values.Has(name+"_structure"):
			values.Set(name, string(content))
		default:
			req.external = append(req.external, externalTable{
				name: name, structure: values.Get(name + "_structure"),
				format: first(values.Get(name+"_format"), "TabSeparated"), data: bytes.NewReader(content),
			})
			values.Del(name + "_structure")
			values.Del(name + "_format")
		}
	}
}

// prelude brings a new session to what the request expects of it. The first settings
// undo what the engine sets differently from a server.
func (req *request) prelude() string {
	var b strings.Builder
	b.WriteString("SET implicit_select = 0, allow_introspection_functions = 0;")
	for _, s := range req.settings {
		b.WriteString("SET " + quoteName(s.name) + " = " + quote(s.value) + ";")
	}
	if req.database != "" {
		b.WriteString("USE " + quoteName(req.database) + ";")
	}
	if req.readonly && len(req.external) == 0 {
		b.WriteString("SET readonly = 2;") // as a server does: a GET changes nothing
	}
	return b.String()
}

// statement takes the SQL off the request and leaves the data, if any, in the reader.
func (req *request) statement() (statement, io.Reader, error) {
	text := req.query
	if text != "" {
		if st, err := parseStatement(text); err != nil || st.dataAt >= 0 {
			return st, req.body, err
		}
		text += "\n" // a server joins them in this way
	}
	head, err := io.ReadAll(io.LimitReader(req.body, maxHead))
	if err != nil {
		return statement{}, nil, newException(1001, "STD_EXCEPTION", "the request cannot be read: "+err.Error())
	}
	st, err := parseStatement(text + string(head))
	if err == nil && st.dataAt < 0 && len(head) == maxHead {
		err = newException(62, "SYNTAX_ERROR", "Syntax error: the statement is longer than 4 MiB")
	}
	return st, req.body, err
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func isOn(value string) bool { return value == "1" || strings.EqualFold(value, "true") }
