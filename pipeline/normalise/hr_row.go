package normalise

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/riskpipe/riskpipe/schemas"
)

// hrRow is one row of the HR feed by field, whether it came as a CSV line or as
// a JSON object.
type hrRow struct {
	text    [hrFieldCount]string // trimmed, placeholders empty
	columns uint64               // set of the fields which have a column, filled or not
}

// set puts a cell into its field. The first column of a field that is filled
// wins; the lines of an address add up.
func (r *hrRow) set(field hrField, text string) {
	if field == hrNone {
		return
	}
	r.columns |= 1 << field
	if field >= hrAddressLine {
		if r.text[field] == "" {
			r.text[field] = text
		}
		r.set(hrAddress, text)
		return
	}
	switch {
	case text == "":
	case r.text[field] == "":
		r.text[field] = text
	case field == hrAddress:
		r.text[field] += "\n" + text
	}
}

// filled tells whether any of the fields has a text.
func (r *hrRow) filled(fields ...hrField) bool {
	for _, f := range fields {
		if r.text[f] != "" {
			return true
		}
	}
	return false
}

// columned tells whether any of the fields has a column.
func (r *hrRow) columned(fields ...hrField) bool {
	for _, f := range fields {
		if r.columns&(1<<f) != 0 {
			return true
		}
	}
	return false
}

// truth returns a field's boolean, and whether it says one.
func (r *hrRow) truth(f hrField) (value, ok bool) { return truthOf(r.text[f]) }

// hrObject maps a row that is a JSON object with columns as keys, which Graph's
// users and Workday's report entries are, too.
func (m *Mapper) hrObject(rec record) {
	row := m.objectRow(rec.object)
	if row.columns == 0 {
		rec.skip(SkipUnknown)
		return
	}
	m.hrRow(rec, &row)
}

func (m *Mapper) objectRow(o object) hrRow {
	var row hrRow
	for name, member := range o.members() {
		if field := m.hr.field(name); field != hrNone {
			row.set(field, cellOf(member))
		}
	}
	return row
}

// cellOf returns the text of a member. Workday writes references as objects
// with a Descriptor and lists where there may be several.
func cellOf(o object) string {
	if o.isArray() {
		if items := o.items(); len(items) > 0 {
			o = items[0]
		}
	}
	if o.isObject() {
		return o.str("Descriptor", "value", "#text", "$")
	}
	return o.text()
}

