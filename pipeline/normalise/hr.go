package normalise

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// HRMapping says which columns of the HR feed hold what. Names match whatever
// their case; blanks and punctuation in them do not count.
//
// The zero value reads Microsoft's examples for the HR connector, worker files
// of HR systems, Workday reports and Graph users.
type HRMapping struct {
	// Columns names columns that are called otherwise than in Microsoft's
	// examples. A field named here has only the columns named here, and a
	// column named here only the field named here.
	Columns []HRColumn
	// Header is the header of CSV lines which come without one, in order.
	Header []string
	// Scenario is the scenario of rows that do not name one and whose columns
	// do not tell: resignation, job_level_change, performance_review,
	// performance_improvement_plan, employee_profile or worker.
	Scenario string
	// Scenarios translates texts of the scenario column which are neither
	// Microsoft's nor a scenario's own name.
	Scenarios []HRScenario
	// DayFirst reads 3/4/2026 as 3 April instead of 4 March.
	DayFirst bool
}

// HRColumn names the column of one field; a field may have several.
type HRColumn struct{ Field, Column string }

// HRScenario says which scenario a text of the scenario column stands for.
type HRScenario struct{ Text, Scenario string }

// Validate returns every problem of the mapping, by its place in it.
func (h HRMapping) Validate() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	seen := map[string]string{}
	for i, c := range h.Columns {
		folded := foldColumn(c.Column)
		if hrFieldNamed(c.Field) == hrNone {
			bad("columns[%d].field: %q is unknown; the fields are %s", i, c.Field, strings.Join(hrFieldNames(), ", "))
		}
		if folded == "" {
			bad("columns[%d].column: a name with a letter or digit is missing", i)
		} else if earlier, found := seen[folded]; found {
			bad("columns[%d].column: %q is the column of %s already", i, c.Column, earlier)
		} else {
			seen[folded] = c.Field
		}
	}
	if h.Scenario != "" && !slices.Contains(hrScenarios, h.Scenario) {
		bad("scenario: %q is unknown; the scenarios are %s", h.Scenario, strings.Join(hrScenarios, ", "))
	}
	for i, s := range h.Scenarios {
		if foldColumn(s.Text) == "" {
			bad("scenarios[%d].text: a text with a letter or digit is missing", i)
		}
		if !slices.Contains(hrScenarios, s.Scenario) {
			bad("scenarios[%d].scenario: %q is unknown; the scenarios are %s", i, s.Scenario, strings.Join(hrScenarios, ", "))
		}
	}
	if len(h.Header) > 0 && len(problems) == 0 {
		if header := newHRColumns(h).header; header == nil || !header.names(hrIdentity...) {
			bad("header: no column of it names a person; map one to email, user_principal_name or employee_id in columns")
		}
	}
	return errors.Join(problems...)
}

// hrColumns is a mapping made ready for use.
type hrColumns struct {
	fields    map[string]hrField // by folded column name
	header    *hrHeader          // of lines without one; nil when not configured
	scenario  string
	scenarios map[string]string // by folded text
	dayFirst  bool
}

// newHRColumns makes a mapping ready; what Validate refuses has no effect.
func newHRColumns(h HRMapping) *hrColumns {
	c := &hrColumns{fields: map[string]hrField{}, scenario: h.Scenario, scenarios: map[string]string{}, dayFirst: h.DayFirst}
	configured := map[hrField]bool{}
	for _, column := range h.Columns {
		if field := hrFieldNamed(column.Field); field != hrNone {
			configured[field] = true
			c.fields[foldColumn(column.Column)] = field
		}
	}
	for field, entry := range hrFieldTable {
		if configured[hrField(field)] {
			continue
		}
		for name := range strings.FieldsSeq(entry.columns) {
			if _, taken := c.fields[name]; !taken {
				c.fields[name] = hrField(field)
			}
		}
	}
	for _, s := range h.Scenarios {
		c.scenarios[foldColumn(s.Text)] = s.Scenario
	}
	if len(h.Header) > 0 {
		header := c.headerOf(h.Header, 0)
		c.header = &header
	}
	return c
}

// field returns the field of a column, hrNone when it has none.
func (c *hrColumns) field(column string) hrField {
	var buffer [64]byte
	return c.fields[string(appendFolded(buffer[:0], column))]
}

// foldColumn returns the letters and digits of a name, in lower case.
func foldColumn(name string) string { return string(appendFolded(nil, name)) }

func appendFolded[T string | []byte](dst []byte, name T) []byte {
	ascii := true
	for i := range len(name) {
		switch b := name[i]; {
		case b >= 'A' && b <= 'Z':
			dst = append(dst, b+'a'-'A')
		case b >= 'a' && b <= 'z' || b >= '0' && b <= '9':
			dst = append(dst, b)
		case b >= 0x80:
			ascii = false
			dst = append(dst, b)
		}
	}
	if ascii {
		return dst
	}
	return append(dst[:0], lowercase(strings.Trim(string(dst), "\uFEFF\u00A0"))...)
}
