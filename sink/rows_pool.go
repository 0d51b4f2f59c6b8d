package sink

// rowsPool keeps the rows of one topic that are not in use. Unlike a sync.Pool it keeps them through
// garbage collections, since their memory is large and as large again for the next block.
type rowsPool struct {
	free  chan rows
	fresh func() rows
}

// newRowsPool returns a pool of as many rows as are used at once.
func newRowsPool(size int, fresh func() rows) *rowsPool {
	return &rowsPool{free: make(chan rows, size), fresh: fresh}
}

func (p *rowsPool) get() rows {
	select {
	case r := <-p.free:
		return r
	default:
		return p.fresh()
	}
}

func (p *rowsPool) put(r rows) {
	r.reset()
	select {
	case p.free <- r:
	default: // enough are kept
	}
}
