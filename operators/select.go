package operators

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// Selection is a list of conditions in Sigma's form, all of which must hold:
//
//	email.attachments|gte: 1
//	destination.class: [personal_mail, personal_cloud]
//
// Without a modifier a value must equal the one given, or one of a list.
type Selection map[string]Values

// Values is one value or a list of alternatives.
type Values []string

// UnmarshalYAML reads a scalar or a list of scalars.
func (v *Values) UnmarshalYAML(decode func(any) error) error {
	var list []any
	if err := decode(&list); err != nil {
		var one any
		if err := decode(&one); err != nil {
			return err
		}
		list = []any{one}
	}
	for _, item := range list {
		switch item.(type) {
		case string, bool, int, int64, uint64:
			*v = append(*v, fmt.Sprint(item))
		default:
			return fmt.Errorf("%v is neither text, a whole number nor true or false", item)
		}
	}
	return nil
}

// field reads one thing of an event: as text, as a number, or both.
type field struct {
	text   func(*schemas.Event) string
	number func(*schemas.Event) int64
}

// fields are what a policy may speak of. Absent bodies read as zero.
var fields = map[string]field{
	"operation":                 {text: func(e *schemas.Event) string { return e.Operation }},
	"outcome":                   {text: func(e *schemas.Event) string { return string(e.Outcome) }},
	"source":                    {text: func(e *schemas.Event) string { return string(e.Source) }},
	"destination.class":         {text: func(e *schemas.Event) string { return destination(e).Class }},
	"destination.external":      {text: func(e *schemas.Event) string { return strconv.FormatBool(destination(e).External) }},
	"destination.domain":        {number: func(e *schemas.Event) int64 { return int64(destination(e).Domain) }},
	"email.attachments":         {number: func(e *schemas.Event) int64 { return int64(email(e).Attachments) }},
	"email.message":             {number: func(e *schemas.Event) int64 { return int64(email(e).Message) }},
	"email.size":                {number: func(e *schemas.Event) int64 { return email(e).Size }},
	"email.direction":           {text: func(e *schemas.Event) string { return email(e).Direction }},
	"email.rule":                {text: func(e *schemas.Event) string { return email(e).Rule }},
	"email.external_recipients": {number: func(e *schemas.Event) int64 { return int64(email(e).ExternalRecipients) }},
	"file.object":               {number: func(e *schemas.Event) int64 { return int64(file(e).Object) }},
	"file.name":                 {number: func(e *schemas.Event) int64 { return int64(file(e).Name) }},
	"file.size":                 {number: func(e *schemas.Event) int64 { return file(e).Size }},
	"file.extension":            {text: func(e *schemas.Event) string { return file(e).Extension }},
	"file.item_type":            {text: func(e *schemas.Event) string { return file(e).ItemType }},
	"file.location":             {text: func(e *schemas.Event) string { return file(e).Location }},
	"file.label":                {text: func(e *schemas.Event) string { return file(e).Label }},
	"file.label_change":         {text: func(e *schemas.Event) string { return file(e).LabelChange }},
	"file.enforcement":          {text: func(e *schemas.Event) string { return file(e).Enforcement }},
	"file.sensitive_count":      {number: func(e *schemas.Event) int64 { return int64(file(e).SensitiveCount) }},
}

var (
	noDestination schemas.Destination
	noEmail       schemas.Email
	noFile        schemas.File
)

func destination(e *schemas.Event) *schemas.Destination {
	return cmp.Or(e.Destination, &noDestination)
}
func email(e *schemas.Event) *schemas.Email { return cmp.Or(e.Email, &noEmail) }
func file(e *schemas.Event) *schemas.File   { return cmp.Or(e.File, &noFile) }

// condition is one compiled line of a selection.
type condition func(*schemas.Event) bool

// compile turns the selection into conditions, in the order of their text so
// that evaluation never depends on the order of a map.
func (s Selection) compile() ([]condition, error) {
	keys := make([]string, 0, len(s))
	for key := range s {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var (
		conditions []condition
		problems   []error
	)
	for _, key := range keys {
		name, modifier, _ := strings.Cut(key, "|")
		f, known := fields[name]
		if !known {
			problems = append(problems, fmt.Errorf("select: an event has no field %q", name))
			continue
		}
		c, err := f.condition(modifier, s[key])
		if err != nil {
			problems = append(problems, fmt.Errorf("select %s: %w", key, err))
			continue
		}
		conditions = append(conditions, c)
	}
	return conditions, errors.Join(problems...)
}

func (f field) condition(modifier string, want Values) (condition, error) {
	if len(want) == 0 {
		return nil, errors.New("no value is given")
	}
	if modifier == "" {
		if f.text != nil {
			return func(e *schemas.Event) bool { return slices.Contains(want, f.text(e)) }, nil
		}
		return func(e *schemas.Event) bool { return slices.Contains(want, strconv.FormatInt(f.number(e), 10)) }, nil
	}
	if f.number == nil {
		return nil, fmt.Errorf("modifier %s needs a number", modifier)
	}
	var bound Amount
	if err := bound.UnmarshalText([]byte(want[0])); err != nil || len(want) != 1 {
		return nil, fmt.Errorf("modifier %s needs one amount", modifier)
	}
	n := int64(bound)
	switch modifier {
	case "gte":
		return func(e *schemas.Event) bool { return f.number(e) >= n }, nil
	case "gt":
		return func(e *schemas.Event) bool { return f.number(e) > n }, nil
	case "lte":
		return func(e *schemas.Event) bool { return f.number(e) <= n }, nil
	case "lt":
		return func(e *schemas.Event) bool { return f.number(e) < n }, nil
	default:
		return nil, fmt.Errorf("modifier %q is unknown: want gte, gt, lte or lt", modifier)
	}
}
