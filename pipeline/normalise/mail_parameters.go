package normalise

import "strings"

// parameters are those of a cmdlet, by name in lower case.
type parameters map[string]string

// at returns the value of a parameter, trimmed.
func (p parameters) at(name string) string { return p[lowercase(name)] }

// has tells whether the parameter was given, be it empty.
func (p parameters) has(name string) bool {
	_, ok := p[lowercase(name)]
	return ok
}

// parameters reads the parameters of a cmdlet: a list [{"Name":…,"Value":…}],
// the same as JSON in a string, an object by name, or the command line.
func (m *Mapper) parameters(o object) parameters {
	list := m.embedded(o)
	if !list.ok() {
		return commandLine(o.text())
	}
	p := parameters{}
	for _, item := range list.items() {
		if name := item.str("Name", "Key"); name != "" {
			value := item.get("Value")
			text := value.text()
			if value.isArray() {
				text = strings.Join(value.texts(), ";")
			}
			p[lowercase(name)] = text
		}
	}
	return p
}

// commandLine reads -Name "value","value" -Switch -Name:value.
func commandLine(text string) parameters {
	p := parameters{}
	name, values := "", []string(nil)
	flush := func() {
		if name == "" {
			return
		}
		if values == nil {
			values = []string{"true"} // a switch
		}
		p[name] = plainText(strings.Join(values, ";")) // $null clears
		name, values = "", nil
	}
	for _, word := range commandWords(text) {
		flag, isName := strings.CutPrefix(word.text, "-")
		if isName && !word.quoted && flag != "" {
			flush()
			var value string
			var given bool
			if name, value, given = strings.Cut(flag, ":"); given {
				values = []string{strings.TrimPrefix(value, "$")}
			}
			name = lowercase(name)
			continue
		}
		values = append(values, strings.TrimPrefix(word.text, "$"))
	}
	flush()
	return p
}

type commandWord struct {
	text   string
	quoted bool
}

// commandWords parts a command line at blanks and commas outside quotes.
func commandWords(text string) []commandWord {
	var words []commandWord
	var word strings.Builder
	quote, quoted := rune(0), false
	flush := func() {
		if word.Len() > 0 || quoted {
			words = append(words, commandWord{word.String(), quoted})
		}
		word.Reset()
		quoted = false
	}
	before := rune(0)
	for _, c := range text {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case (c == '"' || c == '\'') && (word.Len() == 0 || before == ':'):
			quote = c
			quoted = word.Len() == 0
		case c == ' ' || c == '\t' || c == ',':
			flush()
		default:
			word.WriteRune(c)
		}
		before = c
	}
	flush()
	return words
}
