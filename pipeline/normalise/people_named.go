package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

const (
	// shortestName is the fewest letters by which somebody is known again: shorter
	// ones are in too many words.
	shortestName = 3
	// longName is how many letters a name has that is looked for inside of words,
	// where initials and "s" stand around it: XQUILL, quills.
	longName = 5
	// maxNamed bounds how many of the recipients are looked for.
	maxNamed = 20
)

// names tells whether a text has a name of somebody whom the event names: whoever
// did it, with whom, and to whose mailbox. Words of the vocabulary are nobody's
// name.
func (e *Event) names(text string) bool {
	if text != "" && (strings.EqualFold(text, e.Actor.ObjectID) || strings.EqualFold(text, e.Actor.SID)) {
		return true
	}
	for word, rest := nextWord(text); word != ""; word, rest = nextWord(rest) {
		if len(word) >= shortestName && !isKnownWord(word) && e.isNameOfSomebody(word) {
			return true
		}
	}
	return false
}

func (e *Event) isNameOfSomebody(word string) bool {
	a, c := &e.Actor, &e.Clear
	// An application is called as it is called: that is nobody's name.
	if a.Type != schemas.ActorService && a.Type != schemas.ActorSystem {
		if isNameOf(word, a.UPN) || isNameOf(word, a.Mail) || isNameOf(word, a.Account) || isNameOf(word, a.EmployeeID) || isNameOf(word, c.DisplayName) {
			return true
		}
	}
	if isNameOf(word, c.Mailbox) || isNameOf(word, c.Sender) {
		return true
	}
	for _, list := range [...][]string{c.Recipients, c.Targets} {
		for _, other := range list[:min(len(list), maxNamed)] {
			if isNameOf(word, other) {
				return true
			}
		}
	}
	return false
}

// isNameOf tells whether a word is part of a name, all of it written together, or an
// initial and a part: of an address before its "@", of an account behind its domain.
func isNameOf(word, name string) bool {
	if i := strings.IndexAny(name, "@#"); i >= 0 {
		name = name[:i]
	}
	name = name[strings.LastIndexByte(name, '\\')+1:]
	if name == "" {
		return false
	}
	for part, rest := nextWord(name); part != ""; part, rest = nextWord(rest) {
		switch {
		case len(part) >= shortestName && strings.EqualFold(part, word),
			len(part) >= longName && hasFold(word, part),
			len(word) >= longName && hasFold(part, word),
			strings.EqualFold(word[:1], name[:1]) && strings.EqualFold(word[1:], part):
			return true
		}
	}
	return isJoined(word, name)
}

// isJoined tells whether the letters of a name are the word.
func isJoined(word, name string) bool {
	for i := range len(name) {
		switch {
		case !isWordByte(name[i]):
		case word == "" || word[0]|0x20 != name[i]|0x20:
			return false
		default:
			word = word[1:]
		}
	}
	return word == ""
}

// hasFold is strings.Contains whatever the case; of short texts.
func hasFold(text, part string) bool {
	for i := range len(text) {
		if hasPrefixFold(text[i:], part) {
			return true
		}
	}
	return false
}
