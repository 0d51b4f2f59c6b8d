package operators

import (
	"slices"
)

// maxExtends bounds how many policies stand one upon the other, so that a reader
// finds what holds.
const maxExtends = 3

// bases finds the policies that others extend.
type bases []parsed

// find returns the policy that the other extends. One of the organisation's own
// hides a shipped one of the same name, from itself excepted: so a policy can be
// a variant of the shipped one that it replaces.
func (b bases) find(name string, other *node) (parsed, bool) {
	for _, shipped := range []bool{false, true} {
		for _, p := range b {
			if p.kind() == KindPolicy && p.shipped == shipped && p.name() == name && p.root != other {
				return p, true
			}
		}
	}
	return parsed{}, false
}

// names lists what can be extended.
func (b bases) names() []string {
	var names []string
	for _, p := range b {
		if p.kind() == KindPolicy {
			names = append(names, p.name())
		}
	}
	return names
}

// resolve returns the policy with every key that it does not write itself from
// the policy that it extends. Keys that it writes replace that policy's whole,
// also lists. Nodes keep their positions, so that what is wrong is told where it
// is written.
func (b bases) resolve(root *node, above []*node) (*node, Mistakes) {
	extends := root.entry("extends")
	if extends == nil {
		return root, nil
	}
	base, found := b.find(extends.value.text, root)
	switch {
	case !found:
		return root, Mistakes{extends.value.mistake(unknownName("policy", extends.value.text, b.names()))}
	case slices.Contains(above, base.root):
		return root, Mistakes{extends.value.mistake("the policies extend each other in a circle")}
	case len(above) == maxExtends:
		return root, Mistakes{extends.value.mistake("more than 3 policies extend one another: extend one further down")}
	}
	below, mistakes := b.resolve(base.root, append(above, root))
	merged := *root
	merged.entries = slices.Clone(root.entries)
	for _, e := range below.entries {
		if root.entry(e.key.text) == nil {
			merged.entries = append(merged.entries, e)
		}
	}
	return &merged, mistakes
}
