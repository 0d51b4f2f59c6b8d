package normalise

import (
	"slices"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// cloudApp maps a row of CloudAppEvents: an activity in Microsoft 365, or in
// another cloud app that Defender for Cloud Apps is connected to.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-cloudappevents-table
func (m *Mapper) cloudApp(rec record) {
	raw := m.embedded(rec.get("RawEventData"))
	if isAuditRecord(raw) && raw.at("Id") != "" && raw.when("CreationTime", "CreationDate") != 0 {
		m.cloudAudit(rec, raw)
		return
	}
	m.cloudFile(rec, raw)
}

// cloudAudit maps the audit record inside the row as if it had come by its own
// feed, so that both deliveries are one event, and adds what the row knows more.
func (m *Mapper) cloudAudit(rec record, raw object) {
	row, before := rec.object, len(rec.out.Events)
	rec.object = raw
	m.routeAudit(rec)
	id := objectID(row.at("AccountObjectId"))
	if row.flag("IsImpersonated") || cloudAccount(row.at("AccountType")) != schemas.ActorPerson {
		id = "" // of the application, or of whoever is behind
	}
	user := person(raw.str("UserId"))
	for _, e := range rec.out.Events[before:] {
		if id != "" && e.Actor.ObjectID == "" && e.Actor.UPN != "" && e.Actor.UPN == user.UPN {
			e.Actor.ObjectID = id
		}
		m.enrich(e, row)
	}
}

// enrich adds where and on what it was done, which audit records do not say.
func (m *Mapper) enrich(e *Event, row object) {
	if e.SourceIP == nil {
		m.from(e, row.at("CountryCode"), 0, row.at("IPAddress"))
	} else if ip, ok := parseAddress(row.at("IPAddress")); ok && e.SourceIP.Country == "" && ip.String() == e.Clear.SourceIP {
		m.from(e, row.at("CountryCode"), 0, row.at("IPAddress"))
	}
	e.Clear.City = first(e.Clear.City, row.at("City"))
	e.Clear.UserAgent = first(e.Clear.UserAgent, row.at("UserAgent"))
	e.Clear.DisplayName = first(e.Clear.DisplayName, row.at("AccountDisplayName"))
	if os := row.at("OSPlatform"); e.Device == nil && os != "" && !strings.EqualFold(os, "unknown") {
		e.Device = &schemas.Device{OS: m.platform(e, os)}
	}
}

// cloudFile maps what was done to a file in Google Workspace, Box, Dropbox and
// other connected apps, each of which names its actions as it likes.
func (m *Mapper) cloudFile(rec record, raw object) {
	activity := microsoftActivity(rec.at("Application"), rec.at("ActionType"))
	if activity == "" {
		activity = cloudActivity(rec.at("ActionType"), rec.at("ObjectType"))
	}
	if activity == fileShared && isOpenToAnyone(rec.at("ActionType"), raw) {
		activity = fileAnonymousLink
	}
	if activity == "" {
		rec.skip(SkipCloudAppAction)
		return
	}
	e := m.row(rec, "cloudappevents", activity, rec.report())
	e.Outcome = schemas.OutcomeSuccess
	e.Actor = cloudActor(rec, raw)
	e.File = &schemas.File{Location: locationCloudApp, Count: 1, ItemType: itemFile, Application: rec.at("Application"), Size: raw.size("size", "FileSizeBytes", "fileSize")}
	if strings.Contains(lowercase(rec.at("ObjectType")), "folder") {
		e.File.ItemType = itemFolder
	}
	target := cloudTarget(m.embedded(rec.get("ActivityObjects")))
	name := first(rec.at("ObjectName"), target.at("Name"))
	m.objectOf(e, first(rec.at("ObjectId"), target.at("Id"), name))
	m.nameOf(e, baseName(name))
	m.enrich(e, rec.object)
	for _, shared := range sharedWith(m.embedded(rec.get("ActivityObjects")), e.Actor) {
		e.Clear.Targets = append(e.Clear.Targets, shared)
		m.to(e, shared)
	}
	switch {
	case activity == fileShared && e.Destination != nil && e.Destination.External:
		e.Activity = fileSharedExternal
	case activity == fileAnonymousLink, activity == fileAnonymousLinkUsed:
		e.Destination = &schemas.Destination{Class: ClassPublic, External: true}
	}
	m.emit(rec, e)
}

// cloudActor is the account of the row. The account id is whatever the app
// calls its user, often a mail address.
func cloudActor(rec record, raw object) Actor {
	a := person(rec.at("AccountId"))
	if mail := person(first(raw.at("actor", "email"), raw.at("actor", "user", "email"), raw.at("created_by", "login"),
		raw.at("UserId"), rec.at("UserId"))); a.UPN == "" && mail.UPN != "" {
		a = mail
	}
	if id := objectID(rec.at("AccountObjectId")); id != "" {
		a.ObjectID = id
	}
	if a.UPN != "" {
		a.Mail, a.UPN = a.UPN, ""
	}
	if kind := cloudAccount(rec.at("AccountType")); kind != schemas.ActorPerson {
		return Actor{Type: kind, App: first(lowercase(rec.at("AccountId")), a.Mail, a.ObjectID)}
	}
	switch {
	case a.Type == schemas.ActorSystem || a.Type == schemas.ActorService || a.Type == schemas.ActorAnonymous:
	case rec.flag("IsExternalUser"):
		a.Type = schemas.ActorGuest
	case a.Mail != "" || a.ObjectID != "":
		a.Type = schemas.ActorPerson
	}
	return a
}

// cloudAccount reads AccountType: Regular, System, Admin, DcAdmin, Application.
func cloudAccount(kind string) schemas.ActorType {
	switch lowercase(kind) {
	case "application", "serviceprincipal":
		return schemas.ActorService
	case "system", "dcadmin":
		return schemas.ActorSystem
	default:
		return schemas.ActorPerson
	}
}

// cloudTarget is the object that the action was on.
func cloudTarget(activityObjects object) object {
	for _, o := range activityObjects.items() {
		if strings.EqualFold(o.at("Role"), "Target object") {
			return o
		}
	}
	return object{}
}

// sharedWith are the mail addresses of accounts that the action names and that
// are not the actor's own.
func sharedWith(activityObjects object, actor Actor) []string {
	var list []string
	for _, o := range activityObjects.items() {
		if strings.EqualFold(o.at("Role"), "Actor") {
			continue
		}
		for _, text := range []string{o.at("Id"), o.at("Name"), o.at("Value")} {
			if lower := lowercase(text); isUPN(lower) && lower != actor.Mail {
				list = append(list, text)
				break
			}
		}
	}
	return list
}

// microsoftActivity names an operation of SharePoint or OneDrive whose row came
// without the audit record: these have names of their own.
func microsoftActivity(application, action string) string {
	application, operation := lowercase(application), lowercase(action)
	if !strings.Contains(application, "sharepoint") && !strings.Contains(application, "onedrive") {
		return ""
	}
	switch operation {
	case "sharingset", "addedtosecurelink":
		return fileShared
	case "sharinginvitationcreated":
		return fileSharedExternal
	case "securelinkcreated":
		return fileSecureLink
	}
	return first(sharingActivities[operation], sharePointActivities[operation])
}

// isOpenToAnyone tells Google's changes of visibility that let in whoever has
// the link. Every event on a document names its visibility.
// https://developers.google.com/workspace/admin/reports/v1/appendix/activity/drive
func isOpenToAnyone(action string, raw object) bool {
	if !slices.Contains(words(action), "visibility") {
		return false
	}
	for _, event := range raw.get("events").items() {
		switch event.get("parameters").named("visibility").text() {
		case "people_with_link", "public_on_the_web":
			return true
		}
	}
	return false
}

// cloudVerbs gives the verb of a word in the name of an action, the more
// telling words first: "Copy file to shared folder" is a copy.
var cloudVerbs = []struct{ stem, verb string }{
	{"download", "downloaded"},
	{"export", "downloaded"},
	{"upload", "uploaded"},
	{"print", "printed"},
	{"unshar", "unshared"},
	{"copy", "copied"},
	{"copied", "copied"},
	{"move", "moved"},
	{"rename", "renamed"},
	{"untrash", "restored"},
	{"restor", "restored"},
	{"undelet", "restored"},
	{"delet", "deleted"},
	{"trash", "deleted"},
	{"remov", "deleted"},
	{"purg", "deleted"},
	{"shar", "shared"},
	{"collaborat", "shared"},
	{"invit", "shared"},
	{"sync", "synced"},
	{"preview", "previewed"},
	{"creat", "created"},
	{"add", "created"},
	{"edit", "modified"},
	{"modif", "modified"},
	{"updat", "modified"},
	{"chang", "modified"},
	{"view", "accessed"},
	{"open", "accessed"},
	{"access", "accessed"},
	{"read", "accessed"},
}

// cloudActivity names what an action did to a file; nothing when it was to
// something else. Downloads and uploads are of files even when nothing says so.
func cloudActivity(action, objectType string) string {
	stems := words(action)
	isFile := false
	for _, word := range append(words(objectType), stems...) {
		isFile = isFile || isFileNoun(word)
	}
	if isFile && changesAccess(stems) {
		return fileShared
	}
	for _, candidate := range cloudVerbs {
		for i, word := range stems {
			if !strings.HasPrefix(word, candidate.stem) || word == "shared" && i+1 < len(stems) && isFileNoun(stems[i+1]) {
				continue // to view a shared file is not to share it
			}
			if isFile || candidate.verb == "downloaded" || candidate.verb == "uploaded" {
				return "file." + candidate.verb
			}
		}
	}
	return ""
}

func isFileNoun(word string) bool {
	switch strings.TrimSuffix(word, "s") {
	case "file", "folder", "document", "doc", "item", "spreadsheet", "presentation", "pdf", "image", "video":
		return true
	default:
		return false
	}
}

// changesAccess tells actions that let others in without speaking of sharing,
// such as Google's change_user_access and change_document_visibility.
func changesAccess(stems []string) bool {
	changes, access := false, false
	for _, word := range stems {
		changes = changes || strings.HasPrefix(word, "chang") || strings.HasPrefix(word, "updat") || strings.HasPrefix(word, "add")
		access = access || word == "access" || word == "acl" || word == "visibility" || strings.HasPrefix(word, "permission")
	}
	return changes && access
}
