package normalise

import "strings"

// maxPlain bounds a text in clear, in bytes: longer ones are sentences.
const maxPlain = 128

// isPersonalForm tells mail addresses, paths, URLs, IP addresses, file names,
// sentences and what is called somebody's from names of things.
func isPersonalForm(text string) bool {
	if len(text) > maxPlain {
		return true
	}
	digits, dots, colons, slashes, blank := 0, 0, 0, 0, false
	for i := range len(text) {
		switch c := text[i]; {
		case isLower(c):
		case c == ' ':
			blank = true
		case c < ' ', c == 0x7f, c == '@', c == '\\':
			return true
		case c == '/':
			slashes++
			if i == 0 || text[i-1] == ':' {
				return true
			}
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c == '%':
			if i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]) {
				return true
			}
		case c == '\'', c == 0xE2 && strings.HasPrefix(text[i:], "\u2019"):
			if isPossessive(text, i) {
				return true
			}
		}
	}
	if slashes > 1 && !blank || dots > 0 && isDocument(text) || dots == 1 && !blank && isUserName(text) {
		return true
	}
	if digits > 0 && (dots >= 3 || colons >= 2) {
		_, is := parseAddress(text)
		return is
	}
	return false
}

// isHex tells hexadecimal digits.
func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// isPossessive tells what is somebody's ("Ida's laptop") from what is a driver's,
// by the apostrophe at i.
func isPossessive(text string, i int) bool {
	after := strings.TrimPrefix(strings.TrimPrefix(text[i:], "'"), "\u2019")
	if after == "" || after[0]|0x20 != 's' || len(after) > 1 && isWordByte(after[1]) {
		return false
	}
	start := i
	for start > 0 && isWordByte(text[start-1]) {
		start--
	}
	return i > start && !isKnownWord(text[start:i]) && !belongings[lowercase(text[start:i])]
}

// belongings are whose things the built-in types of sensitive information, and
// products, are about.
var belongings = wordSet("driver taxpayer people children women men worker mother seller let today everyone company patient national")

// isDocument tells names of documents from names of things with a full stop in
// them: no catalogue is called a.docx.
func isDocument(text string) bool {
	extension := lowercase(text[strings.LastIndexByte(text, '.')+1:])
	switch extension {
	case "", "com", "exe", "app", "js", "py", "dll", "so", "msi":
		return false
	default:
		return len(extension) <= maxExtension && knownExtensions[extension]
	}
}

// isUserName tells what has the form of a user's name, ida.lind, and no word of the
// vocabulary.
func isUserName(text string) bool {
	given, family, _ := strings.Cut(text, ".")
	return len(given) > 2 && len(family) > 3 && isLowerLetters(given) && isLowerLetters(family) && !isKnownWord(given) && !isKnownWord(family)
}

func isLowerLetters(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < 'a' || r > 'z' }) < 0
}
