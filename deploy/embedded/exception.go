package embedded

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// exception is an error of ClickHouse with its number, as clients expect to parse it:
// "Code: 60. DB::Exception: …".
type exception struct {
	code int
	text string
}

func (e *exception) Error() string { return e.text }

func newException(code int, name, message string) *exception {
	return &exception{code: code, text: "Code: " + strconv.Itoa(code) + ". DB::Exception: " + message + " (" + name + ")"}
}

var (
	exceptionPrefix = regexp.MustCompile(`^Code: (\d+)\. DB::Exception: `)
	wrapperSuffix   = regexp.MustCompile(` \(version [^)]*\)\. \([A-Z_0-9]+\)$`)
)

// parseException takes the text of the engine. Errors raised while a client-side file
// is read are wrapped two or three times ("Code: 27. DB::Exception: Code: 27. …"); one
// layer is what a server sends.
func parseException(text string) *exception {
	text = strings.TrimSpace(text)
	for {
		m := exceptionPrefix.FindString(text)
		if m == "" || !exceptionPrefix.MatchString(text[len(m):]) {
			break
		}
		text = wrapperSuffix.ReplaceAllString(text[len(m):], "")
	}
	if m := exceptionPrefix.FindStringSubmatch(text); m != nil {
		code, _ := strconv.Atoi(m[1])
		return &exception{code: code, text: text}
	}
	return newException(1002, "UNKNOWN_EXCEPTION", text)
}

// httpStatus follows the server's own table: clients retry on 5xx and give up on 4xx.
func (e *exception) httpStatus() int {
	switch e.code {
	case 36, 6, 25, 26, 27, 38, 41, 43, 44, 53, 62, 69, 70, 72, 117, 130, 131, 182, 185, 349, 386, 456, 457:
		// Bad arguments, what cannot be parsed or converted, syntax.
		return http.StatusBadRequest
	case 16, 46, 47, 50, 56, 60, 73, 81, 115, 137, 170, 461:
		return http.StatusNotFound // unknown table, database, function, identifier, setting, …
	case 164, 291, 497:
		return http.StatusForbidden
	case 159:
		return http.StatusRequestTimeout
	case 222:
		return http.StatusRequestEntityTooLarge
	case 48:
		return http.StatusNotImplemented
	case 202, 439:
		return http.StatusServiceUnavailable // too many queries, cannot schedule
	default:
		return http.StatusInternalServerError
	}
}
