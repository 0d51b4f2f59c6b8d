package normalise

import (
	"slices"
	"strings"
	"unicode"

	"github.com/riskpipe/riskpipe/schemas"
)

// household is where somebody lives and what the family is called, as HR knows
// it of employees and a health record of patients. Both are compared by keyed
// hashes alone, so that one spelling must come out of many.
type household struct {
	familyName string
	line       string // street and house number
	more       string // flat, building, care of
	city       string
	postalCode string
}

// keyed returns the hashes of the family name, of the home and of the street;
// each 0 when not said. A street without a postal code is none: every town has
// a Main Street.
func (m *Mapper) keyed(h household) (familyName, address, street schemas.Hash) {
	hash := func(kind, value string) schemas.Hash {
		if value == "" {
			return 0
		}
		return m.hash(kind, value)
	}
	line, more := addressWords(h.line), addressWords(h.more)
	city, postal := strings.Join(addressWords(h.city), " "), postalCode(h.postalCode)
	home, road := "", ""
	if len(line) > 0 && (city != "" || postal != "") {
		home = strings.Join(append(append(slices.Clone(line), more...), city, postal), " ")
	}
	if words := withoutNumber(line); len(words) > 0 && postal != "" {
		road = strings.Join(append(words, postal), " ")
	}
	return hash("family_name", strings.Join(addressWords(h.familyName), "")), hash("address", home), hash("street", road)
}

// addressWords splits a text into lower-case words without punctuation, with
// the kinds of street in one spelling.
func addressWords(text string) []string {
	if text == "" {
		return nil
	}
	text = strings.ReplaceAll(lowercase(text), "ß", "ss")
	text = strings.Map(func(r rune) rune {
		if r == '\'' || r == '’' || r == '.' {
			return -1 // inside words
		}
		return r
	}, text)
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, word := range words {
		words[i] = streetWord(word)
	}
	return words
}

// streetWord returns the one spelling of a kind of street or flat, and German
// names of streets without the rest of the word.
func streetWord(word string) string {
	switch word {
	case "street", "str", "strasse":
		return "st"
	case "avenue", "av", "aven":
		return "ave"
	case "road":
		return "rd"
	case "boulevard", "boul":
		return "blvd"
	case "drive", "drv":
		return "dr"
	case "lane":
		return "ln"
	case "court", "crt":
		return "ct"
	case "place":
		return "pl"
	case "square":
		return "sq"
	case "terrace":
		return "ter"
	case "parkway", "pkway":
		return "pkwy"
	case "highway", "hiway":
		return "hwy"
	case "apartment", "flat", "unit", "suite", "ste":
		return "apt"
	case "north":
		return "n"
	case "south":
		return "s"
	case "east":
		return "e"
	case "west":
		return "w"
	}
	if stem, found := strings.CutSuffix(word, "strasse"); found {
		return stem + "str"
	}
	return word
}

// withoutNumber leaves the house number out of the words of an address line,
// before the street's name or behind it, and a flat at the end.
func withoutNumber(words []string) []string {
	for i, word := range words {
		if word == "apt" && i > 0 {
			words = words[:i]
			break
		}
	}
	for len(words) > 1 && isHouseNumber(words[0]) {
		words = words[1:]
	}
	for len(words) > 1 && isHouseNumber(words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	return slices.Clone(words)
}

// isHouseNumber tells 12 and 12a from 5th, which is a street's name.
func isHouseNumber(word string) bool {
	digits := len(word) - len(strings.TrimLeft(word, "0123456789"))
	return digits > 0 && len(word)-digits <= 1
}

// postalCode returns a postal code in one spelling: lower case, no blanks, and
// without the four digits which only American mail adds.
func postalCode(text string) string {
	code := strings.Join(addressWords(text), "")
	if len(code) == 9 && strings.Trim(code, "0123456789") == "" {
		return code[:5]
	}
	return code
}
