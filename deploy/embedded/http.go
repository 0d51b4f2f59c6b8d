package embedded

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime"
)

// handler answers ClickHouse's HTTP interface. Every request gets a session of its own,
// as with a server: nothing a request sets is seen by another one.
type handler struct {
	engine engineLib
	spool  string
	log    *slog.Logger
	// slots bounds how many queries run at once: each holds an OS thread and memory.
	slots chan struct{}
}

func newHandler(engine engineLib, spool string, log *slog.Logger) *handler {
	return &handler{engine: engine, spool: spool, log: log, slots: make(chan struct{}, max(8, 4*runtime.NumCPU()))}
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-ClickHouse-Server-Display-Name", "riskpipe-embedded")
	switch r.URL.Path {
	case "/ping", "/replicas_status":
		_, _ = io.WriteString(w, "Ok.\n")
		return
	case "/":
	default:
		http.Error(w, "There is no handle "+r.URL.Path+"; queries go to /", http.StatusNotFound)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut:
	default:
		http.Error(w, "Send queries with GET or POST", http.StatusMethodNotAllowed)
		return
	}
	if r.Method != http.MethodPost && r.Method != http.MethodPut && r.URL.RawQuery == "" {
		_, _ = io.WriteString(w, "Ok.\n")
		return
	}
	req, err := readRequest(r)
	if err == nil {
		select {
		case h.slots <- struct{}{}:
			defer func() { <-h.slots }()
			err = h.answer(w, req)
		case <-r.Context().Done():
			return
		}
	}
	if err != nil {
		h.log.Debug("query failed", "error", err)
		writeException(w, err)
	}
}

// answer runs one request. It returns an error only as long as nothing was written.
func (h *handler) answer(w http.ResponseWriter, req *request) error {
	session, err := h.engine.session()
	if err != nil {
		return err
	}
	defer session.close()
	if err := discard(session, req.prelude()); err != nil {
		return err
	}
	for _, table := range req.external {
		if err := h.createExternal(session, table); err != nil {
			return err
		}
	}
	st, body, err := req.statement()
	if err != nil {
		return err
	}
	sql := st.sql
	if st.dataAt >= 0 {
		file, err := h.spoolFile(io.MultiReader(stringReader(st.sql[st.dataAt:]), body))
		if err != nil {
			return err
		}
		defer os.Remove(file)
		sql = st.fromFile(file)
	}
	format := req.format
	if st.format != "" {
		format = st.format
	}
	result, err := session.query(sql, format, req.params)
	if err != nil {
		return err
	}
	defer result.free()
	return respond(w, req, format, result, func() []string { return columnTypes(session, st, req.params) })
}

// discard runs a statement whose output nobody reads.
func discard(session engineSession, sql string) error {
	if sql == "" {
		return nil
	}
	result, err := session.query(sql, "Null", nil)
	if err == nil {
		result.free()
	}
	return err
}

func (h *handler) createExternal(session engineSession, table externalTable) error {
	file, err := h.spoolFile(table.data)
	if err != nil {
		return err
	}
	defer os.Remove(file)
	if err := discard(session, "CREATE TEMPORARY TABLE "+quoteName(table.name)+" ("+table.structure+")"); err != nil {
		return err
	}
	return discard(session, "INSERT INTO "+quoteName(table.name)+" FROM INFILE "+quote(file)+" COMPRESSION 'none' FORMAT "+table.format)
}

// spoolFile keeps the data of an INSERT in a file, which is what the engine can read.
func (h *handler) spoolFile(data io.Reader) (string, error) {
	f, err := os.CreateTemp(h.spool, "insert-")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, data)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("keeping the data of the insert: %w", err)
	}
	return f.Name(), nil
}
