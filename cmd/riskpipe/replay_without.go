package main

import (
	"errors"
	"slices"

	"github.com/riskpipe/riskpipe/operators"
)

// without returns the library with the modifiers and boosters of the names left
// out of all of its policies, to see what they do. The policies have other hashes
// then. Each name must be some policy's.
func without(library operators.Library, names []string) (operators.Library, error) {
	policies := slices.Clone(library.Policies)
	var known []string
	for i := range policies {
		p := &policies[i]
		for _, m := range p.Modifiers {
			known = append(known, m.Name)
		}
		for _, b := range p.Boosters {
			known = append(known, b.Name)
		}
		p.Modifiers = slices.DeleteFunc(slices.Clone(p.Modifiers), func(m operators.Modifier) bool { return slices.Contains(names, m.Name) })
		p.Boosters = slices.DeleteFunc(slices.Clone(p.Boosters), func(b operators.Booster) bool { return slices.Contains(names, b.Name) })
	}
	slices.Sort(known)
	known = slices.Compact(known)
	for _, name := range names {
		if !slices.Contains(known, name) {
			return operators.Library{}, &exitError{exitRejects, errors.New("--without: " + operators.UnknownName("modifier or booster", name, known))}
		}
	}
	library.Policies = policies
	return library, nil
}
