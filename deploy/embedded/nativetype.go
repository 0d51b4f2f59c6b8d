package embedded

import (
	"fmt"
	"strconv"
	"strings"
)

// nativeType knows how many bytes a column of some ClickHouse type takes in the Native
// format, and nothing about the values.
type nativeType struct {
	kind  nativeKind
	width int // of fixed
	args  []nativeType
}

type nativeKind int

const (
	kindFixed nativeKind = iota
	kindString
	kindNullable
	kindArray
	kindTuple
	kindLowCardinality
	kindVariant
)

var fixedWidths = map[string]int{
	"Bool": 1, "Int8": 1, "UInt8": 1, "Enum8": 1, "Nothing": 1,
	"Int16": 2, "UInt16": 2, "Enum16": 2, "Date": 2, "BFloat16": 2,
	"Int32": 4, "UInt32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "Time": 4, "IPv4": 4,
	"Int64": 8, "UInt64": 8, "Float64": 8, "DateTime64": 8, "Time64": 8,
	"Int128": 16, "UInt128": 16, "UUID": 16, "IPv6": 16,
	"Int256": 32, "UInt256": 32,
}

// Geometric types are names for nested arrays of points.
var aliases = map[string]string{
	"Point":           "Tuple(Float64, Float64)",
	"Ring":            "Array(Tuple(Float64, Float64))",
	"LineString":      "Array(Tuple(Float64, Float64))",
	"Polygon":         "Array(Array(Tuple(Float64, Float64)))",
	"MultiLineString": "Array(Array(Tuple(Float64, Float64)))",
	"MultiPolygon":    "Array(Array(Array(Tuple(Float64, Float64))))",
}

func parseNativeType(text string) (nativeType, error) {
	name, args := splitType(text)
	switch {
	case fixedWidths[name] > 0:
		return nativeType{kind: kindFixed, width: fixedWidths[name]}, nil
	case strings.HasPrefix(name, "Interval"):
		return nativeType{kind: kindFixed, width: 8}, nil
	case aliases[name] != "":
		return parseNativeType(aliases[name])
	}
	switch name {
	case "String":
		return nativeType{kind: kindString}, nil
	case "FixedString":
		if width, err := strconv.Atoi(strings.Join(args, "")); err == nil && width > 0 {
			return nativeType{kind: kindFixed, width: width}, nil
		}
	case "Decimal":
		if precision, err := strconv.Atoi(append(args, "")[0]); err == nil {
			return nativeType{kind: kindFixed, width: decimalWidth(precision)}, nil
		}
	case "Nullable":
		return composite(kindNullable, args)
	case "Array":
		return composite(kindArray, args)
	case "LowCardinality":
		return composite(kindLowCardinality, args)
	case "Variant":
		return composite(kindVariant, args)
	case "Tuple":
		return composite(kindTuple, unnamed(args))
	case "Map": // is laid out as Array(Tuple(key, value))
		pair, err := composite(kindTuple, args)
		return nativeType{kind: kindArray, args: []nativeType{pair}}, err
	case "Nested":
		row, err := composite(kindTuple, unnamed(args))
		return nativeType{kind: kindArray, args: []nativeType{row}}, err
	case "SimpleAggregateFunction":
		if len(args) == 2 {
			return parseNativeType(args[1])
		}
	}
	return nativeType{}, fmt.Errorf("type %s has no length of its own", text)
}

func composite(kind nativeKind, args []string) (nativeType, error) {
	t := nativeType{kind: kind}
	if len(args) == 0 {
		return t, fmt.Errorf("a composite type without arguments")
	}
	for _, arg := range args {
		inner, err := parseNativeType(arg)
		if err != nil {
			return t, err
		}
		t.args = append(t.args, inner)
	}
	return t, nil
}

func decimalWidth(precision int) int {
	switch {
	case precision <= 9:
		return 4
	case precision <= 18:
		return 8
	case precision <= 38:
		return 16
	default:
		return 32
	}
}

// splitType turns "Map(String, Array(UInt8))" into "Map" and its two arguments.
func splitType(text string) (name string, args []string) {
	text = strings.TrimSpace(text)
	name, rest, ok := strings.Cut(text, "(")
	if !ok || !strings.HasSuffix(rest, ")") {
		return text, nil
	}
	s := scanner{text: strings.TrimSuffix(rest, ")")}
	depth, start := 0, 0
	for t := s.next(); t.kind != tokenEnd; t = s.next() {
		switch {
		case t.kind == tokenOpen:
			depth++
		case t.kind == tokenClose:
			depth--
		case depth == 0 && t.kind == tokenOther && s.text[t.start] == ',':
			args = append(args, strings.TrimSpace(s.text[start:t.start]))
			start = s.pos
		}
	}
	if last := strings.TrimSpace(s.text[start:]); last != "" {
		args = append(args, last)
	}
	return name, args
}

// unnamed drops element names: "a String" and "`b c` UInt8" are String and UInt8.
func unnamed(args []string) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		s := scanner{text: arg}
		s.next()
		if second := s.next(); second.kind == tokenWord {
			arg = arg[second.start:]
		}
		out[i] = arg
	}
	return out
}
