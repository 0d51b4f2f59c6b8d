//go:build linux && amd64 && !riskpipe_noengine

package embedded

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// chdb is libchdb's C interface, called without cgo. Handles are opaque pointers of C;
// they are kept as uintptr, which Go's garbage collector leaves alone.
type chdb struct {
	argv []string
	keep chdbSession // the engine unbinds its data folder when its last connection closes

	connect   func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn func(conn unsafe.Pointer)
	queryN    func(conn uintptr, sql *byte, sqlLen uintptr, format *byte, formatLen uintptr) uintptr
	queryP    func(conn uintptr, sql *byte, sqlLen uintptr, format *byte, formatLen uintptr,
		names **byte, nameLens *uintptr, values **byte, valueLens *uintptr, count uintptr) uintptr
	destroy func(result uintptr)

	buffer                   func(result uintptr) unsafe.Pointer
	length                   func(result uintptr) uintptr
	errText                  func(result uintptr) string
	elapsed                  func(result uintptr) float64
	resultRows               func(result uintptr) uint64
	readRows, readBytes      func(result uintptr) uint64
	writtenRows, writtenByte func(result uintptr) uint64
}

// openEngine loads the library and binds it to a data folder. A library cannot be
// unloaded again, so this happens once in a process.
func openEngine(library, data string) (engineLib, error) {
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", library, err)
	}
	c := &chdb{argv: []string{"clickhouse", "--path=" + data}}
	var setSignalHandlers func(enabled int32)
	for name, fn := range map[string]any{
		"chdb_set_signal_handlers_enabled": &setSignalHandlers,
		"chdb_connect":                     &c.connect,
		"chdb_close_conn":                  &c.closeConn,
		"chdb_query_n":                     &c.queryN,
		"chdb_query_with_params_n":         &c.queryP,
		"chdb_destroy_query_result":        &c.destroy,
		"chdb_result_buffer":               &c.buffer,
		"chdb_result_length":               &c.length,
		"chdb_result_error":                &c.errText,
		"chdb_result_elapsed":              &c.elapsed,
		"chdb_result_rows_read":            &c.resultRows,
		"chdb_result_storage_rows_read":    &c.readRows,
		"chdb_result_storage_bytes_read":   &c.readBytes,
		"chdb_result_rows_written":         &c.writtenRows,
		"chdb_result_bytes_written":        &c.writtenByte,
	} {
		// RegisterLibFunc panics on a missing symbol; another version of the library
		// deserves an error that names it.
		symbol, err := purego.Dlsym(handle, name)
		if err != nil {
			return nil, fmt.Errorf("loading %s: version %s is needed: %w", library, engineVersion, err)
		}
		purego.RegisterFunc(fn, symbol)
	}
	// The engine would install its own crash handlers over those of Go's runtime, which
	// needs SIGSEGV for nil checks and SIGURG for preemption.
	setSignalHandlers(0)

	keep, err := c.session()
	if err != nil {
		return nil, fmt.Errorf("opening the data folder %s: %w", data, err)
	}
	c.keep = *keep.(*chdbSession) //nolint:errcheck // what session returns
	return c, nil
}

func (c *chdb) close() { c.keep.close() }

func (c *chdb) session() (engineSession, error) {
	argv := make([]*byte, 0, len(c.argv)+1)
	for _, arg := range c.argv {
		argv = append(argv, &append([]byte(arg), 0)[0])
	}
	argv = append(argv, nil)
	conn := c.connect(int32(len(c.argv)), unsafe.Pointer(&argv[0]))
	runtime.KeepAlive(argv)
	if conn == nil {
		return nil, errors.New("the engine refused the connection (is the data folder in use by another process?)")
	}
	return &chdbSession{lib: c, conn: conn}, nil
}

type chdbSession struct {
	lib  *chdb
	conn unsafe.Pointer // chdb_connection *
}

func (s *chdbSession) close() {
	if s.conn != nil {
		s.lib.closeConn(s.conn)
		s.conn = nil
	}
}

func (s *chdbSession) query(sql, format string, params []param) (engineResult, error) {
	c, conn := s.lib, *(*uintptr)(s.conn)
	sqlBytes, formatBytes := []byte(sql+"\x00"), []byte(format+"\x00")
	sqlLen, formatLen := uintptr(len(sql)), uintptr(len(format))

	var result uintptr
	if len(params) == 0 {
		result = c.queryN(conn, &sqlBytes[0], sqlLen, &formatBytes[0], formatLen)
	} else {
		n := len(params)
		names, values := make([]*byte, n), make([]*byte, n)
		nameLens, valueLens := make([]uintptr, n), make([]uintptr, n)
		for i, p := range params {
			names[i], nameLens[i] = &append([]byte(p.name), 0)[0], uintptr(len(p.name))
			values[i], valueLens[i] = &append([]byte(p.value), 0)[0], uintptr(len(p.value))
		}
		result = c.queryP(conn, &sqlBytes[0], sqlLen, &formatBytes[0], formatLen,
			&names[0], &nameLens[0], &values[0], &valueLens[0], uintptr(n))
		runtime.KeepAlive(names)
		runtime.KeepAlive(values)
	}
	runtime.KeepAlive(sqlBytes)
	runtime.KeepAlive(formatBytes)

	if result == 0 {
		return engineResult{}, errors.New("the engine returned no result")
	}
	if text := c.errText(result); text != "" {
		c.destroy(result)
		return engineResult{}, parseException(text)
	}
	r := engineResult{
		stats: stats{
			resultRows: c.resultRows(result), seconds: c.elapsed(result),
			readRows: c.readRows(result), readBytes: c.readBytes(result),
			writtenRows: c.writtenRows(result), writtenByte: c.writtenByte(result),
		},
		free: func() { c.destroy(result) },
	}
	if n := c.length(result); n > 0 {
		r.data = unsafe.Slice((*byte)(c.buffer(result)), n)
	}
	return r, nil
}
