package normalise

import (
	"net/url"
	"strings"
)

// extensionOf returns the lower-case extension of a file name or path, without
// the dot; nothing when there is none or it is no plausible one.
func extensionOf(name string) string {
	name = baseName(name)
	i := strings.LastIndexByte(name, '.')
	if i < 0 || i == len(name)-1 || len(name)-i > 16 || strings.ContainsAny(name[i:], " \t") {
		return ""
	}
	return strings.ToLower(name[i+1:])
}

// baseName returns what follows the last slash or backslash.
func baseName(path string) string {
	path = strings.TrimRight(path, `/\`)
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// nameOf fills in the file's name: the clear one, its keyed hash and its
// extension. A percent-encoded URL and its plain spelling are one name.
func (m *Mapper) nameOf(e *Event, name string) {
	if name == "" || e.File == nil {
		return
	}
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	e.Clear.FileName = name
	e.File.Name = m.hash("file_name", strings.ToLower(name))
	if e.File.Extension == "" {
		e.File.Extension = extensionOf(name)
	}
}

// objectOf fills in the object's identity from its full URL or path. Case and
// percent-encoding do not make another object.
func (m *Mapper) objectOf(e *Event, full string) {
	if full == "" || e.File == nil {
		return
	}
	e.Clear.Object = full
	if plain, err := url.PathUnescape(full); err == nil {
		full = plain
	}
	e.File.Object = m.hash("object", strings.ToLower(strings.TrimRight(full, `/\`)))
}
