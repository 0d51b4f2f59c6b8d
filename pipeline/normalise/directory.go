package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The activities of accounts. Their actor is the person whose account it is,
// not the administrator who did it.
const (
	activityAccountDeleted  = "account.deleted"
	activityAccountDisabled = "account.disabled"
	activityAccountEnabled  = "account.enabled" // enabled again, or restored after deletion
)

// SkipDirectoryOperation is the reason for directory operations that say
// nothing about whether a person's account lives.
const SkipDirectoryOperation = "directory_operation"

// accountOperations are the directory operations which end an account or bring
// it back, lower case, without the full stop that one of the feeds adds.
// https://learn.microsoft.com/entra/identity/monitoring-health/reference-audit-activities
var accountOperations = map[string]string{
	"delete user":           activityAccountDeleted,
	"hard delete user":      activityAccountDeleted,
	"delete external user":  activityAccountDeleted,
	"disable account":       activityAccountDisabled,
	"disable user":          activityAccountDisabled,
	"enable account":        activityAccountEnabled,
	"enable user":           activityAccountEnabled,
	"restore user":          activityAccountEnabled,
	"restore external user": activityAccountEnabled,
}

// accountActivity returns the activity of a directory operation, empty when it
// is about something else. An update counts when it switches the account on or
// off: tenants synchronised from Active Directory log nothing else.
func accountActivity(operation string, changes object) string {
	operation = foldOperation(operation)
	if operation != operationUpdate {
		return accountOperations[operation]
	}
	for _, change := range changes.items() {
		if !strings.EqualFold(change.str("Name", "displayName"), "AccountEnabled") {
			continue
		}
		before, after := lowercase(change.at("oldValue")), lowercase(change.at("newValue"))
		switch {
		case strings.Contains(after, "false") && !strings.Contains(before, "false"):
			return activityAccountDisabled
		case strings.Contains(after, "true") && strings.Contains(before, "false"):
			return activityAccountEnabled
		}
	}
	return ""
}

// operationUpdate changes what the directory says of a user.
const operationUpdate = "update user"

func foldOperation(operation string) string {
	return strings.TrimRight(lowercase(strings.TrimSpace(operation)), ". ")
}

// tellChanges tells what an operation on a user's account says of the user.
func (m *Mapper) tellChanges(rec record, who Actor, operation string, changes object) {
	switch foldOperation(operation) {
	case operationUpdate, "add user":
		if who.Profile = m.changedProfile(changes); who.Profile != nil {
			rec.link(who)
		}
	}
}

// isDirectoryAudit tells the Graph directoryAudit resource and a row of the Log
// Analytics table made of it.
// https://learn.microsoft.com/graph/api/resources/directoryaudit
func isDirectoryAudit(o object) bool {
	return o.has("activityDisplayName") && (o.has("targetResources") || o.has("initiatedBy") || o.has("activityDateTime"))
}

// directoryAudit maps what a directory audit record, bare or as the properties
// of a diagnostic record, says of accounts.
func (m *Mapper) directoryAudit(rec record) {
	operation := first(rec.str("activityDisplayName", "operationName"), rec.envelope.at("operationName"))
	for _, target := range m.embedded(rec.get("targetResources")).items() {
		if kind := target.at("type"); kind != "" && !strings.EqualFold(kind, "user") {
			continue
		}
		changes, who := m.embedded(target.get("modifiedProperties")), userActor(livingUPN(target.at("userPrincipalName")), target.at("id"), "")
		m.tellChanges(rec, who, operation, changes)
		activity := accountActivity(operation, changes)
		if activity == "" {
			continue
		}
		e := &Event{Actor: who}
		e.ID = m.id(rec, "entra-audit", rec.at("id"))
		e.Activity, e.Operation = activity, operation
		e.Time = rec.when("activityDateTime", "TimeGenerated")
		if e.Time == 0 {
			e.Time = rec.envelope.when("time")
		}
		e.Outcome = auditOutcome(rec.at("result"))
		e.Clear.DisplayName = target.at("displayName")
		by := m.embedded(rec.get("initiatedBy"))
		m.account(rec, e, first(by.at("user", "userPrincipalName"), by.at("app", "displayName")))
		return
	}
	rec.skip(SkipDirectoryOperation)
}

// auditDirectory maps the Office 365 form, record type 8. The target is a list
// of names of one object: object id, kind, UPN.
func (m *Mapper) auditDirectory(rec record) {
	operation, changes := rec.at("Operation"), m.embedded(rec.get("ModifiedProperties"))
	activity := accountActivity(operation, changes)
	var upn, id string
	kind := "user"
	for _, name := range m.embedded(rec.get("Target")).items() {
		text := name.at("ID")
		switch name.at("Type") {
		case identityUPN:
			upn = first(upn, text)
		case identityObjectID:
			if objectID(text) != "" {
				id = first(id, text)
			} else if prefix, _, found := strings.Cut(text, "_"); found || text != "" {
				kind = prefix
			}
		}
	}
	who := userActor(livingUPN(first(upn, rec.at("ObjectId"))), id, "")
	if strings.EqualFold(kind, "user") {
		m.tellChanges(rec, who, operation, changes)
	}
	if activity == "" || !strings.EqualFold(kind, "user") {
		rec.skip(SkipDirectoryOperation)
		return
	}
	by := rec.at("UserId")
	e := m.audit(rec, schemas.SourceSignIn)
	e.Actor = who
	e.Activity = activity
	e.SourceIP, e.Clear.SourceIP, e.Clear.UserAgent = nil, "", "" // the administrator's
	m.account(rec, e, by)
}

// account finishes an event about a person's account, done by somebody else.
func (m *Mapper) account(rec record, e *Event, by string) {
	e.Source = schemas.SourceSignIn
	if by != "" {
		e.Clear.Targets = []string{by}
	}
	if !e.Actor.IsNamed() {
		rec.skip(SkipDirectoryOperation)
		return
	}
	m.emit(rec, e)
}

// livingUPN returns the UPN that a deleted user had: Entra puts the object id,
// without its dashes, before it.
func livingUPN(upn string) string {
	const digits = 32
	if len(upn) > digits && strings.Trim(lowercase(upn[:digits]), "0123456789abcdef") == "" && strings.IndexByte(upn, '@') > digits {
		return upn[digits:]
	}
	return upn
}
