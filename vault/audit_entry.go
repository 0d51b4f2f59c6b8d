package vault

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/riskpipe/riskpipe/schemas"
)

// AuditEntry is what is to be recorded: who did what to whose data and why.
type AuditEntry struct {
	Time    schemas.Time // when it was done, before the year 10000
	Actor   string       // account that did it, empty for the writer itself
	Action  string       // object.verb, never empty
	Subject string       // a pseudonym in full, the name of a policy, or empty
	Case    string       // case it was done for, or empty
	Detail  string       // more about it, as a JSON object, or empty; no personal data of those who are watched
}

// maxAuditText bounds the texts of an entry together, in bytes.
const maxAuditText = 16 << 10

// NextAudit returns the record that follows the last one of the writer's chain; the
// zero record stands before the first. It fails when the entry could not be read
// back as it was written.
func NextAudit(writer string, last *schemas.Audit, entry AuditEntry) (schemas.Audit, error) {
	if err := entry.validate(); err != nil {
		return schemas.Audit{}, err
	}
	record := schemas.Audit{
		Writer: writer, Sequence: last.Sequence + 1, Time: entry.Time, Actor: entry.Actor, Action: entry.Action,
		Subject: entry.Subject, Case: entry.Case, Detail: entry.Detail, Previous: last.Hash,
	}
	record.Hash = AuditHash(&record)
	return record, nil
}

// latestTime is the last instant with a year of four digits, which is all that
// RFC 3339 can write.
const latestTime = schemas.Time(253402300799999)

// validate reports what keeps the entry from being read back as it was written.
func (e AuditEntry) validate() error {
	length := 0
	for _, text := range []string{e.Actor, e.Action, e.Subject, e.Case, e.Detail} {
		if !utf8.ValidString(text) {
			return errors.New("its text is not UTF-8")
		}
		length += len(text)
	}
	switch {
	case e.Action == "":
		return errors.New("it has no action")
	case e.Time <= 0 || e.Time > latestTime:
		return errors.New("its time is not between 1970 and 9999")
	case length > maxAuditText:
		return fmt.Errorf("it has %d bytes of text: at most %d are kept", length, maxAuditText)
	default:
		return nil
	}
}
