package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// ScopeConfig is whose events are recorded.
type ScopeConfig struct {
	Include []ScopeRule `mapstructure:"include"`
	Exclude []ScopeRule `mapstructure:"exclude"`
	Unknown string      `mapstructure:"unknown"`
	// Temporary is the file of temporary scopes, Signatures that of what HR and
	// Legal signed of them.
	Temporary  string `mapstructure:"temporary"`
	Signatures string `mapstructure:"signatures"`
}

// ScopeRule is a pipeline.ScopeRule with the names of its settings.
type ScopeRule struct {
	Groups     []string `mapstructure:"groups" json:"groups"`
	Actors     []string `mapstructure:"actors" json:"actors"`
	Sources    []string `mapstructure:"sources" json:"sources"`
	Activities []string `mapstructure:"activities" json:"activities"`
}

// rules are the rules, without temporary scopes.
func (c ScopeConfig) rules() pipeline.ScopeConfig {
	ready := func(rules []ScopeRule) []pipeline.ScopeRule {
		var list []pipeline.ScopeRule
		for _, r := range rules {
			rule := pipeline.ScopeRule{Groups: r.Groups, Activities: r.Activities}
			for _, actor := range r.Actors {
				rule.Actors = append(rule.Actors, schemas.ActorType(actor))
			}
			for _, source := range r.Sources {
				rule.Sources = append(rule.Sources, schemas.Source(source))
			}
			list = append(list, rule)
		}
		return list
	}
	return pipeline.ScopeConfig{Include: ready(c.Include), Exclude: ready(c.Exclude), RecordUnknown: c.Unknown == pipeline.ScopeInclude}
}

func (c ScopeConfig) problems(groups []string) []error {
	var problems []error
	if err := c.rules().Validate(groups); err != nil {
		problems = append(problems, err)
	}
	if c.Unknown != pipeline.ScopeInclude && c.Unknown != pipeline.ScopeExclude {
		problems = append(problems, fmt.Errorf("normalise.scope.unknown is %q: want include or exclude", c.Unknown))
	}
	return problems
}

// signatures is the file of the signatures.
func (c ScopeConfig) signatures() string {
	if c.Signatures != "" {
		return c.Signatures
	}
	return c.Temporary + ".signatures"
}

// groupNames are the names of the groups that there are.
func (c NormaliseConfig) groupNames() []string {
	var names []string
	for _, g := range c.Groups {
		names = append(names, g.Name)
	}
	return names
}

// scope is the scope in force. Temporary scopes that HR and Legal have not signed
// as they are stay out of it, which the normaliser says.
func (c Config) scope(key pipeline.Pseudonymiser) (*pipeline.Scope, error) {
	rules := c.Normalise.Scope.rules()
	temporary, err := c.temporaryScopes()
	if err != nil {
		return nil, err
	}
	for _, t := range temporary {
		if t.unsigned != nil {
			rules.Unsigned = append(rules.Unsigned, t.unsigned.Error())
		} else {
			rules.Temporary = append(rules.Temporary, t.TemporaryScope)
		}
	}
	return pipeline.NewScope(rules, key, c.Normalise.groups()), nil
}

// temporaryScope is a temporary scope and who has signed it.
type temporaryScope struct {
	pipeline.TemporaryScope
	signers  map[vault.PolicyRole][]vault.PolicySigner
	unsigned error // what is missing
}

func (t temporaryScope) signed() vault.SignedScope {
	return vault.SignedScope{Name: t.Name, Digest: t.Digest()}
}

// temporaryScopes reads the file of temporary scopes, if there is one, and who has
// signed them.
func (c Config) temporaryScopes() ([]temporaryScope, error) {
	config := c.Normalise.Scope
	if config.Temporary == "" {
		return nil, nil
	}
	entries, err := readTemporaryScopes(config.Temporary, c.Normalise.groupNames())
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	signatures, err := readSignatures[vault.ScopeSignatures](config.signatures())
	if err != nil {
		return nil, err
	}
	signers, err := c.Policies.signers()
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	var scopes []temporaryScope
	for _, entry := range entries {
		t := temporaryScope{TemporaryScope: entry}
		t.signers, t.unsigned = signatures.Signers(t.signed(), signers), signatures.Verify(t.signed(), signers)
		scopes = append(scopes, t)
	}
	return scopes, nil
}

// temporaryEntry is a temporary scope as it is written.
type temporaryEntry struct {
	Name   string   `yaml:"name"`
	Effect string   `yaml:"effect"`
	Users  []string `yaml:"users"`
	Groups []string `yaml:"groups"`
	From   string   `yaml:"from"`
	Until  string   `yaml:"until"`
	Case   string   `yaml:"case"`
	Reason string   `yaml:"reason"`
}

// readTemporaryScopes reads a file of temporary scopes. Its errors quote nothing of
// the file, which names people.
func readTemporaryScopes(path string, groups []string) ([]pipeline.TemporaryScope, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("normalise.scope.temporary: reading the temporary scopes: %w", err)
	}
	var entries []temporaryEntry
	if err := yaml.UnmarshalWithOptions(text, &entries, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("normalise.scope.temporary: %s is no list of {name, effect, users, groups, from, until, case, reason}: %s", path, placeOf(err))
	}
	var scopes []pipeline.TemporaryScope
	var problems []error
	seen := map[string]bool{}
	for i, e := range entries {
		from, err := scopeTime("from", e.From)
		until, err2 := scopeTime("until", e.Until)
		scope := pipeline.TemporaryScope{
			Name: e.Name, Effect: e.Effect, Users: e.Users, Groups: e.Groups, From: from, Until: until, Case: e.Case, Reason: e.Reason,
		}
		err = errors.Join(err, err2, scope.Validate(groups))
		if seen[e.Name] {
			err = errors.Join(err, errors.New("another has its name"))
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s[%d]: %s", path, i, strings.ReplaceAll(err.Error(), "\n", "; ")))
		}
		seen[e.Name] = true
		scopes = append(scopes, scope)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("normalise.scope.temporary:\n%w", err)
	}
	return scopes, nil
}

// placeOf is where a file is wrong, without the text that is there.
func placeOf(err error) string {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		return fmt.Sprintf("look at line %d", at.GetToken().Position.Line)
	}
	return "it cannot be read"
}

// scopeTime reads a day, from its beginning in UTC, or an instant.
func scopeTime(key, text string) (schemas.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, text); err == nil {
			return schemas.TimeOf(at), nil
		}
	}
	return 0, fmt.Errorf("%s is no time: want 2026-03-02 or 2026-03-02T09:00:00Z", key)
}
