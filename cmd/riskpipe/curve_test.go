package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/riskpipe/riskpipe/operators"
)

// Curves of any shape are drawn as text that fits, and as well-formed XML.
func TestDrawnCurve(t *testing.T) {
	usual := operators.Curve{Before: 30, AtNotice: 1800, Maximum: 3000, LastWeek: 7, Hold: 30, Fade: 60, Notice: 30}
	flat := usual
	flat.AtNotice, flat.Maximum, flat.Hold = 1000, 1000, 0
	tests := []struct {
		name           string
		curve          operators.Curve
		resigned, last string
		want           []string
	}{
		{"no dates", usual, "", "", []string{"-30d begins", "+0d notice", "+23d maximum", "+30d last day", "+60d falls", "+120d ends", "3.0"}},
		{"both dates", usual, "2026-03-02", "2026-03-31", []string{"2026-03-24 maximum", "2026-03-31 last day"}},
		{"on the spot", usual, "2026-03-02", "2026-03-02", []string{"2026-03-02 notice", "2026-04-01 falls"}},
		{"a year's notice", usual, "2026-03-02", "2027-03-01", []string{"2027-02-22 maximum", "2027-03-01 last day"}},
		{"flat", flat, "2026-03-02", "", []string{"2026-04-01 last day", "1.0"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := newDrawnCurve("a < b & c", &test.curve, test.resigned, test.last)
			if err != nil {
				t.Fatal(err)
			}
			for _, width := range []int{60, 80, 200} {
				text := d.text(width)
				for line := range strings.Lines(text) {
					if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
						t.Errorf("width %d: a line has %d characters: %s", width, n, line)
					}
				}
				for _, want := range test.want {
					if !strings.Contains(text, want) {
						t.Errorf("width %d: %s is missing:\n%s", width, want, text)
					}
				}
			}
			picture, err := d.svg()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(picture, []byte("a &lt; b &amp; c")) {
				t.Error("the title is not escaped")
			}
			for decoder := xml.NewDecoder(bytes.NewReader(picture)); ; {
				if _, err := decoder.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%v in %s", err, picture)
				}
			}
		})
	}
}
