package operators

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// ledger explains a score: what the evidence scores by itself is shared among
// the indicators in proportion to their evidence; what boosters change is their
// line, negative when the evidence is usual for the person; what modifiers add
// is shared among them in proportion to what the score loses without each. The
// points sum to the score exactly.
type ledger struct {
	state     *State
	halfScale int64
	terms     []term
	room      *scratch
}

// term is the evidence of one indicator under one policy.
type term struct {
	policy   *compiled
	use      *use
	evidence evidence
	since    day
}

// terms returns the evidence of an assessment that is there.
func (c *compiled) terms(a *assessment) []term {
	var list []term
	for i := range c.uses {
		if a.evidence[i].base > 0 {
			list = append(list, term{c, &c.uses[i], a.evidence[i], a.ground.since})
		}
	}
	return list
}

// under returns the evidence of the term in units of the ledger's half scale,
// under all factors but one; withoutModifiers leaves all modifiers out.
func (l *ledger) under(t *term, skip without, modifiers bool) int64 {
	c := t.policy
	for i := range c.modifiers {
		l.room.resolved[i] = c.modifiers[i].resolve(l.state)
		if !modifiers {
			l.room.resolved[i].neutral = true
		}
	}
	list := c.gather(l.state, t.use, t.since, l.room)
	for i := range list {
		list[i].points = decayed(list[i].points, Days(l.state.today-list[i].day), t.use.HalfLife)
	}
	x := c.weigh(t.use, list, l.room, skip)
	if limit := int64(t.use.Limit); limit > 0 {
		if plain := c.weigh(t.use, list, l.room, withoutAny); plain > limit {
			x = limit * x / plain
		}
	}
	return l.scaled(c, x)
}

// scaled converts evidence of a policy to the ledger's half scale.
func (l *ledger) scaled(c *compiled, x int64) int64 {
	if k := int64(c.HalfScale); k != l.halfScale {
		return x * l.halfScale / k
	}
	return x
}

// lines returns the ledger of the score. Lines of nothing are left out.
func (l *ledger) lines(score schemas.Points) []schemas.Contribution {
	lines := []schemas.Contribution{}
	weights := make([]int64, len(l.terms))
	var base, boosted int64
	boosters := ""
	for i := range l.terms {
		t := &l.terms[i]
		weights[i] = l.scaled(t.policy, t.evidence.base)
		base += weights[i]
		if !t.use.boosted {
			boosted += weights[i]
			continue
		}
		boosted += l.under(t, withoutNothing, false)
		boosters = t.policy.boosterNames()
	}
	plain, raised := scored(base, l.halfScale), scored(boosted, l.halfScale)
	for i, points := range apportion(int64(plain), weights) {
		t := &l.terms[i]
		if points == 0 {
			continue
		}
		lines = append(lines, schemas.Contribution{
			Kind: t.use.contributionKind(), Name: t.use.Name, Points: schemas.Points(points), Detail: t.use.detail(&t.evidence),
		})
	}
	slices.SortStableFunc(lines, func(a, b schemas.Contribution) int { return cmp.Compare(b.Points, a.Points) })
	names := l.modifiers()
	if len(names) == 0 {
		raised = score // rounding has nowhere else to go
	}
	if raised != plain {
		lines = append(lines, schemas.Contribution{
			Kind: schemas.KindBooster, Name: boosters, Points: raised - plain, Detail: "how unusual the days are for this person's own history",
		})
	}
	weights = make([]int64, len(names))
	for i, m := range names {
		weights[i] = int64(score - l.without(m.Name))
	}
	for i, points := range apportion(int64(score-raised), weights) {
		if points != 0 {
			r := names[i].resolve(l.state)
			lines = append(lines, schemas.Contribution{
				Kind: schemas.KindModifier, Name: names[i].Name, Points: schemas.Points(points), Detail: r.detail(l.state),
			})
		}
	}
	return lines
}

// modifiers returns those of the terms' policies that apply to the person, each
// name once.
func (l *ledger) modifiers() []*modifier {
	var list []*modifier
	for i := range l.terms {
		c := l.terms[i].policy
		for j := range c.modifiers {
			m := &c.modifiers[j]
			same := func(o *modifier) bool { return o.Name == m.Name }
			if r := m.resolve(l.state); !r.neutral && !slices.ContainsFunc(list, same) {
				list = append(list, m)
			}
		}
	}
	return list
}