// hrActor names the person of a row. The HR connector's EmailAddress is the user
// principal name by its documentation; worker files give a mail address, which
// may be another.
func (r *hrRow) hrActor(worker bool) Actor {
	a := Actor{Type: schemas.ActorPerson, ObjectID: objectID(r.text[hrObjectID])}
	name := func(text string, mail bool) {
		switch lower := lowercase(text); {
		case !isUPN(lower):
		case mail && a.UPN != lower:
			a.Mail = lower
		case a.UPN == "":
			a.UPN = lower
			a.Type = kindOfUPN(lower)
		}
	}
	name(r.text[hrUPN], false)
	name(r.text[hrEmail], worker || a.UPN != "")
	for _, f := range []hrField{hrEmployeeID, hrUserID} {
		switch id := r.text[f]; {
		case isPlaceholder(id):
		case isUPN(lowercase(id)):
			name(id, false)
		case isGUID(id):
			a.ObjectID = first(a.ObjectID, objectID(id))
		case strings.Contains(id, `\`):
			a.Account = lowercase(id)
		case a.EmployeeID == "" && isEmployeeID(id):
			a.EmployeeID = strings.ToUpper(id)
		case isEmployeeID(id) && !strings.EqualFold(id, a.EmployeeID):
			a.WorkerID = strings.ToUpper(id)
		}
	}
	if !a.IsNamed() {
		name(r.text[hrUserName], false)
	}
	return a
}

// isEmployeeID tells an HR system's number from a sentence in its column: it is
// short, without markup, and has a digit when it is several words.
func isEmployeeID(id string) bool {
	return len(id) <= 64 &&
		!strings.ContainsFunc(id, func(r rune) bool { return unicode.IsControl(r) || r == '<' || r == '>' || r == '{' || r == '}' }) &&
		(!strings.Contains(id, " ") || strings.ContainsFunc(id, isDigit))
}

// errNobody says why a row names nobody.
func (r *hrRow) errNobody() (reason, detail string) {
	if r.filled(hrIdentity...) {
		return ReasonBadValue, "the mail address, user principal name or employee id is none"
	}
	return ReasonMissing, "the row names nobody: neither email, user_principal_name nor employee_id is filled; " +
		"if they have other columns, name them in the setting normalise.hr.columns"
}

// hrDates are the dates of a row, 0 where it has none.
type hrDates struct {
	resigned, lastDay, terminated, contractEnd, effective, hired schemas.Time
}

// date reads a field's date: 0 when there is none, an error that names the field
// when there is one nobody can read.
func (m *Mapper) date(r *hrRow, f hrField) (schemas.Time, error) {
	text := r.text[f]
	if text == "" || isNoDate(text) {
		return 0, nil
	}
	if t, ok := parseDate(text, m.hr.dayFirst); ok {
		return t, nil
	}
	return 0, fmt.Errorf("%s is no readable date", f)
}

// isNoDate tells the dates by which HR systems say "none" and "for ever".
func isNoDate(text string) bool {
	if strings.Trim(text, "0-/. :") == "" { // also a dash, and SAP's 00000000
		return true
	}
	switch lowercase(text) {
	case "99991231", "tbd", "tba", "na", "none", "nil", "unknown", "open":
		return true
	}
	head, _, _ := strings.Cut(text, ":") // fractions of a second are no year
	parts := strings.FieldsFunc(head, func(r rune) bool { return !isDigit(r) })
	return slices.ContainsFunc(parts[:min(len(parts), 3)], func(year string) bool {
		return year == "9999" || year == "1900" || year == "0001" || year == "0000"
	})
}

// finish completes an event of the feed and emits it.
//
// Its time is when the fact was known, not when it holds: the row's own date of
// change or upload, else when the record reached Kafka, else (a record without a
// time) the earliest date in it. A resignation takes effect weeks before or after
// the file that tells of it; body.Resigned, LastDay and Effective say that.
//
// Its id is the person, the scenario, its dates and the content of the row, so
// that the daily file which repeats the row repeats the fact. Dates of upload do
// not count; columns that hold no known field do not either.
func (m *Mapper) finish(rec record, r *hrRow, e *Event, body schemas.HR) {
	e.Source = schemas.SourceHR
	e.Outcome = schemas.OutcomeSuccess
	body.FamilyName, body.Address, body.Street = m.keyed(household{
		familyName: r.text[hrLastName], line: r.text[hrAddressLine], more: r.text[hrAddressMore],
		city: r.text[hrCity], postalCode: r.text[hrPostalCode],
	})
	e.HR = &body
	e.Actor.Profile = r.profile()
	e.Time = rec.raw.Time
	for _, f := range []hrField{hrUploadDate, hrLastModified} {
		if t, err := m.date(r, f); err == nil && t != 0 {
			e.Time = t
		}
	}
	for _, t := range []schemas.Time{body.Resigned, body.Effective, body.LastDay} {
		if e.Time == 0 {
			e.Time = t
		}
	}
	e.ID = m.hrID(r, e)
	m.emit(rec, e)
}

// hrID derives the event id from what the row says.
func (m *Mapper) hrID(r *hrRow, e *Event) schemas.UUID {
	parts := make([]string, 0, hrFieldCount+3)
	parts = append(parts, m.keyedKind("hr", e.Actor.Key()), e.HR.Scenario, e.Activity)
	for f := hrScenarioText + 1; f < hrAddressLine; f++ { // hrAddress holds the rest
		switch {
		case f == hrUploadDate:
		case f == hrLastModified && !returns(e.HR.Scenario):
		default:
			parts = append(parts, m.canonical(r, f))
		}
	}
	return schemas.NewUUID(parts...)
}

// returns tells the scenarios whose state may come back to what it was before,
// and is news then; a review is one however often its row is touched.
func returns(scenario string) bool {
	return scenario == scenarioWorker || scenario == scenarioResignation
}

// canonical returns a field's text, a date in one spelling.
func (m *Mapper) canonical(r *hrRow, f hrField) string {
	if f < hrResignationDate || f > hrUploadDate {
		return r.text[f]
	}
	t, err := m.date(r, f)
	switch {
	case err != nil:
		return r.text[f]
	case t == 0:
		return ""
	default:
		return t.String()
	}
}

// displayName returns the person's name as the row has it.
func (r *hrRow) displayName() string {
	return first(strings.TrimSpace(r.text[hrFirstName]+" "+r.text[hrLastName]), r.text[hrUserName])
}
