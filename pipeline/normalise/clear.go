package normalise

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// maxClear bounds each list of Clear: who has to list more does not name formats.
	maxClear = 500
	// maxExtension bounds the end of a file name, in bytes.
	maxExtension = 32
)

// Clear is what may travel in clear because everybody in the organisation has it,
// beside what everybody in the world has.
type Clear struct {
	// Extensions are ends of file names, with or without the dot.
	Extensions []string
	// Programs are file names of programs, with or without .exe.
	Programs []string
	// Texts are what the organisation's systems say where upstream's products speak
	// English: kinds of employment, operations, categories; whole, in any case.
	Texts []string
}

// Validate returns everything that is no extension, no program or no text of that
// kind, by its place.
func (c Clear) Validate() error {
	var problems []error
	for _, list := range []struct {
		name    string
		entries []string
		fits    func(entry string) bool
		want    string
	}{
		{"clear_extensions", c.Extensions, isFileName(maxExtension), "the end of a file name, such as cmp"},
		{"clear_programs", c.Programs, isFileName(maxPlain), "the file name of a program, such as contoso-cad.exe"},
		{"clear_texts", c.Texts, isClearText, "what a system says of many, such as Elternzeit, and nobody's name, address or path"},
	} {
		if len(list.entries) > maxClear {
			problems = append(problems, fmt.Errorf("%s has %d entries: want at most %d", list.name, len(list.entries), maxClear))
			continue
		}
		for i, entry := range list.entries {
			if !list.fits(entry) {
				problems = append(problems, fmt.Errorf("%s[%d] is %q: want %s", list.name, i, entry, list.want))
			}
		}
	}
	return errors.Join(problems...)
}

// isFileName tells what can be a file name, or the end of one, of so many bytes.
func isFileName(most int) func(string) bool {
	return func(entry string) bool {
		folded := foldClear(entry)
		return folded != "" && len(folded) <= most && !strings.ContainsAny(folded, `/\:@*?"<>|`)
	}
}

func isClearText(text string) bool {
	return strings.TrimSpace(text) != "" && len(text) <= maxPlain && !isPersonalForm(text)
}

// foldClear is an entry as it is compared.
func foldClear(entry string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(entry)), "."), ".exe")
}

// everybodys are the ends of file names, the programs and the texts that say nothing of
// who has them, beside those that are known everywhere.
type everybodys struct{ extensions, programs, texts map[string]bool }

func newEverybodys(c Clear) everybodys {
	set := func(entries []string, fold func(string) string) map[string]bool {
		words := map[string]bool{}
		for _, entry := range entries {
			words[fold(entry)] = true
		}
		return words
	}
	return everybodys{set(c.Extensions, foldClear), set(c.Programs, foldClear), set(c.Texts, foldText)}
}

func (e everybodys) extension(lower string) bool {
	return knownExtensions[lower] || e.extensions[lower]
}

func (e everybodys) program(lower string) bool {
	name := strings.TrimSuffix(lower, ".exe")
	return knownPrograms[name] || e.programs[name]
}

// text tells a text of the organisation's.
func (e everybodys) text(text string) bool { return len(e.texts) > 0 && e.texts[foldText(text)] }

func foldText(text string) string { return strings.ToLower(strings.TrimSpace(text)) }
