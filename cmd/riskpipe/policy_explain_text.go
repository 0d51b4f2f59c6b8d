package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/riskpipe/riskpipe/operators"
	"github.com/riskpipe/riskpipe/schemas"
)

// explained prints a policy in words.
type explained struct {
	operators.Explanation
	example *operators.TestResult
	curve   *drawnCurve
	out     io.Writer
	width   int
	palette palette
	b       strings.Builder
}

// widestText is how long a line of prose may be on a wide terminal.
const widestText = 110

func newExplained(out io.Writer, e operators.Explanation, example *operators.TestResult, curve *drawnCurve) *explained {
	return &explained{Explanation: e, example: example, curve: curve, out: out, width: min(terminalWidth(out), widestText), palette: paletteOf(out)}
}

func (e *explained) write() error {
	fmt.Fprintf(&e.b, "%s\n%s, version %d, %s\n\n", e.palette.paint(bold, e.Title), e.Name, e.Version, modeText(e.Mode))
	e.b.WriteString(wrapped(e.Description, "", e.width))
	e.section("Whom it is for")
	e.item(e.Scope)
	e.section("What brings them in")
	for _, trigger := range e.Triggers {
		e.item(trigger)
	}
	e.b.WriteString(wrapped(e.Activation, "  ", e.width))
	e.indicators()
	e.score()
	if e.curve != nil {
		e.section("Departure curve: how many times evidence of a day counts")
		e.b.WriteString(e.curve.text(e.width))
	}
	e.section("When an alert opens")
	for _, condition := range e.Opens {
		e.item(condition)
	}
	e.b.WriteString(wrapped("Severity: "+e.Severity+".", "  ", e.width))
	e.section("How long an alert lives")
	for _, line := range e.Life {
		e.item(line)
	}
	if len(e.Exclusions) > 0 {
		e.section("What does not count")
		e.named(e.Exclusions)
	}
	if len(e.FalsePositives) > 0 {
		e.section("Known good reasons for an alert")
		for _, reason := range e.FalsePositives {
			e.item(reason)
		}
	}
	if e.Runbook != "" {
		e.section("What to do about an alert")
		for line := range strings.Lines(strings.TrimSpace(e.Runbook)) {
			e.b.WriteString("  " + strings.TrimRight(line, "\n") + "\n")
		}
	}
	if len(e.Tags) > 0 {
		e.section("MITRE ATT&CK")
		e.b.WriteString(wrapped(strings.Join(e.Tags, " "), "  ", e.width))
	}
	if _, err := io.WriteString(e.out, e.b.String()); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

func modeText(mode string) string {
	switch mode {
	case operators.ModeShadow:
		return "shadow: it is run and explained, and opens no alert"
	case operators.ModeOff:
		return "off: it is not run"
	default:
		return mode
	}
}

func (e *explained) section(title string) {
	fmt.Fprintf(&e.b, "\n%s\n", e.palette.paint(bold, title))
}

// item writes a line of a list.
func (e *explained) item(text string) {
	e.b.WriteString("  - " + strings.TrimPrefix(wrapped(text, "    ", e.width), "    "))
}

func (e *explained) named(list []operators.Named) {
	for _, one := range list {
		e.item(one.Name + ": " + one.Text)
	}
}

// indicators writes what counts, by category.
func (e *explained) indicators() {
	e.section("What counts (amount → points of evidence; linear in between, no more beyond)")
	category := ""
	for _, ind := range e.Indicators {
		if ind.Category != category {
			category = ind.Category
			fmt.Fprintf(&e.b, "  %s\n", category)
		}
		scales := []string{ind.Scale}
		for _, lane := range ind.Lanes {
			scales = append(scales, lane.Name+": "+lane.Text)
		}
		text := fmt.Sprintf("%s: %s: %s. %s.", ind.Name, ind.Counts, strings.Join(scales, "; "), upperFirst(ind.Fades))
		if ind.Changed {
			text += " (this policy's own numbers)"
		}
		e.b.WriteString("    - " + strings.TrimPrefix(wrapped(text, "      ", e.width), "      "))
	}
}

func upperFirst(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// score writes how the score is made.
func (e *explained) score() {
	e.section("How the score is made")
	e.b.WriteString(wrapped("The points of all days of an indicator are added up, the strongest day in full and the i-th strongest i^-1.5; those of all indicators give the evidence x.", "  ", e.width))
	fmt.Fprintf(&e.b, "  score = 100·x / (x + %s)\n", e.HalfScale)
	var parts []string
	for _, share := range []operators.Thousandths{4, 2, 1} {
		x := e.HalfScale / share
		parts = append(parts, fmt.Sprintf("x = %s scores %s", x, tenths(e.ScoreOf(x))))
	}
	x := 3 * e.HalfScale
	parts = append(parts, fmt.Sprintf("x = %s scores %s", x, tenths(e.ScoreOf(x))))
	e.b.WriteString(wrapped(strings.Join(parts, ", ")+".", "  ", e.width))
	if len(e.Boosters)+len(e.Modifiers) > 0 {
		e.b.WriteString("  Evidence of a day is multiplied by:\n")
		e.named(e.Boosters)
		e.named(e.Modifiers)
	}
	if e.example != nil {
		fmt.Fprintf(&e.b, "  Example, %s:\n", e.example.Test)
		e.b.WriteString(waterfall{lines: e.example.Ledger, score: e.example.Score, width: e.width, palette: e.palette}.String())
	}
}

// tenths writes points with one decimal.
func tenths(p schemas.Points) string { return (p / 100 * 100).String() }

// printIndicator says an indicator of the catalogue in words.
func printIndicator(out io.Writer, ind operators.ExplainedIndicator, policies []string) error {
	width, p := min(terminalWidth(out), widestText), paletteOf(out)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s, %s\n\n%s\n", p.paint(bold, ind.Title), ind.Name, ind.Category, wrapped(ind.Meaning, "", width))
	line := func(name, text string) {
		b.WriteString(wrapped(name+": "+text, "  ", width))
	}
	line("counts", ind.Counts)
	line("amount → points", ind.Scale)
	for _, lane := range ind.Lanes {
		line(lane.Name, lane.Text)
	}
	line("evidence", ind.Fades)
	line("Microsoft Purview", orDash(ind.Purview))
	line("used by", orDash(strings.Join(policies, ", ")))
	if _, err := io.WriteString(out, b.String()); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
