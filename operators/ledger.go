package operators

import (
	"fmt"

	"github.com/riskpipe/riskpipe/schemas"
)

// score maps evidence to 0..100000 thousandths: 100·x/(x+K). It is bounded,
// monotone, and 50 at x = K.
func (c *compiled) score(x int64) schemas.Points {
	return schemas.Points(100_000 * x / (x + int64(c.HalfScale)))
}

// assessment is a person's standing under one policy at the state's clock.
type assessment struct {
	evidence     []evidence
	base         int64          // evidence by itself
	total        int64          // with all modifiers
	exfiltration int64          // the part of base from exfiltration indicators
	score        schemas.Points // of total
}

func (c *compiled) assess(s *State, room *scratch) assessment {
	a := assessment{evidence: make([]evidence, len(c.indicators))}
	ways := len(c.Modifiers) + 1
	modified := make([]int64, len(c.indicators)*ways)
	for i := range c.indicators {
		e := &a.evidence[i]
		e.modified = modified[i*ways:][:ways:ways]
		c.evaluateIndicator(s, &c.indicators[i], e, room)
		a.base += e.base
		a.total += e.modified[len(c.Modifiers)]
		if c.indicators[i].Category == "exfiltration" {
			a.exfiltration += e.base
		}
	}
	a.score = c.score(a.total)
	return a
}

// without returns the score if modifier i did not apply.
func (c *compiled) without(a *assessment, i int) schemas.Points {
	var x int64
	for j := range a.evidence {
		x += a.evidence[j].modified[i]
	}
	return c.score(x)
}

// ledger explains the score: what the evidence scores by itself is shared among
// the indicators in proportion to their evidence, and what the modifiers add
// among the modifiers in proportion to what the score loses without each. The
// points sum to the score exactly. Lines of nothing are left out.
func (c *compiled) ledger(s *State, a *assessment) []schemas.Contribution {
	var lines []schemas.Contribution
	plain := c.score(a.base)
	weights := make([]int64, len(a.evidence))
	for i := range a.evidence {
		weights[i] = a.evidence[i].base
	}
	for i, points := range apportion(int64(plain), weights) {
		if a.evidence[i].base > 0 {
			lines = append(lines, schemas.Contribution{
				Kind: schemas.KindIndicator, Name: c.indicators[i].Name, Points: schemas.Points(points),
				Detail: c.indicators[i].detail(&a.evidence[i]),
			})
		}
	}
	weights = make([]int64, len(c.Modifiers))
	for i := range c.Modifiers {
		weights[i] = int64(a.score - c.without(a, i))
	}
	for i, points := range apportion(int64(a.score-plain), weights) {
		if points != 0 {
			lines = append(lines, schemas.Contribution{
				Kind: schemas.KindModifier, Name: c.Modifiers[i].Name, Points: schemas.Points(points),
				Detail: c.Modifiers[i].detail(s),
			})
		}
	}
	return lines
}

// counterfactuals tells what the score would be without each factor that has a
// part in it.
func (c *compiled) counterfactuals(a *assessment) []schemas.Counterfactual {
	list := []schemas.Counterfactual{}
	for i := range c.Modifiers {
		if score := c.without(a, i); score != a.score {
			list = append(list, schemas.Counterfactual{Without: c.Modifiers[i].Name, Score: score})
		}
	}
	for i := range a.evidence {
		if a.evidence[i].base > 0 {
			rest := a.total - a.evidence[i].modified[len(c.Modifiers)]
			list = append(list, schemas.Counterfactual{Without: c.indicators[i].Name, Score: c.score(rest)})
		}
	}
	return list
}

// apportion splits total into whole parts in proportion to the weights, by the
// largest remainder, the earlier one first among equals. The parts sum to total;
// where nothing has weight the first part is all of it.
func apportion(total int64, weights []int64) []int64 {
	parts := make([]int64, len(weights))
	var sum int64
	for _, w := range weights {
		sum += max(w, 0)
	}
	if sum == 0 {
		if len(parts) > 0 {
			parts[0] = total
		}
		return parts
	}
	left := total
	remainders := make([]int64, len(weights))
	for i, w := range weights {
		w = max(w, 0)
		parts[i] = total * w / sum
		remainders[i] = total * w % sum
		left -= parts[i]
	}
	for ; left > 0; left-- {
		best := 0
		for i := range remainders {
			if remainders[i] > remainders[best] {
				best = i
			}
		}
		parts[best]++
		remainders[best] = -1
	}
	return parts
}

// detail says the numbers behind an indicator's line.
func (ind *compiledIndicator) detail(e *evidence) string {
	t := ind.Thresholds
	peak := fmt.Sprintf("%d", e.peak.amount)
	if ind.Measure.Type == "value_sum" && ind.Measure.Field == "file.size" {
		peak = byteText(e.peak.amount)
	}
	days := "1 day"
	if e.days > 1 {
		days = fmt.Sprintf("%d days", e.days)
	}
	return fmt.Sprintf("%s on %s, the most on a day (low from %d, medium %d, high %d); on %s of the last %d",
		peak, e.peak.day, t.Low, t.Medium, t.High, days, historyDays)
}

func byteText(n int64) string {
	for i := len(byteUnits) - 2; i >= 0; i-- {
		if u := byteUnits[i]; n >= u.factor {
			return fmt.Sprintf("%d.%d %s", n/u.factor, n%u.factor*10/u.factor, u.suffix)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// detail says the numbers behind a modifier's line.
func (m *Modifier) detail(s *State) string {
	notice, last := s.leave.dates(m.Curve.Notice)
	return fmt.Sprintf("%s with notice on %s and last working day %s; evidence of %s counts %s-fold",
		s.leave.kind, dateText(s.leave.notice, notice), dateText(s.leave.lastSaid(), last),
		dayOf(s.clock), schemas.Points(m.Curve.at(dayOf(s.clock), s.leave)))
}

func dateText(said schemas.Time, reckoned day) string {
	if said == 0 {
		return reckoned.String() + " (reckoned)"
	}
	return reckoned.String()
}
