package operators

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxFileBytes bounds a file of policies; the largest template has 30 KiB.
const maxFileBytes = 1 << 20

// nodeKind is what a node of a file is.
type nodeKind string

const (
	nodeMapping  nodeKind = "a mapping"
	nodeSequence nodeKind = "a list"
	nodeText     nodeKind = "text"
	nodeInteger  nodeKind = "a whole number"
	nodeDecimal  nodeKind = "a decimal number"
	nodeBoolean  nodeKind = "true or false"
	nodeNull     nodeKind = "nothing"
	// nodeRefused is what already is a mistake.
	nodeRefused nodeKind = "refused"
)

// node is a value in a file, with its position. Unlike the parser's own it can
// be a child in the tree of another file, which is what extends does.
type node struct {
	source       *sourceFile
	line, column int
	kind         nodeKind
	text         string // of scalars, as it is written
	entries      []nodeEntry
	items        []*node
}

// nodeEntry is a key and its value in a mapping.
type nodeEntry struct{ key, value *node }

func (n *node) mistake(text string) Mistake { return n.source.mistake(n.line, n.column, text) }

// entry returns the entry of the key, nil when there is none.
func (n *node) entry(key string) *nodeEntry {
	for i := range n.entries {
		if n.entries[i].key.text == key {
			return &n.entries[i]
		}
	}
	return nil
}

// value returns the text of the scalar under the key, empty when there is none.
func (n *node) value(key string) string {
	if e := n.entry(key); e != nil {
		return e.value.text
	}
	return ""
}

// find returns the node at the place, or the nearest above it. Of a mapping or
// list in a mapping it returns the key, where the eye looks first. It also tells
// whether the very node at the place is among those given.
func (n *node) find(at place, given map[*node]bool) (found *node, among bool) {
	path, ofKey := strings.CutSuffix(string(at), "#")
	found = n
	for _, step := range strings.Split(path, "/")[1:] {
		if i, err := strconv.Atoi(step); err == nil && n.kind == nodeSequence && i < len(n.items) {
			n = n.items[i]
			found = n
			continue
		}
		e := n.entry(step)
		if e == nil && step == "0" && n.kind == nodeMapping {
			continue // one instead of a list of one
		}
		if e == nil {
			// Nothing can stand below a wrong scalar.
			return found, given[n] && n.kind != nodeMapping
		}
		n, found = e.value, e.value
		if n.kind == nodeMapping || n.kind == nodeSequence || ofKey {
			found = e.key
		}
	}
	return found, given[n]
}

// documentReader turns the parser's tree into nodes.
type documentReader struct {
	source   *sourceFile
	mistakes Mistakes
}

// readDocument reads a file of one YAML document. Without a node there are
// mistakes.
func readDocument(name string, content []byte) (*node, Mistakes) {
	r := &documentReader{source: &sourceFile{name: name, lines: strings.Split(strings.TrimSuffix(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n"), "\n")}}
	if len(content) > maxFileBytes {
		return nil, Mistakes{r.source.mistake(1, 1, "the file is larger than 1 MiB: split it")}
	}
	file, err := parser.ParseBytes(content, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		if known, ok := errors.AsType[yaml.Error](err); ok && known.GetToken() != nil {
			position := known.GetToken().Position
			return nil, Mistakes{r.source.mistake(position.Line, position.Column, "is not YAML: "+known.GetMessage())}
		}
		return nil, Mistakes{r.source.mistake(1, 1, "is not YAML: "+err.Error())}
	}
	var bodies []ast.Node
	for _, document := range file.Docs {
		if document.Body != nil && document.Body.Type() != ast.CommentType {
			bodies = append(bodies, document.Body)
		}
	}
	if len(bodies) != 1 {
		return nil, Mistakes{r.source.mistake(1, 1, "want one YAML document in a file, which has "+strconv.Itoa(len(bodies)))}
	}
	return r.read(bodies[0]), r.mistakes
}

func (r *documentReader) read(from ast.Node) *node {
	n := &node{source: r.source, line: 1, column: 1, kind: nodeNull}
	if from == nil {
		return n
	}
	if token := from.GetToken(); token != nil && token.Position != nil {
		n.line, n.column = token.Position.Line, token.Position.Column
	}
	switch from := from.(type) {
	case *ast.MappingNode:
		r.readEntries(n, from.Values)
	case *ast.MappingValueNode:
		r.readEntries(n, []*ast.MappingValueNode{from})
	case *ast.SequenceNode:
		n.kind = nodeSequence
		for _, value := range from.Values {
			n.items = append(n.items, r.read(value))
		}
	case *ast.StringNode:
		n.kind, n.text = nodeText, from.Value
	case *ast.LiteralNode:
		n.kind, n.text = nodeText, from.Value.Value
	case *ast.IntegerNode:
		n.kind, n.text = nodeInteger, from.Token.Value
	case *ast.FloatNode:
		n.kind, n.text = nodeDecimal, from.Token.Value
	case *ast.BoolNode:
		n.kind, n.text = nodeBoolean, strconv.FormatBool(from.Value)
	case *ast.NullNode:
	default:
		// Anchors, aliases, merge keys and tags: what stands in a line of a
		// policy should be read there. Lists and extends share instead.
		n.kind = nodeRefused
		r.mistakes = append(r.mistakes, n.mistake("anchors, aliases and tags are not supported: write it out, or use a list, a macro or extends"))
	}
	return n
}

func (r *documentReader) readEntries(n *node, values []*ast.MappingValueNode) {
	n.kind = nodeMapping
	lines := map[string]int{}
	for _, value := range values {
		key := r.read(value.Key)
		if first, twice := lines[key.text]; twice {
			r.mistakes = append(r.mistakes, key.mistake(fmt.Sprintf("key %q is given twice, first in line %d", key.text, first)))
			continue
		}
		lines[key.text] = key.line
		n.entries = append(n.entries, nodeEntry{key: key, value: r.read(value.Value)})
	}
	if len(n.entries) > 0 {
		// The parser places a block mapping at its first colon.
		n.line, n.column = n.entries[0].key.line, n.entries[0].key.column
	}
}
