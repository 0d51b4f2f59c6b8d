package normalise

import (
	"strconv"
	"strings"
	"unicode"
)

// The values of HR.Direction.
const (
	directionUp   = "up"
	directionDown = "down"
)

// levelDirection tells whether a change of level goes up or down: by the numbers
// when both levels have one on the same ladder ("Level 62 - Director" to "Level
// 60- Sr. Manager"), else by the ranks in their titles, else not at all. Ladders
// whose first step has the highest number are read the wrong way round; there is
// no telling.
func levelDirection(before, after string) string {
	oldLadder, oldStep, oldOK := levelNumber(before)
	newLadder, newStep, newOK := levelNumber(after)
	if oldOK && newOK && oldLadder == newLadder && oldStep != newStep {
		return direction(oldStep, newStep)
	}
	oldRank, newRank := titleRank(before), titleRank(after)
	if oldRank == 0 || newRank == 0 {
		return ""
	}
	return direction(oldRank, newRank)
}

func direction(before, after int) string {
	switch {
	case after > before:
		return directionUp
	case after < before:
		return directionDown
	default:
		return ""
	}
}

// levelNumber returns the first number of a level and the letters before it.
func levelNumber(level string) (ladder string, step int, ok bool) {
	start := strings.IndexFunc(level, isDigit)
	if start < 0 {
		return "", 0, false
	}
	end := start + len(level[start:]) - len(strings.TrimLeftFunc(level[start:], isDigit))
	step, err := strconv.Atoi(level[start:end])
	return foldColumn(level[:start]), step, err == nil
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// ranks are the words of titles from low to high; the highest of a title's words
// is its rank, and "senior" and "vice" move it by less than the next word.
var ranks = map[string]int{
	"intern": 10, "trainee": 10, "apprentice": 10, "assistant": 20, "associate": 30, "analyst": 30, "engineer": 30,
	"specialist": 35, "consultant": 35, "lead": 45, "principal": 48, "supervisor": 50, "manager": 60, "head": 75, "director": 80,
	"vp": 100, "president": 110, "chief": 120, "ceo": 120, "cfo": 120, "cto": 120, "coo": 120, "ciso": 120,
}

// titleRank returns the rank of a title, 0 when it has no word of the ladder.
func titleRank(title string) int {
	rank, modifier := 0, 0
	for word := range strings.FieldsFuncSeq(lowercase(title), func(r rune) bool { return !unicode.IsLetter(r) }) {
		rank = max(rank, ranks[word])
		switch word {
		case "senior", "sr":
			modifier += 4
		case "junior", "jr":
			modifier -= 4
		case "vice":
			modifier -= 10
		}
	}
	if rank == 0 {
		return 0
	}
	return rank + modifier
}

// ratingDirection tells whether a rating is above or below what is expected, as
// far as words say it: a number alone has no scale.
func ratingDirection(rating string) string {
	folded := foldColumn(rating)
	for _, word := range []string{"below", "unsatisf", "poor", "needsimprov", "underperf", "notme", "doesnotme", "insufficient", "inadequate", "unaccept"} {
		if strings.Contains(folded, word) {
			return directionDown
		}
	}
	for _, word := range []string{"exceed", "above", "outstanding", "excellent", "exceptional"} {
		if strings.Contains(folded, word) {
			return directionUp
		}
	}
	return ""
}
