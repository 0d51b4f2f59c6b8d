package operators

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// compiled is a policy ready to run.
type compiled struct {
	Policy
	key       uint32
	index     int
	hash      schemas.Hash
	digest    schemas.Digest
	uses      []use
	boosters  []Booster
	modifiers []modifier
	modified  bool
	triggers  []trigger
	opening   []opening
}

// use is an indicator as a policy uses it.
type use struct {
	*Indicator
	key        uint32
	kind       string
	lanes      []laneUse
	of         []uint32 // of cumulative
	critical   *critical
	steps      []uint32 // of sequences
	windowDays int
	boosted    bool
}

// maxLanes is how many lanes an indicator can have.
const maxLanes = 4

type laneUse struct {
	Lane
	name string
	key  uint32
}

// compiler builds an engine.
type compiler struct {
	engine   *Engine
	library  *Library
	when     *expressions
	counters map[uint32]int32 // by key
	sequence map[uint32]int32 // by key
	critical *critical        // made once, when a policy asks
	problems []error
}

// NewEngine compiles the policies of a library that are live. It reports every
// problem at once.
func NewEngine(library Library, options Options) (*Engine, error) {
	return newEngine(library, options, func(p *Policy) bool { return p.Mode == ModeLive })
}

func newEngine(library Library, options Options, runs func(*Policy) bool) (*Engine, error) {
	c := compiler{
		engine: &Engine{
			calendar: calendar{options.Location}, byActivity: map[string][]int32{},
			suppressions: library.Lists.Suppressions, levels: library.Lists.levels(),
		},
		library: &library, counters: map[uint32]int32{}, sequence: map[uint32]int32{},
	}
	e := c.engine
	var err error
	if c.when, err = newExpressions(); err != nil {
		return nil, err
	}
	sum := sha256.New()
	for i := range library.Policies {
		if p := &library.Policies[i]; runs(p) {
			c.policy(p)
		}
	}
	if len(e.policies) > maxPolicies {
		return nil, errTooManyPolicies
	}
	for i := range e.policies {
		_ = binary.Write(sum, binary.BigEndian, int64(e.policies[i].hash)) // a hash.Hash never fails
	}
	zone := "UTC"
	if options.Location != nil {
		zone = options.Location.String()
	}
	_ = binary.Write(sum, binary.BigEndian, int64(hashOf([]any{zone, library.Lists.Suppressions, e.levels})))
	e.hash = schemas.Hash(binary.BigEndian.Uint64(sum.Sum(nil)))
	return e, errors.Join(c.problems...)
}

func (c *compiler) fail(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf(format, args...))
}

// policy compiles one policy.
func (c *compiler) policy(p *Policy) {
	e := c.engine
	out := compiled{Policy: *p, key: keyOf(p.Name), index: len(e.policies), boosters: p.Boosters}
	for _, o := range p.Open.AnyOf {
		out.opening = append(out.opening, compileOpening(o))
	}
	exclusions := c.exclusions(p)
	logic := []any{p.Hash()}
	for _, wanted := range p.Indicators {
		ind := c.library.indicator(wanted.Use)
		if ind == nil {
			c.fail("policy %s uses indicator %s, which the catalogue does not have", p.Name, wanted.Use)
			continue
		}
		logic = append(logic, ind.logic())
		out.uses = append(out.uses, c.use(&out, wanted.apply(*ind), exclusions))
	}
	for _, m := range p.Modifiers {
		out.modifiers = append(out.modifiers, c.modifier(&out, m, exclusions))
		out.modified = true
	}
	for _, t := range p.Trigger.AnyOf {
		out.triggers = append(out.triggers, c.trigger(&out, t, exclusions))
	}
	// In the order of the files: the engine's own depends on the other policies.
	for _, x := range slices.Concat(c.library.Lists.Exclusions, p.Exclusions) {
		logic = append(logic, x.Select)
	}
	logic = append(logic, c.library.Lists.Lists, c.library.Lists.Macros)
	out.hash = hashOf(logic)
	out.digest = digestOf([]any{p.bare(), logic})
	e.policies = append(e.policies, out)
}

// renewal is the policy's bit if evidence of the indicator can open its alerts.
func (c *compiled) renewal(ind *Indicator) uint64 {
	if !slices.ContainsFunc(c.opening, func(o opening) bool { return slices.Contains(o.Categories, ind.Category) }) {
		return 0
	}
	return 1 << (c.index % maxPolicies)
}

// apply returns the indicator as the policy has it.
func (w Use) apply(ind Indicator) *Indicator {
	if w.Thresholds != nil {
		ind.Thresholds = *w.Thresholds
	}
	if w.Points != nil {
		ind.Points = *w.Points
	}
	if w.Lanes != nil {
		ind.Lanes = w.Lanes
	}
	if w.HalfLife != 0 {
		ind.HalfLife = w.HalfLife
	}
	if w.Limit != nil {
		ind.Limit = *w.Limit
	}
	return &ind
}

// use compiles an indicator for a policy.
func (c *compiler) use(p *compiled, ind *Indicator, exclusions []int32) use {
	u := use{Indicator: ind, kind: ind.Measure.Type, windowDays: int(ind.Window) / 24}
	u.boosted = ind.Habitual && len(p.boosters) > 0
	u.key = c.measure(ind, p, exclusions)
	u.critical = c.critical
	names := make([]string, 0, len(ind.Lanes))
	for name := range ind.Lanes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		u.lanes = append(u.lanes, laneUse{ind.Lanes[name], name, c.counter(ind, name, p, exclusions)})
	}
	for _, name := range ind.Measure.Of {
		if other := c.library.indicator(name); other != nil {
			u.of = append(u.of, c.measure(other, p, exclusions))
		}
	}
	for _, name := range slices.Concat(ind.Measure.Steps...) {
		if other := c.library.indicator(name); other != nil {
			u.steps = append(u.steps, c.measure(other, p, exclusions))
		}
	}
	return u
}

func (c *compiler) selection(what string, s Selection) []condition {
	conditions, problems := s.compile(c.library.Lists)
	for _, p := range problems {
		c.fail("%s: %s", what, p.text)
	}
	return conditions
}

func (c *compiler) modifier(p *compiled, m Modifier, exclusions []int32) modifier {
	out := modifier{Modifier: m}
	switch {
	case m.HR != nil:
		out.fact = factNamed(m.HR.Fact)
	case m.Indicator != nil:
		if ind := c.library.indicator(m.Indicator.Name); ind != nil {
			out.key = c.measure(ind, p, exclusions)
			out.level = ind.Thresholds.at(m.Indicator.Level)
		}
	}
	return out
}

// at returns the threshold of a level.
func (t Thresholds) at(level string) int64 {
	switch level {
	case "low":
		return int64(t.Low)
	case "medium":
		return int64(t.Medium)
	default:
		return int64(t.High)
	}
}
