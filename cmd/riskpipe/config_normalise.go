package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// NormaliseConfig is how raw records are read.
type NormaliseConfig struct {
	MaxRecordBytes  int            `mapstructure:"max_record_bytes"`
	MaxRecordDepth  int            `mapstructure:"max_record_depth"`
	MaxRecordFields int            `mapstructure:"max_record_fields"`
	MaxRecordItems  int            `mapstructure:"max_record_items"`
	PoisonPercent   int            `mapstructure:"poison_percent"`
	PoisonRecords   int            `mapstructure:"poison_records"`
	ClearExtensions []string       `mapstructure:"clear_extensions"`
	ClearPrograms   []string       `mapstructure:"clear_programs"`
	ClearTexts      []string       `mapstructure:"clear_texts"`
	InternalDomains []string       `mapstructure:"internal_domains"`
	Domains         []DomainClass  `mapstructure:"domains"`
	SiteCategories  []SiteCategory `mapstructure:"site_categories"`
	Groups          []GroupConfig  `mapstructure:"groups"`
	Scope           ScopeConfig    `mapstructure:"scope"`
	ContentRules    []ContentRule  `mapstructure:"content_rules"`
	HR              HRConfig       `mapstructure:"hr"`
}

// DomainClass is a class and the domains in it.
type DomainClass struct {
	Class   string   `mapstructure:"class" json:"class"`
	Domains []string `mapstructure:"domains" json:"domains"`
}

// SiteCategory is a category of visited sites and the domains in it.
type SiteCategory struct {
	Category string   `mapstructure:"category" json:"category"`
	Domains  []string `mapstructure:"domains" json:"domains"`
}

// GroupConfig is a group of people: UPNs given here, in a file of one a line, or
// in both.
type GroupConfig struct {
	Name  string   `mapstructure:"name" json:"name"`
	Users []string `mapstructure:"users" json:"users"`
	File  string   `mapstructure:"file" json:"file"`
}

// ContentRule is a normalise.ContentRule with the names of its settings.
type ContentRule struct {
	Name           string   `mapstructure:"name" json:"name"`
	Sites          []string `mapstructure:"sites" json:"sites"`
	Paths          []string `mapstructure:"paths" json:"paths"`
	Names          []string `mapstructure:"names" json:"names"`
	Keywords       []string `mapstructure:"keywords" json:"keywords"`
	UnlessKeywords []string `mapstructure:"unless_keywords" json:"unless_keywords"`
	Extensions     []string `mapstructure:"extensions" json:"extensions"`
	Labels         []string `mapstructure:"labels" json:"labels"`
	Domains        []string `mapstructure:"domains" json:"domains"`
	Networks       []string `mapstructure:"networks" json:"networks"`
}

// HRConfig names the columns of the HR feed.
type HRConfig struct {
	Columns   []normalise.HRColumn   `mapstructure:"columns"`
	Header    []string               `mapstructure:"header"`
	Scenario  string                 `mapstructure:"scenario"`
	Scenarios []normalise.HRScenario `mapstructure:"scenarios"`
	DayFirst  bool                   `mapstructure:"day_first"`
}

func (c NormaliseConfig) mapping() normalise.HRMapping {
	return normalise.HRMapping{
		Columns: c.HR.Columns, Header: c.HR.Header, Scenario: c.HR.Scenario, Scenarios: c.HR.Scenarios, DayFirst: c.HR.DayFirst,
	}
}

// options are the mapper's options.
func (c NormaliseConfig) options(hash func(kind, value string) schemas.Hash) normalise.Options {
	lists := map[string][]string{normalise.ClassInternal: c.InternalDomains}
	for _, list := range c.Domains {
		lists[list.Class] = append(lists[list.Class], list.Domains...)
	}
	categories := map[string][]string{}
	for _, list := range c.SiteCategories {
		categories[list.Category] = append(categories[list.Category], list.Domains...)
	}
	return normalise.Options{
		Hash: hash, Domains: normalise.NewDomains(lists), Categories: categories, Content: c.content(),
		HR:     c.mapping(),
		Clear:  c.clear(),
		Limits: normalise.Limits{Bytes: c.MaxRecordBytes, Depth: c.MaxRecordDepth, Fields: c.MaxRecordFields, Items: c.MaxRecordItems},
	}
}

