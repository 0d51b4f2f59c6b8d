package operators

import (
	"fmt"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// TestResult is what came of one test of a policy or an indicator.
type TestResult struct {
	// Subject is the name of the policy or indicator.
	Subject string
	Test    string
	// Problems are what was expected and did not come; none when the test
	// passed.
	Problems []string
	// Alert is the last version of the last alert, nil when there was none.
	Alert *schemas.Alert
	// Score and Ledger are the standing at the end.
	Score  schemas.Points
	Ledger []schemas.Contribution
}

// RunTests runs the tests of all policies and indicators of the library, each by
// itself, through the engine that scores. An error is one of the library.
func (l Library) RunTests(options Options) ([]TestResult, error) {
	var results []TestResult
	for i := range l.Indicators {
		list, err := l.testIndicator(&l.Indicators[i], options)
		if err != nil {
			return nil, err
		}
		results = append(results, list...)
	}
	for i := range l.Policies {
		list, err := l.testPolicy(&l.Policies[i], options)
		if err != nil {
			return nil, err
		}
		results = append(results, list...)
	}
	return results, nil
}

// run folds the events of a test and returns the state and what came of it.
func (e *Engine) run(list []TestEvent, groups []string) (s *State, out Output, err error) {
	events, err := testEvents(list, groups)
	if err != nil {
		return nil, Output{}, err
	}
	s = &State{}
	for i := range events {
		e.Score(s, &events[i], &out)
	}
	return s, out, nil
}

func (l Library) testPolicy(p *Policy, options Options) (results []TestResult, err error) {
	if len(p.Tests) == 0 {
		return nil, nil
	}
	e, err := newEngine(l, options, func(o *Policy) bool { return o.Name == p.Name })
	if err != nil {
		return nil, fmt.Errorf("compiling policy %s: %w", p.Name, err)
	}
	for _, test := range p.Tests {
		result := TestResult{Subject: p.Name, Test: test.Name}
		s, out, err := e.run(test.Events, test.Groups)
		if err != nil {
			return nil, fmt.Errorf("policy %s: test %q: %w", p.Name, test.Name, err)
		}
		result.stand(e, s, &out)
		result.compare(&test.Expect, &out)
		results = append(results, result)
	}
	return results, nil
}

// stand notes where the person stands at the end.
func (r *TestResult) stand(e *Engine, s *State, out *Output) {
	var room scratch
	c := &e.policies[0]
	if g, in := c.triggered(s, &room); in {
		a := c.assess(s, g, &room)
		l := ledger{state: s, terms: c.terms(&a), halfScale: int64(c.HalfScale), room: &room}
		r.Score, r.Ledger = a.score, l.lines(a.score)
	}
	if n := len(out.Alerts); n > 0 {
		r.Alert = &out.Alerts[n-1]
		if r.Alert.Status == schemas.AlertOpen {
			r.Score, r.Ledger = r.Alert.Score, r.Alert.Contributions
		}
	}
}

func (r *TestResult) fail(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// compare notes where the outcome is not as expected.
func (r *TestResult) compare(want *Expectation, out *Output) {
	if want.Alert != nil && *want.Alert != (r.Alert != nil) {
		r.fail("alert is %v, want %v", r.Alert != nil, *want.Alert)
	}
	if between := want.Score; between != nil {
		if r.Score < schemas.Points(between.GTE) || between.LTE != nil && r.Score > schemas.Points(*between.LTE) {
			r.fail("score is %s, want %s", r.Score, between)
		}
	}
	for _, name := range want.Because {
		if !slices.ContainsFunc(r.Ledger, func(c schemas.Contribution) bool { return c.Name == name }) {
			r.fail("the ledger has no line %s", name)
		}
	}
	ids := map[schemas.UUID]bool{}
	for i := range out.Alerts {
		ids[out.Alerts[i].ID] = true
	}
	if want.Alerts != nil && len(ids) != *want.Alerts {
		r.fail("alerts are %d, want %d", len(ids), *want.Alerts)
	}
	text := func(what, got, want string) {
		if want != "" && got != want {
			r.fail("%s is %s, want %s", what, got, want)
		}
	}
	var last schemas.Alert
	if r.Alert != nil {
		last = *r.Alert
	}
	text("severity", string(last.Severity), want.Severity)
	text("status", string(last.Status), want.Status)
	text("hold", last.Hold, want.Hold)
	level := string(schemas.LevelNone)
	if n := len(out.Risks); n > 0 {
		level = string(out.Risks[n-1].Level)
	}
	text("level", level, want.Level)
}

func (b *Between) String() string {
	if b.LTE == nil {
		return b.GTE.String() + " or more"
	}
	return b.GTE.String() + " to " + b.LTE.String()
}

func (l Library) testIndicator(ind *Indicator, options Options) (results []TestResult, err error) {
	if len(ind.Tests) == 0 {
		return nil, nil
	}
	alone := Policy{
		Name: ind.Name, Mode: ModeLive, HalfScale: 50_000, Indicators: []Use{{Use: ind.Name}},
		Trigger: Trigger{AnyOf: []TriggerEvent{{Always: true}}, LookBack: historyDays},
	}
	l.Policies = []Policy{alone}
	e, err := NewEngine(l, options)
	if err != nil {
		return nil, fmt.Errorf("compiling indicator %s: %w", ind.Name, err)
	}
	for _, test := range ind.Tests {
		result := TestResult{Subject: ind.Name, Test: test.Kind + ": " + test.Name}
		s, out, err := e.run(test.Events, test.Groups)
		if err != nil {
			return nil, fmt.Errorf("indicator %s: test %q: %w", ind.Name, test.Name, err)
		}
		result.stand(e, s, &out)
		result.measured(e, s, &test)
		results = append(results, result)
	}
	return results, nil
}

// measured compares what the indicator measured on its last day.
func (r *TestResult) measured(e *Engine, s *State, want *IndicatorTest) {
	var room scratch
	c := &e.policies[0]
	u := &c.uses[0]
	var last amount
	if _, series := u.series(s, &room); len(series) > 0 {
		last = series[len(series)-1]
	}
	if last.n != want.Amount {
		r.fail("amount is %d, want %d", last.n, want.Amount)
	}
	if want.Points == nil {
		return
	}
	points := int64(0)
	for _, d := range c.gather(s, u, 0, &room) {
		if d.day == last.day {
			points = d.points
		}
	}
	if points != int64(*want.Points) {
		r.fail("points are %s, want %s", Thousandths(points), want.Points)
	}
}
