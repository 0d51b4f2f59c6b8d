package main

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

const (
	curveRows  = 8
	mostDrawn  = 100
	axisWidth  = 8 // of the labels of the y axis
	stepsOfRow = 8 // block characters fill a row by eighths
)

var blocks = []rune(" ▁▂▃▄▅▆▇█")

// text draws the curve with block characters, in lines of at most width.
func (d drawnCurve) text(width int) string {
	columns := min(max(width-axisWidth, 40), mostDrawn)
	from, to := d.span()
	column := func(day int) int { return (day - from) * (columns - 1) / (to - from) }
	filled := make([]int, columns) // eighths of a row above 1
	top := int(d.curve.Maximum)
	for i := range filled {
		day := from + int(math.Round(float64(i)*float64(to-from)/float64(columns-1)))
		if top > 1000 {
			above := int(d.curve.At(day, d.last)) - 1000
			filled[i] = (above*curveRows*stepsOfRow + (top-1000)/2) / (top - 1000)
		}
	}
	var b strings.Builder
	for row := curveRows - 1; row >= 0; row-- {
		label := ""
		if row%2 == 1 { // what the upper edge of the row stands for
			label = fmt.Sprintf("%.1f", 1+float64(top-1000)/1000*float64(row+1)/curveRows)
		}
		line := make([]rune, columns)
		for i, n := range filled {
			line[i] = blocks[min(max(n-row*stepsOfRow, 0), stepsOfRow)]
		}
		fmt.Fprintf(&b, "%*s │%s\n", axisWidth-2, label, strings.TrimRight(string(line), " "))
	}
	axis := []rune(strings.Repeat("─", columns))
	for _, m := range d.marks() {
		axis[column(m.day)] = '┬'
	}
	fmt.Fprintf(&b, "%*s └%s\n", axisWidth-2, "1.0", string(axis))
	for _, line := range d.legend(columns, column) {
		fmt.Fprintf(&b, "%*s%s\n", axisWidth, "", strings.TrimRight(line, " "))
	}
	return b.String()
}

// legend puts the names of the marks below their columns, each in the first line
// in which there is room.
func (d drawnCurve) legend(columns int, column func(int) int) (lines []string) {
	var rows [][]rune
	for _, m := range d.marks() {
		text := []rune(fmt.Sprintf("%s %s", d.dayText(m.day), m.text))
		at := max(min(column(m.day), columns-len(text)), 0)
		put := false
		for _, row := range rows {
			if free(row, at-1, at+len(text)+1) {
				copy(row[at:], text)
				put = true
				break
			}
		}
		if !put {
			row := []rune(strings.Repeat(" ", max(columns, at+len(text))))
			copy(row[at:], text)
			rows = append(rows, row)
		}
	}
	for _, row := range rows {
		lines = append(lines, string(row))
	}
	return lines
}

func free(row []rune, from, to int) bool {
	for i := max(from, 0); i < min(to, len(row)); i++ {
		if row[i] != ' ' {
			return false
		}
	}
	return true
}

// wrapped breaks a text into lines of at most width, each behind the indent.
func wrapped(text, indent string, width int) string {
	var b strings.Builder
	used := 0
	for word := range strings.FieldsSeq(text) {
		switch n := utf8.RuneCountInString(word); {
		case used == 0:
			b.WriteString(indent + word)
			used = utf8.RuneCountInString(indent) + n
		case used+1+n > width:
			b.WriteString("\n" + indent + word)
			used = utf8.RuneCountInString(indent) + n
		default:
			b.WriteString(" " + word)
			used += 1 + n
		}
	}
	return b.String() + "\n"
}
