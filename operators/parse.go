package operators

import "reflect"

// fileKinds are the kinds of file.
var fileKinds = []string{KindPolicy, KindIndicators, KindLists}

// parsed is a file that was read.
type parsed struct {
	root *node
	// shipped files come with riskpipe; others are the organisation's own.
	shipped bool
}

func (p parsed) kind() string { return p.root.value("kind") }
func (p parsed) name() string { return p.root.value("name") }

// at returns the node at the place.
func (p parsed) at(where place) *node {
	found, _ := p.root.find(where, nil)
	return found
}

// parse reads a file and tells its kind. Without a root there are mistakes.
func parse(name string, content []byte) (*node, Mistakes) {
	root, mistakes := readDocument(name, content)
	if root == nil {
		return nil, mistakes
	}
	if root.kind != nodeMapping {
		return nil, append(mistakes, root.mistake("want a mapping that begins with apiVersion and kind, got "+string(root.kind)))
	}
	r := &inspection{}
	if version := root.value("apiVersion"); version != APIVersion {
		r.add("/apiVersion", "apiVersion is %q: want %s", version, APIVersion)
	}
	r.oneOf("/kind", "kind", root.value("kind"), fileKinds)
	if len(r.problems) > 0 {
		// Of which kind it is decides what everything else means.
		return nil, append(mistakes, locate(root, r.problems, &decoder{})...)
	}
	return root, mistakes
}

// decodeInto fills the struct from the file, and tells which nodes are wrong.
func decodeInto[T any](root *node) (T, *decoder) {
	var into T
	d := &decoder{wrong: map[*node]bool{}}
	d.decode(root, reflect.ValueOf(&into).Elem())
	return into, d
}

// locate gives problems their positions. It leaves out those with nodes that
// could not be decoded, of which they are but a consequence.
func locate(root *node, problems []problem, decoded *decoder) Mistakes {
	var found Mistakes
	for _, p := range problems {
		at, consequence := root.find(p.at, decoded.wrong)
		if !consequence {
			found = append(found, at.mistake(p.text))
		}
	}
	return found
}
