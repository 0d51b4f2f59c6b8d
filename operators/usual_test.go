package operators

import (
	"slices"
	"testing"
)

// What a day is compared with, by the history of days before it.
func TestUsual(t *testing.T) {
	const today = day(1000)
	repeated := func(n int64, ages ...day) (list []amount) {
		for _, age := range ages {
			list = append(list, amount{today - age, n})
		}
		slices.SortFunc(list, func(a, b amount) int { return int(a.day - b.day) })
		return list
	}
	weekly := repeated(100, 7, 14, 21, 28, 35)
	for name, c := range map[string]struct {
		earlier []amount
		first   day
		n, low  int64
		known   bool
		factor  int64 // of a booster from 0.5 to 1.5
	}{
		"a weekly habit":                    {weekly, today - 80, 100, 5, true, 500},
		"a little more than the habit":      {weekly, today - 80, 110, 5, true, 583},
		"three spreads above the habit":     {weekly, today - 80, 160, 5, true, 1000},
		"far above the habit":               {weekly, today - 80, 1000, 5, true, 1500},
		"less than the habit":               {weekly, today - 80, 10, 5, true, 500},
		"never done before":                 {nil, today - 80, 50, 5, true, 1500},
		"never done before, a trifle":       {nil, today - 80, 1, 5, true, 633},
		"nobody knows the person":           {nil, today - 3, 50, 5, false, 1000},
		"last week is no habit yet":         {repeated(100, 1, 2, 3, 4, 5), today - 80, 100, 5, true, 1500},
		"four times says nothing yet":       {repeated(100, 10, 20, 30, 40), today - 80, 100, 5, false, 1000},
		"a fortnight is no habit":           {repeated(100, 8, 9, 10, 11, 12), today - 10, 100, 5, false, 1000},
		"one wild day does not move it":     {append(repeated(5000, 40), weekly...), today - 80, 100, 5, true, 500},
		"counts vary by chance":             {repeated(2, 7, 8, 9, 10, 11, 14, 15, 16), today - 80, 4, 2, true, 692},
		"beyond sixty days it is forgotten": {repeated(100, 61, 68, 75, 82, 89), today - 89, 100, 5, true, 1500},
	} {
		t.Run(name, func(t *testing.T) {
			m := measure{days: append(slices.Clone(c.earlier), amount{today, c.n})}
			slices.SortFunc(m.days, func(a, b amount) int { return int(a.day - b.day) })
			u := m.usualOn(len(m.days)-1, c.first, c.low)
			b := Booster{Minimum: 500, Maximum: 1500}
			if got := b.factor(u, c.n); u.known != c.known || got != c.factor {
				t.Errorf("known %v, factor %d; want %v, %d (usual %+v)", u.known, got, c.known, c.factor, u)
			}
		})
	}
}

// What is remembered of habits is what would be computed anew, also after a late
// event.
func TestUsual_late(t *testing.T) {
	m := measure{}
	for d := day(900); d < 960; d += 3 {
		m.add(d, int64(d%7)+5)
	}
	for i := range m.days {
		m.usualOn(i, 800, 5)
	}
	m.add(930, 500)
	m.add(931, 7)
	fresh := measure{days: m.days}
	for i := range m.days {
		if got, want := m.usualOn(i, 800, 5), fresh.usualOn(i, 800, 5); got != want {
			t.Errorf("day %s: %+v, computed anew %+v", m.days[i].day, got, want)
		}
	}
}

// Policies share a measure, each with its own low threshold: none gets what was
// computed for another.
func TestUsual_shared(t *testing.T) {
	m := measure{}
	for d := day(900); d < 960; d += 3 {
		m.add(d, 2)
	}
	last := len(m.days) - 1
	coarse, fine := m.usualOn(last, 800, 1000), m.usualOn(last, 800, 4)
	fresh := measure{days: m.days}
	if want := fresh.usualOn(last, 800, 4); fine != want || coarse.spread <= fine.spread {
		t.Errorf("%+v after %+v was asked for, computed anew %+v", fine, coarse, want)
	}
}
