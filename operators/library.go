package operators

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

//go:embed policies/*.yaml indicators/*.yaml
var shipped embed.FS

// Library is a sound set of policies with all that they refer to.
type Library struct {
	// Policies are complete: what one extends is part of it. By name.
	Policies []Policy
	// Indicators are the catalogue, by name.
	Indicators []Indicator
	// Families are the files of the catalogue, in the order in which they were
	// read, with the names of their indicators.
	Families []Family
	Lists    Lists
	// Files are the paths of the files that were read, shipped ones first.
	Files []string
}

// Family is what a file of the catalogue says of its indicators together.
type Family struct {
	Name       string
	Title      string
	Indicators []string
}

// Templates returns what ships with riskpipe.
func Templates() (Library, error) { return loadLayers(shipped, nil, "") }

// LoadLibrary reads the .yaml files of an organisation's folder on top of what
// ships with riskpipe. If any policy is among them, those are all the policies
// there are, and shipped ones only what they may extend. Indicators, lists and
// macros replace shipped ones of the same name, and add to the others. An error
// that lies in the files is of type Mistakes and tells all of them.
func LoadLibrary(files fs.FS, folder string) (Library, error) {
	return loadLayers(shipped, files, folder)
}

// loader reads files, and then looks at them in the order in which they depend
// on each other: lists, indicators, policies.
type loader struct {
	files    []parsed
	names    []string
	families []Family
	mistakes Mistakes
}

func loadLayers(templates, own fs.FS, folder string) (Library, error) {
	l := &loader{}
	for _, shippedFolder := range []string{"indicators", "policies"} {
		if err := l.read(templates, shippedFolder, true); err != nil {
			return Library{}, err
		}
	}
	if own != nil {
		before := len(l.names)
		if err := l.read(own, folder, false); err != nil {
			return Library{}, err
		}
		if len(l.names) == before {
			return Library{}, fmt.Errorf("reading policies in %s: no .yaml file there", folder)
		}
	}
	expressions, err := newExpressions()
	if err != nil {
		return Library{}, err
	}
	known := catalogue{lists: l.lists(), expressions: expressions}
	known.indicators = l.indicators(known)
	library := Library{
		Policies: l.policies(known),
		Indicators: slices.SortedFunc(maps.Values(known.indicators), func(a, b Indicator) int {
			return strings.Compare(a.Name, b.Name)
		}),
		Families: l.families,
		Lists:    known.lists,
		Files:    l.names,
	}
	if len(l.mistakes) > 0 {
		return Library{}, l.mistakes.sorted()
	}
	return library, nil
}

// read reads the files of a folder in the order of their names.
func (l *loader) read(files fs.FS, folder string, shipped bool) error {
	names, err := fs.Glob(files, path.Join(folder, "*.yaml"))
	if err != nil {
		return fmt.Errorf("listing policies in %s: %w", folder, err)
	}
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("reading policy file %s: %w", name, err)
		}
		root, mistakes := parse(name, content)
		l.mistakes = append(l.mistakes, mistakes...)
		if root != nil {
			l.files = append(l.files, parsed{root: root, shipped: shipped})
		}
		l.names = append(l.names, name)
	}
	return nil
}

// of returns the files of a kind.
func (l *loader) of(kind string) []parsed {
	return slices.Collect(func(yield func(parsed) bool) {
		for _, file := range l.files {
			if file.kind() == kind && !yield(file) {
				return
			}
		}
	})
}

// definitions remembers where names are defined. An organisation's own definition
// replaces a shipped one; two of the same layer are a mistake.
type definitions map[string]definition

type definition struct {
	at      *node
	shipped bool
}

// claim tells whether the definition counts.
func (l *loader) claim(o definitions, what, name string, at *node, shipped bool) bool {
	if first, taken := o[name]; taken && first.shipped == shipped {
		l.mistakes = append(l.mistakes, at.mistake(fmt.Sprintf("%s %s is defined twice, first in %s:%d", what, name, first.at.source.name, first.at.line)))
		return false
	}
	o[name] = definition{at: at, shipped: shipped}
	return true
}

