// Package tenant invents an organisation at work: the records that its sign-in,
// mail, file, Defender and HR systems would publish, in their upstream shapes,
// with labels that say who among its people does harm, by policy template, and who
// only looks as if. It is for the demo, the bench and the tests.
//
// Nobody in it exists. Addresses are from the ranges for documentation (RFC
// 5737, RFC 3849), the organisation's and its partners' domains from the top
// level domain for examples (RFC 2606).
package tenant

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// Options say what to invent. The zero Options are a tenant of 300 people over
// six weeks.
type Options struct {
	// Seed decides everything that is left to chance: the same options give the
	// same bytes.
	Seed uint64
	// Users is the number of accounts, MinUsers at least; 0 for 300. Fewer than
	// 100 have the stories of leavers alone, more have those of every policy
	// template.
	Users int
	// Start is the first day; its time of day, in UTC, is cut off. Zero for
	// Monday, 2 March 2026.
	Start time.Time
	// Days is how long it lasts; 0 for 42. Stories are fitted into fewer days,
	// but need about 28 for their full length.
	Days int
	// Domain is the organisation's mail domain, "contoso.example" when empty.
	Domain string
	// Density scales everyday work and leaves the stories as they are: 1, or 0,
	// gives some 25 upstream records per person and working day.
	Density float64
}

// MinUsers is how many accounts the cast of the stories and their colleagues
// take.
const MinUsers = 12

// maxUsers keeps employee ids at seven characters.
const maxUsers = 900_000

// Record is one Kafka record of an upstream topic.
type Record struct {
	// Source is the feed whose raw topic it belongs to.
	Source schemas.Source
	// Time is when upstream published it: the Kafka record's time. What it tells
	// of happened earlier, by minutes to weeks.
	Time schemas.Time
	// Value is the payload as published: JSON, or CSV for HR.
	Value []byte
}

// Tenant is an invented organisation.
type Tenant struct {
	options Options
	start   schemas.Time // midnight of the first day
	id      guid
	name    string // first label of the domain
	host    string // of SharePoint
	people  []person
}

// New invents the organisation's people. It reports every problem of the
// options at once.
func New(o Options) (*Tenant, error) {
	if o.Users == 0 {
		o.Users = 300
	}
	if o.Days == 0 {
		o.Days = 42
	}
	if o.Start.IsZero() {
		o.Start = time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)
	}
	if o.Domain == "" {
		o.Domain = "contoso.example"
	}
	if o.Density == 0 {
		o.Density = 1
	}
	o.Domain = strings.ToLower(o.Domain)
	var problems []error
	if o.Users < MinUsers || o.Users > maxUsers {
		problems = append(problems, fmt.Errorf("users is %d: want %d to %d", o.Users, MinUsers, maxUsers))
	}
	if o.Days < 1 || o.Days > 3660 {
		problems = append(problems, fmt.Errorf("days is %d: want 1 to 3660", o.Days))
	}
	if !(o.Density > 0 && o.Density <= 100) {
		problems = append(problems, fmt.Errorf("density is %v: want more than 0 and at most 100", o.Density))
	}
	if year := o.Start.UTC().Year(); year < 2000 || year > 2200 {
		problems = append(problems, fmt.Errorf("start is in the year %d: want 2000 to 2200", year))
	}
	if name, rest, _ := strings.Cut(o.Domain, "."); name == "" || rest == "" || strings.Trim(o.Domain, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" {
		problems = append(problems, fmt.Errorf("domain is %q: want a mail domain such as contoso.example", o.Domain))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("inventing a tenant: %w", err)
	}
	t := &Tenant{options: o, start: schemas.TimeOf(o.Start.UTC().Truncate(24 * time.Hour))}
	t.name, _, _ = strings.Cut(o.Domain, ".")
	t.host = t.name + ".sharepoint.com"
	t.invent()
	return t, nil
}

// Domain returns the organisation's mail domain.
func (t *Tenant) Domain() string { return t.options.Domain }

// Days returns how many days the tenant lasts.
func (t *Tenant) Days() int { return t.options.Days }

// Records yields what upstream publishes, in order of publication. It holds a
// day's records in memory. Every call yields the same; the values are the
// caller's. What happens on the last day is published in full, so that the last
// records lie up to three days beyond it.
func (t *Tenant) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		g := newGenerator(t)
		for day := range t.options.Days {
			g.generate(day)
			for _, r := range g.published(t.midnight(day+1), day) {
				if !yield(r) {
					return
				}
			}
		}
		for day := t.options.Days; len(g.pending) > 0; day++ {
			for _, r := range g.published(t.midnight(day+1), day) {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// midnight returns when a day begins, UTC; day 0 is the first.
func (t *Tenant) midnight(day int) schemas.Time { return t.start + schemas.Time(day)*dayLength }

// The lengths of time, in milliseconds.
const (
	second    schemas.Time = 1000
	minute                 = 60 * second
	hour                   = 60 * minute
	dayLength              = 24 * hour
)
