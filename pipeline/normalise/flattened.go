package normalise

import "strings"

// flattened returns the properties of a diagnostic record whose collector wrote
// them as columns beside the envelope's own: properties_status_errorCode_d, as
// the AzureDiagnostics table has them with the letter of their type, or
// properties.status.errorCode. Nothing when there are none.
// https://learn.microsoft.com/azure/azure-monitor/reference/tables/azurediagnostics
func (m *Mapper) flattened(o object) object {
	if !o.isObject() || o.len() > maxProperties {
		return object{}
	}
	const prefix = "properties"
	var properties column
	for name, value := range o.members() {
		if len(name) < len(prefix)+2 || !strings.EqualFold(name[:len(prefix)], prefix) {
			continue
		}
		separator := name[len(prefix)]
		if separator != '_' && separator != '.' || !value.ok() {
			continue
		}
		at := &properties
		for _, step := range columnPath(name[len(prefix)+1:], separator) {
			at = at.member(step)
		}
		at.value, at.members = value, nil
	}
	if len(properties.members) == 0 {
		return object{}
	}
	nested, _, err := m.parse(string(properties.appendJSON(nil)))
	if err != nil {
		return object{}
	}
	return nested
}

// column is a member that a column stands for: a value, or an object of columns.
type column struct {
	name    string
	value   object
	members []*column
}

// member returns the member of that name; what had been a value becomes an object.
func (c *column) member(name string) *column {
	c.value = object{}
	for _, m := range c.members {
		if m.name == name {
			return m
		}
	}
	c.members = append(c.members, &column{name: name})
	return c.members[len(c.members)-1]
}

func (c *column) appendJSON(b []byte) []byte {
	if c.value.ok() {
		return append(b, c.value.raw()...)
	}
	b = append(b, '{')
	for i, m := range c.members {
		if i > 0 {
			b = append(b, ',')
		}
		b = m.appendJSON(append(appendQuoted(b, m.name), ':'))
	}
	return append(b, '}')
}

// maxProperties bounds how many columns a row may have; AzureDiagnostics has at
// most 500, and setting members takes the square of their number.
const maxProperties = 1024

// maxColumnPath bounds how deep a column may lie; a sign-in nests 3 deep.
const maxColumnPath = 8

// columnPath parts the name of a column into the names of members.
func columnPath(column string, separator byte) []string {
	if separator == '_' {
		if n := len(column) - 2; n > 0 && column[n] == '_' && strings.IndexByte("sdbtg", column[n+1]) >= 0 {
			column = column[:n]
		}
		if strings.EqualFold(column, "riskEventTypes_v2") {
			return []string{column}
		}
	}
	return strings.SplitN(column, string(separator), maxColumnPath)
}
