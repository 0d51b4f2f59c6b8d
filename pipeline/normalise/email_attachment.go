package normalise

import (
	"strconv"
	"strings"
)

// attachments adds the attachments of an item to the event and returns their
// bytes together. Upstream writes them as one text, "a.png (2242b); b.docx
// (1828b)", or as a list.
func (m *Mapper) attachments(e *Event, list object) int64 {
	var bytes int64
	add := func(name string, size int64) {
		e.Clear.Attachments = append(e.Clear.Attachments, name)
		if key := m.nameKey(name); name != "" && key != 0 {
			e.Email.AttachmentNames = append(e.Email.AttachmentNames, key) // emitMail puts them in order
		}
		e.Email.Attachments = count(int64(e.Email.Attachments) + 1)
		if extension := extensionOf(name); extension != "" {
			e.Email.Extensions = append(e.Email.Extensions, extension) // emitMail takes doubles out
		}
		bytes += size
	}
	for _, item := range m.embedded(list).items() {
		if item.isObject() {
			add(item.str("Name", "FileName"), item.size("SizeInBytes", "Size"))
		} else {
			eachAttachment(item.text(), add)
		}
	}
	if list.isString() {
		eachAttachment(list.text(), add)
	}
	return bytes
}

// eachAttachment reads "name (123b); name (45b)". Names may hold blanks,
// brackets and semicolons; only a size in bytes at the end of the text or before
// a semicolon ends a name. Without any size, semicolons alone part the names.
func eachAttachment(text string, add func(name string, size int64)) {
	found := false
	rest := text
	for from := 0; ; {
		end := strings.Index(rest[from:], "b)")
		if end < 0 {
			break
		}
		end += from
		from = end + 2
		if tail := strings.TrimLeft(rest[from:], " "); tail != "" && tail[0] != ';' {
			continue
		}
		// Looking back over digits alone keeps this linear in the text.
		open := end - 1
		for open >= 0 && rest[open] >= '0' && rest[open] <= '9' {
			open--
		}
		if open < 0 || rest[open] != '(' {
			continue
		}
		size, err := strconv.ParseInt(rest[open+1:end], 10, 64)
		if err != nil {
			continue
		}
		add(strings.TrimSpace(rest[:open]), size)
		found = true
		rest, from = strings.TrimLeft(rest[from:], "; "), 0
	}
	if found && rest == "" {
		return
	}
	for name := range strings.SplitSeq(rest, ";") {
		if name = strings.TrimSpace(name); name != "" {
			add(name, 0)
		}
	}
}
