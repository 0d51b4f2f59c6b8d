package normalise

import (
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The schema identifiers of SCIM (RFC 7643, RFC 7644).
const (
	scimPrefix = "urn:ietf:params:scim:"
	scimUser   = "urn:ietf:params:scim:schemas:core:2.0:user"
)

// isSCIM tells a SCIM user, and an operation of a bulk request on one. The bulk
// request itself is an envelope.
func isSCIM(o object) bool {
	return isSCIMOperation(o) || isSCIMResource(o)
}

func isSCIMOperation(o object) bool {
	return o.has("method", "path") && strings.HasPrefix(lowercase(strings.TrimLeft(o.at("path"), "/")), "users")
}

func isSCIMResource(o object) bool {
	for _, schema := range o.get("schemas").items() {
		if strings.EqualFold(schema.text(), scimUser) {
			return true
		}
	}
	return false
}

// workdayList is the member of a Workday report in JSON that holds its rows.
const workdayList = "Report_Entry"

// hrList returns the entries of a Workday report, or the resources or operations
// of a SCIM message. It is asked of every document, and these have few members.
func hrList(o object) object {
	if !o.isObject() || o.len() > maxEnvelope {
		return object{}
	}
	if list := o.get(workdayList); list.isArray() || list.isObject() {
		return list
	}
	if isBundle(o) {
		return o.get("entry")
	}
	if list := o.get("Operations"); list.isArray() && slices.ContainsFunc(list.items(), isSCIMOperation) {
		return list // also from clients that leave the schema out
	}
	for _, schema := range o.get("schemas").items() {
		switch name := lowercase(schema.text()); {
		case !strings.HasPrefix(name, scimPrefix):
		case strings.HasSuffix(name, ":bulkrequest"):
			return o.get("Operations")
		case strings.HasSuffix(name, ":listresponse"):
			return o.get("Resources")
		}
	}
	return object{}
}

// scim maps a SCIM user, or an operation on one: what the person's account is
// now. A departure is active=false, with no date (RFC 7643, section 4.1.1).
func (m *Mapper) scim(rec record) {
	operation, path := "", ""
	if isSCIMOperation(rec.object) {
		operation, path = strings.ToUpper(rec.at("method")), rec.at("path")
		rec.object = m.embedded(rec.get("data"))
	}
	row := m.scimRow(rec.object)
	if operation == "PATCH" {
		m.scimPatch(rec.object, &row)
	}
	if operation == "DELETE" {
		row.set(hrAccountEnabled, "false")
	}
	e := &Event{Actor: row.scimActor(rec.object)}
	e.Operation = operationText(operation)
	if id := path[strings.LastIndexByte(path, '/')+1:]; !e.Actor.IsNamed() && strings.Contains(strings.Trim(path, "/"), "/") {
		e.Actor.ObjectID = objectID(id) // the path names whom the operation is about
		if named := person(id); named.UPN != "" {
			e.Actor = named
		}
	}
	if !e.Actor.IsNamed() {
		rec.reject(ReasonMissing, "a SCIM user without userName, emails, externalId and employeeNumber")
		return
	}
	dates, err := m.hrDates(&row, scenarioWorker)
	if err != nil {
		rec.reject(ReasonBadTime, err.Error())
		return
	}
	e.Clear.DisplayName = row.displayName()
	body := schemas.HR{Scenario: scenarioWorker, EmployeeType: row.text[hrEmployeeType]}
	body.OnLeave, _ = row.truth(hrOnLeave)
	m.worker(&row, e, &body, dates)
	m.finish(rec, &row, e, body)
}

// scimRow reads a resource as a row: its own attributes and those of its
// extensions, whose names are free but for the enterprise user's.
func (m *Mapper) scimRow(o object) hrRow {
	var row hrRow
	if !o.isObject() {
		return row
	}
	read := func(o object) {
		for name, member := range o.members() {
			switch field := m.hr.field(name); field {
			case hrNone, hrUserID, hrObjectID, hrEmail, hrScenarioText:
			case hrWorkerStatus: // SCIM's active is the account's
				row.set(hrAccountEnabled, cellOf(member))
			case hrEmployeeID:
				// externalId is the provisioning client's own id; the extension's
				// employeeNumber comes before it.
				if !strings.EqualFold(name, "externalId") {
					row.set(field, cellOf(member))
				}
			default:
				row.set(field, cellOf(member))
			}
		}
	}
	read(o)
	for name, extension := range o.members() {
		if extension.isObject() && strings.HasPrefix(lowercase(name), "urn:") {
			read(extension)
		}
	}
	if meta := o.at("meta", "lastModified"); meta != "" {
		row.set(hrLastModified, meta)
	}
	row.set(hrEmployeeType, o.at("userType"))
	row.set(hrFirstName, o.at("name", "givenName"))
	row.set(hrLastName, o.at("name", "familyName"))
	if display := o.at("displayName"); display != "" {
		row.text[hrUserName] = display
	}
	return row
}

// scimPatch applies the replacements of a patch (RFC 7644, section 3.5.2): to the
// account's state and to what goes to the vault. Nothing else in one matters here.
func (m *Mapper) scimPatch(o object, row *hrRow) {
	var set func(path string, value object)
	set = func(path string, value object) {
		attribute := path[strings.LastIndexByte(path, ':')+1:] // behind the schema's name
		attribute, _, _ = strings.Cut(attribute, ".")          // manager.value
		switch field := m.hr.field(attribute); {
		case strings.EqualFold(attribute, "active"):
			row.text[hrAccountEnabled] = cellOf(value)
		case field == hrDepartment || field == hrJobTitle || field == hrManagerID || field == hrUserName && strings.EqualFold(attribute, "displayName"):
			row.text[field] = cellOf(value)
		case value.isObject() && (path == "" || strings.EqualFold(attribute, "User")): // attributes, or an extension of them
			for name, member := range value.members() {
				set(name, member)
			}
		}
	}
	for _, operation := range o.get("Operations").items() {
		if !strings.EqualFold(operation.at("op"), "remove") {
			set(operation.at("path"), operation.get("value"))
		}
	}
}

// scimActor names the person of a SCIM user by every name in it.
func (r *hrRow) scimActor(o object) Actor {
	a := Actor{Type: schemas.ActorPerson}
	if user := person(o.at("userName")); user.UPN != "" {
		a = user
	} else {
		a.Account = lowercase(user.Account)
	}
	if mail := lowercase(scimMail(o)); isUPN(mail) && mail != a.UPN {
		a.Mail = mail
	}
	a.ObjectID = objectID(o.at("id"))
	for _, id := range []string{r.text[hrEmployeeID], o.at("externalId")} {
		switch {
		case isPlaceholder(id):
		case isGUID(id):
			a.ObjectID = objectID(id) // Entra sends its own object id
		case isUPN(lowercase(id)):
			a.Mail = first(a.Mail, lowercase(id))
		case a.EmployeeID == "" && isEmployeeID(id):
			a.EmployeeID = strings.ToUpper(id)
		}
	}
	if a.UPN != "" || a.Mail != "" || a.EmployeeID != "" || a.ObjectID != "" {
		// A bare account name is nobody's alone: another system may have the same.
		a.Account = ""
	}
	return a
}

// scimMail returns the primary address, else the one for work, else the first;
// never one that says it is private.
func scimMail(o object) string {
	var work, other string
	for _, mail := range o.get("emails").items() {
		address := mail.str("value")
		if address == "" {
			address = mail.text()
		}
		switch kind := lowercase(mail.at("type")); {
		case kind == "home" || kind == "personal" || kind == "private":
		case mail.flag("primary"):
			return address
		case kind == "work":
			work = first(work, address)
		default:
			other = first(other, address)
		}
	}
	return first(work, other)
}
