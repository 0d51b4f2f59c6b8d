package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The activities on health records.
const (
	activityRecordAccessed = "health.record_accessed"
	activityRecordExported = "health.record_exported"
	activityRecordPrinted  = "health.record_printed"
	activityRecordModified = "health.record_modified"
)

// healthField is what a column of an audit export of a health record system may
// hold.
type healthField uint8

// The fields. healthFields gives their columns.
const (
	healthTime healthField = iota
	healthEvent
	healthSection
	healthCategory
	healthWorkstation
	healthPatientID
	healthPatientFirst
	healthPatientLast
	healthPatientLine
	healthPatientMore
	healthPatientCity
	healthPatientPostal
	healthReason
	healthComment
	healthRestricted
	healthBreakGlass
	healthPatientEmployee
	healthUser
	healthAccount
	healthEmployeeID
	healthEmployeeFirst
	healthEmployeeLast
	healthFieldCount
)

// healthFields names the columns of each field, folded: the fields of Purview's
// Healthcare connector, and of its Epic connector with and without their tables.
// https://learn.microsoft.com/purview/import-healthcare-data
// https://learn.microsoft.com/purview/import-epic-data
var healthFields = [healthFieldCount]string{
	healthTime:            "creationtime eventtime accesstime accesslogaccesstime timestamp",
	healthEvent:           "eventname metricname accesslogmetricmetricname",
	healthSection:         "eventsection metricgroupname zcmetricgroupname",
	healthCategory:        "eventcategory accessactionname zcaccessactionname",
	healthWorkstation:     "workstationid accesslogworkstationid",
	healthPatientID:       "patientregid patientid patientmrn patientmrnid patmrnid patientpatmrnid",
	healthPatientFirst:    "patientfirstname patfirstname patientpatfirstname",
	healthPatientLast:     "patientlastname patlastname patientpatlastname",
	healthPatientLine:     "patientaddressline1 patientaddline1",
	healthPatientMore:     "patientaddressline2 patientaddline2",
	healthPatientCity:     "patientcity",
	healthPatientPostal:   "patientzipcode patientpostalcode patientzip",
	healthReason:          "restrictedaccessreason btgreasonname zcbtgreasonname btgreason breaktheglassreason breakglassreason",
	healthComment:         "restrictedaccesscomment patbtgauditbtgexplanation btgexplanation",
	healthRestricted:      "restricted isrestricted confidential isconfidential vip isvip patientvip patientisvip patientrestricted",
	healthBreakGlass:      "breaktheglass breakglass isbreaktheglass isbreakglass btg",
	healthPatientEmployee: "patientisemployee isemployeepatient employeepatient",
	healthUser:            "emailaddress emailaddressupn userprincipalname upn userid",
	healthAccount:         "samaccountname employeeusername empsystemlogin systemlogin",
	healthEmployeeID:      "employeeid clarityempuserid",
	healthEmployeeFirst:   "employeefirstname",
	healthEmployeeLast:    "employeelastname",
}

// healthColumns finds fields by folded column.
func healthColumns() map[string]healthField {
	columns := map[string]healthField{}
	for field, names := range healthFields {
		for name := range strings.FieldsSeq(names) {
			columns[name] = healthField(field)
		}
	}
	return columns
}

// healthHeader assigns fields to the columns of a CSV header, healthFieldCount to
// those it does not know; nil when it is none of a health record system's.
func (m *Mapper) healthHeader(names []string) []healthField {
	columns := make([]healthField, len(names))
	patient, event := false, false
	for i, name := range names {
		field, known := m.healthColumns[foldColumn(name)]
		if !known {
			columns[i] = healthFieldCount
			continue
		}
		columns[i] = field
		patient = patient || field >= healthPatientID && field <= healthPatientPostal
		event = event || field == healthTime
	}
	if !patient || !event {
		return nil
	}
	return columns
}

// isHealth tells a row of a health record system's audit export: it has a column
// about a patient and one with the time of the event.
func (m *Mapper) isHealth(o object) bool {
	about := false
	for name := range o.members() {
		about = about || len(name) >= 3 && strings.EqualFold(name[:3], "pat")
	}
	if !about {
		return false
	}
	patient, event := false, false
	for name := range o.members() {
		field, known := m.healthColumns[foldColumn(name)]
		patient = patient || known && field >= healthPatientID && field <= healthPatientPostal
		event = event || known && field == healthTime
	}
	return patient && event
}