// without returns the score if the modifier did not apply.
func (l *ledger) without(name string) schemas.Points {
	var x int64
	for i := range l.terms {
		t := &l.terms[i]
		skip := without(slices.IndexFunc(t.policy.modifiers, func(m modifier) bool { return m.Name == name }))
		x += l.under(t, skip, true)
	}
	return scored(x, l.halfScale)
}

// counterfactuals tells what the score would be without each factor that has a
// part in it.
func (l *ledger) counterfactuals(score schemas.Points) []schemas.Counterfactual {
	list := []schemas.Counterfactual{}
	for _, m := range l.modifiers() {
		if without := l.without(m.Name); without != score {
			list = append(list, schemas.Counterfactual{Without: m.Name, Score: without})
		}
	}
	var total int64
	for i := range l.terms {
		total += l.scaled(l.terms[i].policy, l.terms[i].evidence.total)
	}
	for i := range l.terms {
		t := &l.terms[i]
		rest := total - l.scaled(t.policy, t.evidence.total)
		if without := scored(rest, l.halfScale); without != score {
			list = append(list, schemas.Counterfactual{Without: t.use.Name, Score: without})
		}
	}
	return list
}

func (c *compiled) boosterNames() string {
	names := make([]string, len(c.boosters))
	for i := range c.boosters {
		names[i] = c.boosters[i].Name
	}
	return strings.Join(names, "+")
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
	sign := int64(1)
	if total < 0 {
		sign, total = -1, -total
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
	for i := range parts {
		parts[i] *= sign
	}
	return parts
}

func (u *use) contributionKind() string {
	switch u.kind {
	case measureSequence:
		return schemas.KindSequence
	case measureCumulative:
		return schemas.KindCumulative
	default:
		return schemas.KindIndicator
	}
}

// detail says the numbers behind an indicator's line.
func (u *use) detail(e *evidence) string {
	if u.kind == measureCumulative {
		return "on more of the last " + strconv.Itoa(cumulativeDays) + " days than the person's own rate explains: a chance of 1 in " +
			strconv.FormatInt(falseAlarms[min(max(e.peak.n, 1), 3)-1], 10)
	}
	t := u.Thresholds
	if e.peak.lane != "" {
		t = u.lane(e.peak.lane).Thresholds
	}
	var room [256]byte
	b := u.Measure.appendAmount(room[:0], e.peak.n)
	if u.kind == measureSequence {
		b = append(b, " went through all steps"...)
	}
	if e.peak.lane != "" {
		b = append(append(append(b, " of "...), e.peak.lane...), " content"...)
	}
	b = append(e.peak.day.append(append(b, " on "...)), ", the most on a day (low from "...)
	b = append(u.Measure.appendAmount(b, int64(t.Low)), ", medium "...)
	b = append(u.Measure.appendAmount(b, int64(t.Medium)), ", high "...)
	b = append(u.Measure.appendAmount(b, int64(t.High)), "); on "...)
	b = append(strconv.AppendInt(b, int64(e.days), 10), " day"...)
	if e.days > 1 {
		b = append(b, 's')
	}
	b = strconv.AppendInt(append(b, " of the last "...), historyDays, 10)
	if u.boosted && e.peak.boost != 1000 {
		how := "; unusual for this person, counted "
		if e.peak.boost < 1000 {
			how = "; usual for this person, counted "
		}
		b = append(append(append(b, how...), schemas.Points(e.peak.boost).String()...), "-fold"...)
	}
	return string(b)
}

func (u *use) lane(name string) *laneUse {
	for i := range u.lanes {
		if u.lanes[i].name == name {
			return &u.lanes[i]
		}
	}
	return &laneUse{Lane: Lane{Thresholds: u.Thresholds}}
}

// appendAmount writes an amount of the measure with its unit.
func (m Measure) appendAmount(b []byte, n int64) []byte {
	if m.Type == measureSum && strings.HasSuffix(m.Field, "size") {
		return appendBytes(b, n)
	}
	return strconv.AppendInt(b, n, 10)
}

// appendBytes writes a number of bytes for people: 5.2 GiB.
func appendBytes(b []byte, n int64) []byte {
	for i := len(byteUnits) - 2; i >= 0; i-- {
		if unit := byteUnits[i]; n >= unit.factor {
			b = append(strconv.AppendInt(b, n/unit.factor, 10), '.')
			b = append(strconv.AppendInt(b, n%unit.factor*10/unit.factor, 10), ' ')
			return append(b, unit.suffix...)
		}
	}
	return append(strconv.AppendInt(b, n, 10), " B"...)
}
