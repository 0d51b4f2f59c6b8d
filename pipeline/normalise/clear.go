package normalise

import (
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
}

// Validate returns what is no extension or no program, by its place.
func (c Clear) Validate() error {
	for _, list := range []struct {
		name    string
		entries []string
		most    int
		want    string
	}{
		{"clear_extensions", c.Extensions, maxExtension, "the end of a file name, such as cmp"},
		{"clear_programs", c.Programs, maxPlain, "the file name of a program, such as contoso-cad.exe"},
	} {
		if len(list.entries) > maxClear {
			return fmt.Errorf("%s has %d entries: want at most %d", list.name, len(list.entries), maxClear)
		}
		for i, entry := range list.entries {
			folded := foldClear(entry)
			if folded == "" || len(folded) > list.most || strings.ContainsAny(folded, `/\:@*?"<>|`) {
				return fmt.Errorf("%s[%d] is %q: want %s", list.name, i, entry, list.want)
			}
		}
	}
	return nil
}

// foldClear is an entry as it is compared.
func foldClear(entry string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(entry)), "."), ".exe")
}

// everybodys are the ends of file names and the programs that say nothing of who
// has them, beside those that are known everywhere.
type everybodys struct{ extensions, programs map[string]bool }

func newEverybodys(c Clear) everybodys {
	set := func(entries []string) map[string]bool {
		words := map[string]bool{}
		for _, entry := range entries {
			words[foldClear(entry)] = true
		}
		return words
	}
	return everybodys{set(c.Extensions), set(c.Programs)}
}

func (e everybodys) extension(lower string) bool {
	return knownExtensions[lower] || e.extensions[lower]
}

func (e everybodys) program(lower string) bool {
	name := strings.TrimSuffix(lower, ".exe")
	return knownPrograms[name] || e.programs[name]
}
