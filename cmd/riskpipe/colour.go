package main

import (
	"io"
	"os"
)

// palette paints on a terminal, unless NO_COLOR is set (no-color.org).
type palette bool

// The colours, as terminals number them.
const (
	red   = "31"
	green = "32"
	faint = "2"
	bold  = "1"
)

func paletteOf(w io.Writer) palette { return palette(isTerminal(w) && os.Getenv("NO_COLOR") == "") }

func (p palette) paint(colour, text string) string {
	if !p || text == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
