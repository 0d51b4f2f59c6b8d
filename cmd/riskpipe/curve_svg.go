package main

import (
	"bytes"
	_ "embed" // for the template
	"fmt"
	"text/template"
)

//go:embed templates/curve.svg.tmpl
var curveTemplate string

// curveImage is what the template draws, in pixels.
type curveImage struct {
	Title, Description       string
	Width, Height            int
	Left, Right, Top, Bottom int
	LabelX                   int
	Grid                     []curveLabel
	Marks                    []curveMark
	Points                   []curvePoint
}

type curvePoint struct {
	X, Y int
}

type curveLabel struct {
	Y    int
	Text string
}

type curveMark struct {
	X, Y, To  int
	Text, Day string
}

const (
	gridLines = 4
	// markGap is how near two labels may stand in one row.
	markGap = 84
	// markRow is how far rows of labels are apart.
	markRow = 34
)

// svg draws the curve for browsers, on white and on dark.
func (d drawnCurve) svg() ([]byte, error) {
	image := curveImage{
		Title: "Departure curve: " + d.name,
		Description: fmt.Sprintf("Evidence counts 1-fold until %s, %s-fold at the notice on %s, %s-fold from %s to %s, and 1-fold again from %s on.",
			d.dayText(-int(d.curve.Before)), d.curve.At(0, d.last), d.dayText(0), d.curve.Maximum, d.dayText(d.curve.Peak(d.last)),
			d.dayText(d.end()), d.dayText(d.end()+int(d.curve.Fade))),
		Width: 840, Left: 56, Right: 800, Top: 24, Bottom: 264, LabelX: 48,
	}
	from, to := d.span()
	x := func(day int) int { return image.Left + (day-from)*(image.Right-image.Left)/(to-from) }
	height := image.Bottom - image.Top
	y := func(thousandths int) int {
		return image.Bottom - (thousandths-1000)*height/max(int(d.curve.Maximum)-1000, 1)
	}
	for day := from; day <= to; day++ {
		image.Points = append(image.Points, curvePoint{x(day), y(int(d.curve.At(day, d.last)))})
	}
	for i := range gridLines + 1 {
		value := 1000 + (int(d.curve.Maximum)-1000)*i/gridLines
		image.Grid = append(image.Grid, curveLabel{image.Bottom - height*i/gridLines, fmt.Sprintf("%.1f", float64(value)/1000)})
	}
	var ends []int // of the labels of each row
	for _, m := range d.marks() {
		at, row := x(m.day), 0
		for row < len(ends) && at-ends[row] < markGap {
			row++
		}
		if row == len(ends) {
			ends = append(ends, 0)
		}
		ends[row] = at
		below := image.Bottom + 20 + row*markRow
		image.Marks = append(image.Marks, curveMark{at, below, below - 13, m.text, d.dayText(m.day)})
	}
	image.Height = image.Bottom + 24 + len(ends)*markRow
	parsed, err := template.New("curve").Parse(curveTemplate)
	if err != nil {
		return nil, fmt.Errorf("reading the template of the curve: %w", err)
	}
	var b bytes.Buffer
	if err := parsed.Execute(&b, image); err != nil {
		return nil, fmt.Errorf("drawing the curve: %w", err)
	}
	return b.Bytes(), nil
}
