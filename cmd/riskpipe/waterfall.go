package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/riskpipe/riskpipe/schemas"
)

// waterfall draws a ledger: each line begins where the one before it ends, and
// the last one is the score.
type waterfall struct {
	lines []schemas.Contribution
	score schemas.Points
	// width is how many characters there are for a line.
	width   int
	palette palette
}

const (
	leastBar  = 10
	mostBar   = 60
	pointsGap = 9
)

func (w waterfall) String() string {
	names := len("score")
	for _, line := range w.lines {
		names = max(names, utf8.RuneCountInString(line.Name))
	}
	room := min(max(w.width-names-pointsGap-6, leastBar), mostBar)
	// The scale ends at the highest point that the sum reaches on its way.
	top, sum := max(w.score, 1), schemas.Points(0)
	for _, line := range w.lines {
		sum += line.Points
		top = max(top, sum)
	}
	var b strings.Builder
	row := func(name, points, colour string, from, to schemas.Points) {
		start := int(int64(from) * int64(room) / int64(top))
		end := int(int64(to) * int64(room) / int64(top))
		bar := strings.Repeat(" ", start) + w.palette.paint(colour, strings.Repeat("█", max(end-start, 1)))
		fmt.Fprintf(&b, "  %-*s %*s  %s\n", names, name, pointsGap, points, bar)
	}
	sum = 0
	for _, line := range w.lines {
		from, to, colour := sum, sum+line.Points, faint
		sign := "+"
		switch {
		case line.Points < 0:
			from, to, colour, sign = to, from, green, ""
		case line.Kind == schemas.KindModifier:
			colour = red
		}
		row(line.Name, sign+line.Points.String(), colour, from, to)
		sum += line.Points
	}
	row("score", w.score.String(), bold, 0, w.score)
	return b.String()
}
