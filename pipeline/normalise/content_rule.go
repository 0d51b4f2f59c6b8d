package normalise

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// ContentRule is a rule of the organisation over the clear names of a fact,
// whose name becomes a mark of the events that it matches. It matches when an
// entry of any list does and no entry of UnlessKeywords. Case does not count.
type ContentRule struct {
	Name string // lower-case identifier
	// Sites are addresses of SharePoint sites; what lies below belongs to them.
	Sites []string
	// Paths and Names are globs over paths and over names of files: * is any
	// text without a slash, ** any text, ? any character but a slash. Either
	// slash will do.
	Paths, Names []string
	// Keywords are parts of a name, path or subject.
	Keywords, UnlessKeywords []string
	// Extensions are those of files and attachments, with or without the dot.
	Extensions []string
	// Labels are sensitivity labels as upstream writes them, names or ids.
	Labels []string
	// Domains are those that data went to or a site was visited on, with their
	// subdomains.
	Domains []string
	// Networks are those that it was done from, in CIDR notation (RFC 4632):
	// selections cannot ask for them, since events hold no addresses.
	Networks []string
}

// maxRuleEntries bounds each list of a rule, as Purview does.
const maxRuleEntries = 500

// IsIdentifier tells whether a text can name a rule or a group: a lower-case
// letter, then at most 63 lower-case letters, digits and underscores.
func IsIdentifier(name string) bool {
	return name != "" && len(name) <= 64 && isLower(name[0]) && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// Validate returns every problem of the rule, by its place in it.
func (r ContentRule) Validate() error {
	var problems []error
	if !IsIdentifier(r.Name) {
		problems = append(problems, fmt.Errorf("name is %q: want a lower-case letter, then letters, digits and underscores", r.Name))
	}
	matching := 0
	for _, list := range []struct {
		name    string
		entries []string
	}{
		{"unless_keywords", r.UnlessKeywords},
		{"sites", r.Sites},
		{"paths", r.Paths},
		{"names", r.Names},
		{"keywords", r.Keywords},
		{"extensions", r.Extensions},
		{"labels", r.Labels},
		{"domains", r.Domains},
		{"networks", r.Networks},
	} {
		if len(list.entries) > maxRuleEntries {
			problems = append(problems, fmt.Errorf("%s has %d entries: at most %d are allowed", list.name, len(list.entries), maxRuleEntries))
		}
		if i := slices.IndexFunc(list.entries, func(s string) bool { return strings.TrimSpace(s) == "" }); i >= 0 {
			problems = append(problems, fmt.Errorf("%s[%d] is empty: it would match everything", list.name, i))
		}
		if list.name != "unless_keywords" {
			matching += len(list.entries)
		}
	}
	for i, network := range r.Networks {
		if _, err := netip.ParsePrefix(network); err != nil {
			problems = append(problems, fmt.Errorf("networks[%d] is %q: want CIDR notation such as 198.51.100.0/24", i, network))
		}
	}
	if matching == 0 {
		problems = append(problems, errors.New("no list has an entry: the rule would match nothing"))
	}
	return errors.Join(problems...)
}

// contentRule is a rule made ready for use, in lower case.
type contentRule struct {
	name                     string
	sites                    []string
	paths, names             []glob
	keywords, unlessKeywords []string
	extensions, labels       map[string]bool
	domains                  map[string]string
	networks                 []netip.Prefix
}

// contentRules are all rules and the texts of the event at hand.
type contentRules struct {
	rules []contentRule // by name
	texts contentTexts
}

// compileContent makes rules ready; nil when there are none.
func compileContent(rules []ContentRule) *contentRules {
	if len(rules) == 0 {
		return nil
	}
	c := &contentRules{}
	for _, r := range rules {
		compiled := contentRule{
			name: r.Name, paths: compileGlobs(r.Paths), names: compileGlobs(r.Names),
			keywords: folded(r.Keywords), unlessKeywords: folded(r.UnlessKeywords),
			extensions: map[string]bool{}, labels: map[string]bool{},
			domains: domainTable(map[string][]string{r.Name: r.Domains}),
		}
		for _, site := range r.Sites {
			compiled.sites = append(compiled.sites, strings.TrimRight(siteAddress(strings.ToLower(site)), "/"))
		}
		for _, network := range r.Networks {
			if prefix, err := netip.ParsePrefix(network); err == nil { // Validate has told of others
				compiled.networks = append(compiled.networks, prefix.Masked())
			}
		}
		for _, extension := range folded(r.Extensions) {
			compiled.extensions[strings.TrimPrefix(extension, ".")] = true
		}
		for _, label := range folded(r.Labels) {
			compiled.labels[label] = true
		}
		c.rules = append(c.rules, compiled)
	}
	slices.SortStableFunc(c.rules, func(a, b contentRule) int { return strings.Compare(a.name, b.name) })
	return c
}

func folded(list []string) []string {
	var lower []string
	for _, s := range list {
		lower = append(lower, strings.ToLower(strings.TrimSpace(s)))
	}
	return lower
}

// marks returns the names of the rules that match the event, sorted, each once.
func (c *contentRules) marks(e *Event) []string {
	c.texts.of(e)
	var marks []string
	for i := range c.rules {
		if r := &c.rules[i]; r.matches(&c.texts) && (len(marks) == 0 || marks[len(marks)-1] != r.name) {
			marks = append(marks, r.name)
		}
	}
	return marks
}

// matches tells whether the rule matches the texts of an event.
func (r *contentRule) matches(t *contentTexts) bool {
	found := anyOf(t.sites, r.inSite) ||
		anyOf(t.extensions, func(s string) bool { return r.extensions[s] }) ||
		anyOf(t.labels, func(s string) bool { return r.labels[s] }) ||
		anyOf(t.domains, func(s string) bool { _, ok := listed(r.domains, s); return ok }) ||
		anyOf(t.paths, func(s string) bool { return matchesAny(r.paths, s) }) ||
		anyOf(t.names, func(s string) bool { return matchesAny(r.names, s) }) ||
		slices.ContainsFunc(r.networks, func(n netip.Prefix) bool { return n.Contains(t.address) }) ||
		t.speakOf(r.keywords)
	return found && !t.speakOf(r.unlessKeywords)
}

// inSite tells whether an address is that of one of the sites or below it.
func (r *contentRule) inSite(address string) bool {
	for _, site := range r.sites {
		if rest, below := strings.CutPrefix(address, site); below && (rest == "" || rest[0] == '/' || rest[0] == '?') {
			return true
		}
	}
	return false
}

func anyOf(list []string, f func(string) bool) bool { return slices.ContainsFunc(list, f) }
