package normalise

import (
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// SkipNoPatient is the reason for audit events of a health record system that
// are about no patient: log-ons, searches, exchanges between servers.
const SkipNoPatient = "no_patient"

// maxPatients bounds the events of one audit event, which may list the patients
// of a search.
const maxPatients = 200

// isAuditEvent tells the FHIR resource.
func isAuditEvent(o object) bool { return o.at("resourceType") == "AuditEvent" }

// isBundle tells FHIR's envelope.
func isBundle(o object) bool { return o.at("resourceType") == "Bundle" && o.get("entry").isArray() }

// auditEvent maps a FHIR AuditEvent (R4; of R5 what is named alike): one event a
// patient.
// https://hl7.org/fhir/R4/auditevent.html
func (m *Mapper) auditEvent(rec record) {
	var patients []object
	for _, entity := range rec.get("entity").items() {
		if isPatient(entity) && len(patients) < maxPatients {
			patients = append(patients, entity)
		}
	}
	if len(patients) == 0 {
		rec.skip(SkipNoPatient)
		return
	}
	labels := securityLabels(rec.object)
	native := rec.native(rec.at("id"), rec.at("recorded"))
	for _, patient := range patients {
		id := first(referenceID(patient.at("what", "reference")), patient.at("what", "identifier", "value"))
		e := &Event{}
		e.ID = schemas.NewUUID(append([]string{m.keyedKind("fhir-audit", id)}, native...)...)
		e.Source = schemas.SourceFile
		e.Time = rec.when("recorded")
		e.Activity, e.Operation = fhirActivity(rec), operationText(first(fhirCode(rec.get("subtype")), rec.at("action")))
		e.Outcome = fhirOutcome(rec.get("outcome"))
		m.fhirAgent(rec, e)
		e.Health = &schemas.Health{
			Record:     m.patientKey(id),
			Restricted: slices.ContainsFunc(labels, isRestricting),
			Employee:   slices.Contains(labels, "EMP"),
			BreakGlass: breaksGlass(rec.object),
		}
		e.Health.Restricted = e.Health.Restricted || e.Health.BreakGlass
		name := first(patient.at("name"), patient.at("what", "display"))
		if family, _, given := strings.Cut(name, ","); given { // "Berg, Ida": in any other order nobody can tell
			e.Health.FamilyName, _, _ = m.keyed(household{familyName: family})
		}
		e.Clear.Object, e.Clear.Patient = id, name
		m.emit(rec, e)
	}
}

// isPatient tells an entity that is a patient: by reference, type or role.
func isPatient(entity object) bool {
	what := entity.get("what")
	return strings.HasPrefix(what.at("reference"), "Patient/") || strings.Contains(what.at("reference"), "/Patient/") ||
		strings.EqualFold(what.at("type"), "Patient") || entity.at("role", "code") == "1" && entity.at("type", "code") != "2"
}

// referenceID is the id at the end of a FHIR reference, without a version.
func referenceID(reference string) string {
	reference, _, _ = strings.Cut(reference, "/_history/")
	return baseName(reference)
}

// fhirAgent fills in who asked for it and from where: the agent that says so,
// else the first one that is a person.
func (m *Mapper) fhirAgent(rec record, e *Event) {
	agents := rec.get("agent").items()
	slices.SortStableFunc(agents, func(a, b object) int { return order(b.flag("requestor")) - order(a.flag("requestor")) })
	for _, agent := range agents {
		a := agentActor(agent)
		if !a.IsNamed() {
			continue
		}
		e.Actor = a
		e.Clear.DisplayName = first(agent.at("name"), agent.at("who", "display"))
		m.from(e, "", 0, agent.at("network", "address"), agent.at("networkString"))
		return
	}
}

// agentActor names an agent: by login, by the organisation's identifier, which is
// an employee's number when it is no login, else by its reference. That is kept
// whole: the bare number in it would be somebody else's elsewhere.
func agentActor(agent object) Actor {
	who := agent.get("who")
	reference, login, number := who.at("reference"), agent.at("altId"), ""
	identifier := who.at("identifier", "value")
	if strings.ContainsAny(identifier, `@\`) {
		login = first(login, identifier)
	} else {
		number = identifier
	}
	if strings.HasPrefix(reference, "Device/") || strings.HasPrefix(reference, "Organization/") {
		reference = ""
	}
	if login == "" && number == "" {
		login = reference
	}
	return healthActor(login, "", number)
}

func order(first bool) int {
	if first {
		return 1
	}
	return 0
}

// fhirActivity reads what was done: the type and subtype where they tell, else
// the action, a letter.
func fhirActivity(rec record) string {
	names := []string{rec.at("type", "display"), rec.at("type", "code")}
	for _, subtype := range rec.get("subtype").items() {
		names = append(names, subtype.at("display"), subtype.at("code"))
	}
	if slices.Contains(names, "110106") { // DICOM: Export
		return activityRecordExported
	}
	if activity := healthActivity(names...); activity != activityRecordAccessed {
		return activity
	}
	switch rec.at("action") {
	case "C", "U", "D":
		return activityRecordModified
	default:
		return activityRecordAccessed
	}
}

// fhirOutcome reads the outcome, a code in R4 and a coding in R5.
func fhirOutcome(outcome object) schemas.Outcome {
	switch first(outcome.text(), outcome.at("code", "code")) {
	case "", "0", "success", "information":
		return schemas.OutcomeSuccess
	default:
		return schemas.OutcomeFailure
	}
}

// securityLabels are the codes that mark the record's entities.
func securityLabels(o object) []string {
	var codes []string
	for _, entity := range o.get("entity").items() {
		for _, label := range entity.get("securityLabel").items() {
			codes = append(codes, strings.ToUpper(fhirCode(label)))
		}
	}
	return codes
}

// isRestricting tells the codes of HL7 for restricted and very restricted
// records, and those of well-known people.
func isRestricting(code string) bool { return code == "R" || code == "V" || code == "CELEB" }

// breaksGlass tells whether the purpose was to override a restriction.
func breaksGlass(o object) bool {
	purposes := append(o.get("purposeOfEvent").items(), o.get("authorization").items()...)
	for _, agent := range o.get("agent").items() {
		purposes = append(purposes, agent.get("purposeOfUse").items()...)
		purposes = append(purposes, agent.get("authorization").items()...)
	}
	return slices.ContainsFunc(purposes, func(purpose object) bool {
		return strings.EqualFold(fhirCode(purpose), "BTG") ||
			slices.ContainsFunc(purpose.get("coding").items(), func(coding object) bool { return strings.EqualFold(coding.at("code"), "BTG") })
	})
}

// fhirCode is the code of a coding, of the first coding of a concept, or of the
// first of a list of either.
func fhirCode(o object) string {
	for _, item := range o.items() {
		if code := item.at("code"); code != "" {
			return code
		}
		for _, coding := range item.get("coding").items() {
			if code := coding.at("code"); code != "" {
				return code
			}
		}
	}
	return ""
}