func (c NormaliseConfig) clear() normalise.Clear {
	return normalise.Clear{Extensions: c.ClearExtensions, Programs: c.ClearPrograms, Texts: c.ClearTexts}
}

func (c NormaliseConfig) content() []normalise.ContentRule {
	var rules []normalise.ContentRule
	for _, r := range c.ContentRules {
		rules = append(rules, normalise.ContentRule(r))
	}
	return rules
}

// readGroups adds the users that are given as files: one a line, empty lines and
// lines that begin with # left out.
func (c *NormaliseConfig) readGroups() error {
	var problems []error
	for i := range c.Groups {
		g := &c.Groups[i]
		if g.File == "" {
			continue
		}
		text, err := os.ReadFile(g.File)
		if err != nil {
			problems = append(problems, fmt.Errorf("normalise.groups[%d].file: reading the users of %s: %w", i, g.Name, err))
			continue
		}
		for line := range strings.Lines(strings.TrimPrefix(string(text), "\uFEFF")) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				g.Users = append(g.Users, line)
			}
		}
	}
	return errors.Join(problems...)
}

// groups returns the names of each user's groups, sorted, each once, by UPN in
// lower case.
func (c NormaliseConfig) groups() map[string][]string {
	byUPN := map[string][]string{}
	for _, g := range c.Groups {
		for _, user := range g.Users {
			upn := strings.ToLower(strings.TrimSpace(user))
			byUPN[upn] = append(byUPN[upn], g.Name)
		}
	}
	for upn, names := range byUPN {
		slices.Sort(names)
		byUPN[upn] = slices.Compact(names)
	}
	return byUPN
}

// problems returns what is wrong with the lists of the section, each with its
// key, its value and what is wanted.
func (c NormaliseConfig) problems() []error {
	var problems []error
	for _, limit := range []struct {
		name               string
		value, least, most int
	}{
		{"bytes", c.MaxRecordBytes, 1024, 1 << 30},
		{"depth", c.MaxRecordDepth, 16, 1000}, // what Microsoft publishes nests less than 16 deep
		{"fields", c.MaxRecordFields, 1000, 1 << 20},
		{"items", c.MaxRecordItems, 100, 1 << 20},
	} {
		if limit.value < limit.least || limit.value > limit.most {
			problems = append(problems, fmt.Errorf("normalise.max_record_%s is %d: want %d to %d", limit.name, limit.value, limit.least, limit.most))
		}
	}
	if err := c.clear().Validate(); err != nil {
		problems = append(problems, fmt.Errorf("normalise.%w", err))
	}
	for i, list := range c.SiteCategories {
		if !slices.Contains(normalise.Categories(), list.Category) {
			problems = append(problems, fmt.Errorf("normalise.site_categories[%d].category is %q: want one of %s",
				i, list.Category, strings.Join(normalise.Categories(), ", ")))
		}
	}
	for i, g := range c.Groups {
		if !normalise.IsIdentifier(g.Name) {
			problems = append(problems, fmt.Errorf("normalise.groups[%d].name is %q: want a lower-case letter, then letters, digits and underscores", i, g.Name))
		}
		for _, user := range g.Users {
			if !strings.Contains(user, "@") { // which of them, the log need not know
				problems = append(problems, fmt.Errorf("normalise.groups[%d]: a user of %s is no user principal name such as ada@contoso.com", i, g.Name))
				break
			}
		}
	}
	problems = append(problems, c.Scope.problems(c.groupNames())...)
	for i, r := range c.content() {
		if err := r.Validate(); err != nil {
			problems = append(problems, fmt.Errorf("normalise.content_rules[%d]: %w", i, err))
		}
	}
	return problems
}
