package embedded

// engineLib is the loaded engine. One process holds one, bound to one data folder.
// Sessions must be safe to open and to use from several goroutines at a time: the
// engine runs queries of different sessions in parallel.
type engineLib interface {
	session() (engineSession, error)
	close()
}

// engineSession is a connection with its own database, settings and temporary tables.
// It must be used by one goroutine at a time: the engine serialises it anyway.
type engineSession interface {
	// query runs one statement. params fill {name:Type} placeholders and are taken in
	// ClickHouse's escaped text form, as the HTTP interface takes them.
	query(sql, format string, params []param) (engineResult, error)
	close()
}

type param struct{ name, value string }

// engineResult is a formatted result. data lies in the engine's memory: it must not be
// used after free, and free must be called exactly once.
type engineResult struct {
	data  []byte
	stats stats
	free  func()
}

type stats struct {
	resultRows               uint64
	readRows, readBytes      uint64
	writtenRows, writtenByte uint64
	seconds                  float64
}
