package operators

import (
	"fmt"
	"strings"
)

// nearest returns the option that is most like the word, or nothing when none
// is like it: at most a third of its letters differ.
func nearest(word string, options []string) string {
	best, least := "", max(1, (len(word)+1)/3)+1
	for _, option := range options {
		if d := letterDistance(word, option); d < least {
			best, least = option, d
		}
	}
	return best
}

// letterDistance counts the letters to insert, delete or replace between two words.
func letterDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// unknownName says that a word is none of the options, and which was probably meant.
func unknownName(what, word string, options []string) string {
	if like := nearest(word, options); like != "" {
		return fmt.Sprintf("%s %q is unknown: did you mean %q?", what, word, like)
	}
	if len(options) == 0 || len(options) > 24 {
		return fmt.Sprintf("%s %q is unknown", what, word)
	}
	return fmt.Sprintf("%s %q is unknown: want %s", what, word, either(options))
}

// either lists words: a, b or c.
func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// UnknownName says that a word is none of the options, and which was probably
// meant. What says what the options are.
func UnknownName(what, word string, options []string) string { return unknownName(what, word, options) }