// lists merges all files of lists. Suppressions add up; exclusions replace shipped
// ones of their name, and so do bands.
func (l *loader) lists() Lists {
	all := Lists{APIVersion: APIVersion, Kind: KindLists, Lists: map[string]Values{}, Macros: map[string]Macro{}}
	files := l.of(KindLists)
	decoded := make([]Lists, len(files))
	decoders := make([]*decoder, len(files))
	listsDefined, macrosDefined, exclusionsDefined := definitions{}, definitions{}, definitions{}
	for i, file := range files {
		decoded[i], decoders[i] = decodeInto[Lists](file.root)
		for _, name := range slices.Sorted(maps.Keys(decoded[i].Lists)) {
			if l.claim(listsDefined, "list", name, file.at(place("/lists").key(name)), file.shipped) {
				all.Lists[name] = decoded[i].Lists[name]
			}
		}
		for _, name := range slices.Sorted(maps.Keys(decoded[i].Macros)) {
			if l.claim(macrosDefined, "macro", name, file.at(place("/macros").key(name)), file.shipped) {
				all.Macros[name] = decoded[i].Macros[name]
			}
		}
		all.Suppressions = append(all.Suppressions, decoded[i].Suppressions...)
		for j, exclusion := range decoded[i].Exclusions {
			at := place("/exclusions").index(j).key("name")
			if exclusion.Name != "" && l.claim(exclusionsDefined, "exclusion", exclusion.Name, file.at(at), file.shipped) {
				all.Exclusions = slices.DeleteFunc(all.Exclusions, func(o Exclusion) bool { return o.Name == exclusion.Name })
				all.Exclusions = append(all.Exclusions, exclusion)
			}
		}
		if decoded[i].Levels != nil {
			all.Levels = decoded[i].Levels
		}
	}
	for i, file := range files {
		l.mistakes = append(l.mistakes, decoders[i].mistakes...)
		l.mistakes = append(l.mistakes, locate(file.root, decoded[i].problems(all), decoders[i])...)
	}
	return all
}

// indicators merges all files of the catalogue. It holds also indicators with
// mistakes, lest whatever refers to them be one more.
func (l *loader) indicators(known catalogue) map[string]Indicator {
	known.indicators = map[string]Indicator{}
	files := l.of(KindIndicators)
	decoded := make([]IndicatorFile, len(files))
	decoders := make([]*decoder, len(files))
	defined := definitions{}
	for i, file := range files {
		decoded[i], decoders[i] = decodeInto[IndicatorFile](file.root)
		family := Family{Name: decoded[i].Family, Title: decoded[i].Title}
		for j, indicator := range decoded[i].Indicators {
			at := place("/indicators").index(j)
			if indicator.Name != "" && l.claim(defined, "indicator", indicator.Name, file.at(at.key("name")), file.shipped) {
				known.indicators[indicator.Name] = indicator
				for k := range l.families {
					l.families[k].drop(indicator.Name)
				}
				family.Indicators = append(family.Indicators, indicator.Name)
			}
		}
		l.families = append(l.families, family)
	}
	for i, file := range files {
		r := &inspection{}
		r.want(namePattern.MatchString(decoded[i].Family), "/family", "family is %q: want a name in lower-case letters", decoded[i].Family)
		r.want(decoded[i].Title != "", "/title", "title is missing")
		r.want(len(decoded[i].Indicators) > 0, "/indicators", "indicators is missing")
		for j, indicator := range decoded[i].Indicators {
			r.include(place("/indicators").index(j), indicator.problems(known))
		}
		l.mistakes = append(l.mistakes, decoders[i].mistakes...)
		l.mistakes = append(l.mistakes, locate(file.root, r.problems, decoders[i])...)
	}
	return known.indicators
}

// drop takes an indicator out that another file replaces.
func (f *Family) drop(name string) {
	f.Indicators = slices.DeleteFunc(f.Indicators, func(n string) bool { return n == name })
}

// policies returns the organisation's own policies, or the shipped ones when
// there are none.
func (l *loader) policies(known catalogue) []Policy {
	files := l.of(KindPolicy)
	if slices.ContainsFunc(files, func(p parsed) bool { return !p.shipped }) {
		files = slices.DeleteFunc(files, func(p parsed) bool { return p.shipped })
	}
	var policies []Policy
	defined := definitions{}
	for _, file := range files {
		whole, mistakes := bases(l.files).resolve(file.root, nil)
		l.mistakes = append(l.mistakes, mistakes...)
		if len(mistakes) > 0 {
			continue // what is missing without its base would be no news
		}
		policy, decoder := decodeInto[Policy](whole)
		l.mistakes = append(l.mistakes, decoder.mistakes...)
		l.mistakes = append(l.mistakes, locate(whole, policy.problems(known), decoder)...)
		if l.claim(defined, "policy", policy.Name, file.at("/name"), file.shipped) {
			policies = append(policies, policy)
		}
	}
	slices.SortFunc(policies, func(a, b Policy) int { return cmp.Compare(a.Name, b.Name) })
	l.suppressed(policies)
	return policies
}

// suppressed wants suppressions to name policies that there are.
func (l *loader) suppressed(policies []Policy) {
	names := make([]string, len(policies))
	for i, policy := range policies {
		names[i] = policy.Name
	}
	for _, file := range l.of(KindLists) {
		suppressions := file.root.entry("suppressions")
		if suppressions == nil {
			continue
		}
		for _, item := range suppressions.value.items {
			if policy := item.entry("policy"); policy != nil && !slices.Contains(names, policy.value.text) {
				l.mistakes = append(l.mistakes, policy.value.mistake(unknownName("policy", policy.value.text, names)))
			}
		}
	}
}

// indicator returns the indicator of the name, nil when there is none.
func (l *Library) indicator(name string) *Indicator {
	i, found := slices.BinarySearchFunc(l.Indicators, name, func(ind Indicator, name string) int { return strings.Compare(ind.Name, name) })
	if !found {
		return nil
	}
	return &l.Indicators[i]
}