// health maps a row of a health record system: somebody opened, printed, took
// out or changed the record of a patient.
func (m *Mapper) health(rec record) {
	var row healthRow
	for name, member := range rec.members() {
		if field, known := m.healthColumns[foldColumn(name)]; known && row[field] == "" {
			row[field] = member.text()
		}
	}
	m.healthRow(rec, &row)
}

// healthRow is a row of an export, as JSON or CSV, by field.
type healthRow [healthFieldCount]string

func (m *Mapper) healthRow(rec record, row *healthRow) {
	e := &Event{Actor: healthActor(row[healthUser], row[healthAccount], row[healthEmployeeID])}
	// Rows have no id of their own, and exports overlap: what a row says is its id.
	e.ID = schemas.NewUUID(append([]string{m.keyedKind("health", row[:]...)}, row[:]...)...)
	e.Source = schemas.SourceFile
	e.Outcome = schemas.OutcomeSuccess
	e.Activity = healthActivity(row[healthCategory], row[healthEvent], row[healthSection])
	e.Operation = operationText(first(row[healthEvent], row[healthCategory]))
	e.Time, _ = parseTime(row[healthTime])
	m.on(e, "", row[healthWorkstation], "", nil)
	overridden := known(row[healthReason]) != "" && !isNo(row[healthReason])
	restricted, _ := truthOf(row[healthRestricted])
	broken, _ := truthOf(row[healthBreakGlass])
	employee, _ := truthOf(row[healthPatientEmployee])
	e.Health = &schemas.Health{
		Record: m.patientKey(row[healthPatientID]), Employee: employee,
		Restricted: restricted || overridden || broken, BreakGlass: overridden || broken,
	}
	e.Health.FamilyName, e.Health.Address, e.Health.Street = m.keyed(household{
		familyName: row[healthPatientLast], line: row[healthPatientLine], more: row[healthPatientMore],
		city: row[healthPatientCity], postalCode: row[healthPatientPostal],
	})
	e.Clear.DisplayName = strings.TrimSpace(row[healthEmployeeFirst] + " " + row[healthEmployeeLast])
	e.Clear.Object = row[healthPatientID]
	e.Clear.Patient = joined(", ", strings.TrimSpace(row[healthPatientFirst]+" "+row[healthPatientLast]),
		row[healthPatientLine], row[healthPatientMore], row[healthPatientCity], row[healthPatientPostal])
	e.Clear.Remarks = joined("; ", row[healthReason], row[healthComment])
	m.emit(rec, e)
}

// healthActor names the employee by user principal name, account and number.
func healthActor(user, account, employee string) Actor {
	a := person(user)
	if a.UPN == "" {
		if named := person(account); named.UPN != "" || !a.IsNamed() {
			a = named
		}
	}
	switch {
	case isPlaceholder(employee) || !isEmployeeID(employee) || !isPerson(a) && a.IsNamed():
	case a.EmployeeID == "":
		a.EmployeeID = strings.ToUpper(employee)
	}
	if a.Type == schemas.ActorUnknown && a.IsNamed() {
		a.Type = schemas.ActorPerson // the field is for users
	}
	return a
}

// patientKey is the keyed hash of a patient's id.
func (m *Mapper) patientKey(id string) schemas.Hash {
	if isPlaceholder(id) {
		return 0
	}
	return m.hashFolded("patient", id)
}

// healthActivity reads what was done off the names of an event, the most telling
// first; a record that nothing else is said of was looked at.
func healthActivity(names ...string) string {
	for _, name := range names {
		for _, word := range words(name) {
			switch {
			case strings.HasPrefix(word, "print"):
				return activityRecordPrinted
			case strings.HasPrefix(word, "export"), strings.HasPrefix(word, "download"), strings.HasPrefix(word, "extract"), strings.HasPrefix(word, "releas"):
				return activityRecordExported
			case strings.HasPrefix(word, "modif"), strings.HasPrefix(word, "edit"), strings.HasPrefix(word, "updat"),
				strings.HasPrefix(word, "creat"), strings.HasPrefix(word, "delet"), strings.HasPrefix(word, "amend"):
				return activityRecordModified
			}
		}
	}
	return activityRecordAccessed
}

// isNo tells a flag that says no.
func isNo(text string) bool {
	value, ok := truthOf(text)
	return ok && !value
}

// joined joins the texts that are not empty.
func joined(separator string, texts ...string) string {
	var parts []string
	for _, text := range texts {
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, separator)
}
