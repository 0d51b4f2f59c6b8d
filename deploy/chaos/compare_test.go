package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// ledger is facts by name. Two installations that did the same have the same.
type ledger map[string]string

// aspect is one thing that is compared: what must be, what is, and how a fact is
// told to people.
type aspect struct {
	name       string
	compared   string // in words: which bytes
	leftOut    string // what of it is not compared, and why
	want, got  ledger
	mayBeEmpty bool // that there is nothing to compare is no failure
	// mayDiffer says that differences are told and are no failure, since what
	// decides it was taken away.
	mayDiffer bool
	tell      func(string) string // nil when facts are text
}

// difference is one fact that is not as it must be.
type difference struct {
	aspect, fact, what string
}

func (d difference) String() string { return fmt.Sprintf("%s: %s: %s", d.aspect, d.fact, d.what) }

// differences returns every fact that differs, in the order of their names.
func (a *aspect) differences() []difference {
	names := maps.Clone(a.want)
	maps.Copy(names, a.got)
	var found []difference
	for _, name := range slices.Sorted(maps.Keys(names)) {
		want, wanted := a.want[name]
		got, present := a.got[name]
		switch {
		case wanted && !present:
			found = append(found, difference{a.name, name, "missing; it must be " + a.say(want)})
		case !wanted:
			found = append(found, difference{a.name, name, "must not be; it is " + a.say(got)})
		case want != got:
			found = append(found, difference{a.name, name, a.contrast(want, got)})
		}
	}
	return found
}

func (a *aspect) say(fact string) string {
	if a.tell != nil {
		fact = a.tell(fact)
	}
	return shortened(fact, 600)
}

// contrast shows two facts from where they begin to differ.
func (a *aspect) contrast(want, got string) string {
	told, toldGot := want, got
	if a.tell != nil {
		told, toldGot = a.tell(want), a.tell(got)
	}
	at := 0
	for at < len(told) && at < len(toldGot) && told[at] == toldGot[at] {
		at++
	}
	from := max(0, at-60)
	return fmt.Sprintf("from byte %d on it must be\n    …%s\nand is\n    …%s", at, shortened(told[from:], 300), shortened(toldGot[from:], 300))
}

func shortened(text string, most int) string {
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// planted plants one difference of each sort into what is there and returns how
// many the comparison does not find beside those there are. A comparison that finds nothing is worth as
// much as its power to find something.
func (a *aspect) planted(there int) (planted, missed int) {
	names := slices.Sorted(maps.Keys(a.got))
	if len(names) == 0 {
		return 0, 0
	}
	victim := names[len(names)/2]
	for _, plant := range []func(ledger){
		func(l ledger) { delete(l, victim) },
		func(l ledger) { l["planted"] = l[victim] },
		func(l ledger) { l[victim] = flipped(l[victim]) },
	} {
		bad := *a
		bad.got = maps.Clone(a.got)
		plant(bad.got)
		planted++
		if len(bad.differences()) != there+1 {
			missed++
		}
	}
	return planted, missed
}

// flipped is the text with one bit changed.
func flipped(text string) string {
	if text == "" {
		return "\x01"
	}
	b := []byte(text)
	b[len(b)/2] ^= 1
	return string(b)
}

// report prints what was compared and fails the test for every aspect that
// differs, with its first differences, and for every planted one that is missed.
func report(t *testing.T, aspects []*aspect) {
	t.Helper()
	rows := [][]string{{"compared", "facts", "differ", "planted", "found", "which bytes", "left out"}}
	for _, a := range aspects {
		found := a.differences()
		planted, missed := a.planted(len(found))
		rows = append(rows, []string{
			a.name, fmt.Sprint(len(a.want)), fmt.Sprint(len(found)), fmt.Sprint(planted), fmt.Sprint(planted - missed), a.compared, a.leftOut,
		})
		tell := t.Errorf
		if a.mayDiffer {
			tell = t.Logf
		}
		for i, d := range found {
			if i == 3 {
				tell("%s: and %d more", a.name, len(found)-i)
				break
			}
			tell("%s", d)
		}
		if missed > 0 {
			t.Errorf("%s: %d of %d planted differences are not found", a.name, missed, planted)
		}
		if len(a.want) == 0 && !a.mayBeEmpty {
			t.Errorf("%s: there is nothing to compare", a.name)
		}
	}
	t.Log("\n" + table(rows))
}

// table lays rows out in columns; the first row is the heading.
func table(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			line += fmt.Sprintf("%-*s  ", widths[i], cell)
		}
		b.WriteString("  " + strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// Every sort of difference is found and told where it lies, and none is found
// where there is none.
func TestAspect(t *testing.T) {
	a := aspect{name: "alerts", want: ledger{"a": "one", "b": "two", "c": "three"}, got: ledger{"a": "one", "b": "two", "c": "three"}}
	if found := a.differences(); len(found) != 0 {
		t.Errorf("equal ledgers differ: %v", found)
	}
	if planted, missed := a.planted(0); planted != 3 || missed != 0 {
		t.Errorf("%d of %d planted differences are missed", missed, planted)
	}
	a.got = ledger{"a": "one", "b": "twO", "d": "four"}
	want := []string{
		"alerts: b: from byte 2 on it must be\n    …two\nand is\n    …twO",
		"alerts: c: missing; it must be three",
		"alerts: d: must not be; it is four",
	}
	found := a.differences()
	if len(found) != len(want) {
		t.Fatalf("%d differences, want %d: %v", len(found), len(want), found)
	}
	for i := range want {
		if got := found[i].String(); got != want[i] {
			t.Errorf("difference %d is\n%s\nwant\n%s", i, got, want[i])
		}
	}
}
