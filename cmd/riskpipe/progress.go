package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far long work is: a bar on a terminal, a plain line every
// few seconds elsewhere.
type progress struct {
	bar      *progressbar.ProgressBar
	w        io.Writer
	name     string
	unit     string
	n, total int64
	started  time.Time
	told     time.Time
	finished bool
}

const plainEvery = 5 * time.Second

func newProgress(w io.Writer, name, unit string, total int64) *progress {
	p := &progress{w: w, name: name, unit: unit, total: total, started: time.Now(), told: time.Now()}
	if isTerminal(w) {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(name),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
	}
	return p
}

func (p *progress) add(n int64) {
	p.n += n
	if p.bar != nil {
		_ = p.bar.Add64(n) // a bar that cannot be drawn is no reason to stop
		return
	}
	if (n > 1 || p.n%1024 == 0) && time.Since(p.told) > plainEvery {
		p.told = time.Now()
		fmt.Fprintf(p.w, "%s: %d of %d %s\n", p.name, p.n, p.total, p.unit)
	}
}

// set says how far the work is; it never goes back.
func (p *progress) set(n int64) {
	if n > p.n {
		p.add(n - p.n)
	}
}

func (p *progress) done() {
	if p.bar != nil && !p.finished {
		_ = p.bar.Finish()
	}
	p.finished = true
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// terminalWidth is the width of a terminal, 80 when it does not tell.
func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 80
}
