package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/riskpipe/riskpipe/schemas"
)

// Each line of a ledger begins where the one before it ends; what lowers the
// score goes back.
func TestWaterfall(t *testing.T) {
	w := waterfall{
		lines: []schemas.Contribution{
			{Kind: schemas.KindIndicator, Name: "copy", Points: 40_000},
			{Kind: schemas.KindIndicator, Name: "print", Points: 10_000},
			{Kind: schemas.KindBooster, Name: "unusual", Points: -20_000},
			{Kind: schemas.KindModifier, Name: "resignation", Points: 20_000},
		},
		score: 50_000, width: 36,
	}
	want := strings.Join([]string{
		"  copy              +40  ████████",
		"  print             +10          ██",
		"  unusual           -20        ████",
		"  resignation       +20        ████",
		"  score              50  ██████████",
		"",
	}, "\n")
	if diff := cmp.Diff(want, w.String()); diff != "" {
		t.Error(diff)
	}
	w.palette = true
	if text := w.String(); !strings.Contains(text, "\x1b[32m████\x1b[0m") || !strings.Contains(text, "\x1b[31m████\x1b[0m") {
		t.Errorf("the colours are missing: %q", text)
	}
}

// Only a terminal is painted.
func TestPalette(t *testing.T) {
	if paletteOf(&strings.Builder{}).paint(red, "text") != "text" {
		t.Error("what is no terminal was painted")
	}
}
