package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// extensionOf returns the lower-case extension of a file name or path, without
// the dot; nothing when there is none or it is no plausible one.
func extensionOf(name string) string {
	name = baseName(name)
	i := strings.LastIndexByte(name, '.')
	if i < 0 || i == len(name)-1 || len(name)-i > 16 || strings.ContainsAny(name[i:], " \t") {
		return ""
	}
	return lowercase(name[i+1:])
}

// baseName returns what follows the last slash or backslash.
func baseName(path string) string {
	path = strings.TrimRight(path, `/\`)
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// kindFileName is the kind of hash of file names.
const kindFileName = "file_name"

// nameOf fills in the file's name: the clear one, its keyed hash and its
// extension. A percent-encoded URL and its plain spelling are one name.
func (m *Mapper) nameOf(e *Event, name string) {
	if name == "" || e.File == nil {
		return
	}
	name = plainName(name)
	e.Clear.FileName = name
	e.File.Name = m.hashFolded(kindFileName, name)
	if e.File.Extension == "" {
		e.File.Extension = extensionOf(name)
	}
}

// nameKey is the keyed hash of a file's name, one for the file and for the mail
// attachment that it becomes.
func (m *Mapper) nameKey(name string) schemas.Hash {
	return m.hashFolded(kindFileName, plainName(name))
}

// plainName is a name without percent-encoding.
func plainName(name string) string {
	return decoded(name)
}

// isScratch tells the names of files that editors and browsers write for a
// while and put in place of another by renaming: what such a file is called
// afterwards says nothing of where its content came from.
func isScratch(name string) bool {
	name = lowercase(baseName(name))
	for _, prefix := range []string{"~$", "~wr", ".~"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	for _, suffix := range []string{".tmp", ".crdownload", ".partial"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// objectOf fills in the object's identity from its full URL or path. Case and
// percent-encoding do not make another object.
func (m *Mapper) objectOf(e *Event, full string) {
	if full == "" || e.File == nil {
		return
	}
	e.Clear.Object = full
	e.File.Object = m.hashFolded("object", strings.TrimRight(decoded(full), `/\`))
}
