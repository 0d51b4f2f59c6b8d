package schemas

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"unicode"

	"github.com/twmb/avro"
)

// releasedFiles are the schemas of every version: records of any of them may
// still wait on a topic. The golden records beside them are for the tests.
//
//go:embed testdata/released/*/*.avsc
var releasedFiles embed.FS

// fileName is how the file of a record is named: evidence_key of EvidenceKey.
func fileName(record string) string {
	var name strings.Builder
	for i, r := range record {
		if unicode.IsUpper(r) && i > 0 {
			name.WriteByte('_')
		}
		name.WriteRune(unicode.ToLower(r))
	}
	return name.String()
}

// released returns every version of the schema of a record, the oldest first.
func released(record *avro.Schema) ([]string, error) {
	name := fileName(record.Root().Name)
	files, err := fs.Glob(releasedFiles, "testdata/released/*/"+name+".avsc")
	if err != nil {
		return nil, fmt.Errorf("listing the released schemas of %s: %w", name, err)
	}
	texts := make([]string, len(files))
	for i, file := range files {
		text, err := releasedFiles.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading released schema %s: %w", file, err)
		}
		texts[i] = string(text)
	}
	return texts, nil
}
