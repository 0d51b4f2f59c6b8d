package normalise

import (
	"net/url"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The activities by which data is opened to others. Each counts acts of
// sharing, not records: one click on Share writes up to six records within a
// second (SharingSet twice, AnonymousLinkCreated, SharingInheritanceBroken,
// AddedToGroup, ...), all under one CorrelationId.
//
// So records that only carry out the act (groups that SharePoint makes for a
// link, broken inheritance, Limited Access on the folders above) are
// file.permission_changed, a link for named people is file.secure_link_created,
// and the records that name the same recipient of the same object in the same
// act share one event id (see shareID).
const (
	fileShared            = "file.shared"
	fileSharedExternal    = "file.shared_external"
	fileAnonymousLink     = "file.anonymous_link_created"
	fileAnonymousLinkUsed = "file.anonymous_link_used"
	fileCompanyLink       = "file.company_link_created"
	fileSecureLink        = "file.secure_link_created"
	fileUnshared          = "file.unshared"
	filePermissionChanged = "file.permission_changed"
)

// sharingActivities gives the activity of the sharing operations, in lower case,
// whose target does not matter.
var sharingActivities = map[string]string{
	"anonymouslinkcreated":       fileAnonymousLink,
	"anonymouslinkupdated":       "file.anonymous_link_updated",
	"anonymouslinkused":          fileAnonymousLinkUsed,
	"anonymouslinkremoved":       fileUnshared,
	"anonymouslinkdeleted":       fileUnshared,
	"companylinkcreated":         fileCompanyLink,
	"companylinkused":            "file.company_link_used",
	"companylinkremoved":         fileUnshared,
	"companylinkdeleted":         fileUnshared,
	"securelinkused":             "file.secure_link_used",
	"securelinkupdated":          filePermissionChanged,
	"securelinkdeleted":          fileUnshared,
	"securelinkremoved":          fileUnshared,
	"removedfromsecurelink":      fileUnshared,
	"sharingrevoked":             fileUnshared,
	"sharinginvitationrevoked":   fileUnshared,
	"sharinginvitationupdated":   filePermissionChanged,
	"sharinginvitationaccepted":  "file.sharing_accepted",
	"sharinginheritancebroken":   filePermissionChanged,
	"sharinginheritancereset":    filePermissionChanged,
	"removedfromgroup":           filePermissionChanged,
	"sitecollectionadminadded":   "site.admin_added",
	"sitecollectionadminremoved": "site.admin_removed",
	"accessrequestcreated":       "file.access_requested",
	"accessrequestupdated":       "file.access_requested",
	"accessrequestapproved":      "file.access_granted",
	"accessrequestaccepted":      "file.access_granted",
	"accessrequestdenied":        "file.access_denied",
	"accessrequestrejected":      "file.access_denied",
	"accessrequestexpired":       "file.access_denied",
	"accessinvitationaccepted":   "file.sharing_accepted",
	"accessinvitationrevoked":    fileUnshared,
	"accessinvitationexpired":    fileUnshared,
	"accessinvitationupdated":    filePermissionChanged,
}

// sharing maps the sharing operations and tells whether this is one.
func (m *Mapper) sharing(rec record, e *Event, operation string) bool {
	if verb, link := strings.CutPrefix(operation, "sharinglink"); link {
		operation = linkOperation(rec.str("SharingLinkScope", "LinkScope")) + verb
	}
	switch operation {
	case "sharingset", "addedtosecurelink", "securelinkcreated", "addedtogroup",
		"sharinginvitationcreated", "sharinginvitationblocked", "accessinvitationcreated":
		m.shared(rec, e, operation)
		return true
	}
	activity, known := sharingActivities[operation]
	if !known {
		return false
	}
	e.Activity = activity
	switch activity {
	case fileAnonymousLink:
		e.Destination = &schemas.Destination{Class: ClassPublic, External: true}
		e.ID = shareID(rec, e, "anyone")
	case "file.anonymous_link_updated":
		e.Destination = &schemas.Destination{Class: ClassPublic, External: true}
	case fileAnonymousLinkUsed:
		e.Destination = &schemas.Destination{Class: ClassPublic, External: true}
		if e.Actor.Type == schemas.ActorUnknown && !e.Actor.IsNamed() {
			e.Actor.Type = schemas.ActorAnonymous
		}
	case fileCompanyLink:
		e.Destination = &schemas.Destination{Class: ClassInternal}
		e.ID = shareID(rec, e, "organisation")
	default:
		if target := shareTarget(rec); target != "" {
			e.Clear.Targets = []string{target}
		}
	}
	return true
}

// linkOperation turns the newer operations for links, which are the same for
// all, back into those that tell who may use the link: it returns how they begin.
func linkOperation(scope string) string {
	switch lowercase(scope) {
	case "anonymous", "anyone":
		return "anonymouslink"
	case "organization", "company":
		return "companylink"
	default:
		return "securelink"
	}
}

// shared maps the operations which give access to somebody.
func (m *Mapper) shared(rec record, e *Event, operation string) {
	target := shareTarget(rec)
	if target != "" {
		e.Clear.Targets = []string{target}
	}
	if isPermissionNoise(rec, target) {
		e.Activity = filePermissionChanged
		return
	}
	external := m.sharedWith(rec, e, target)
	switch {
	case external, strings.Contains(operation, "invitation"):
		e.Activity = fileSharedExternal
		if e.Destination == nil || !e.Destination.External {
			e.Destination = &schemas.Destination{Class: ClassExternal, External: true}
		}
	case operation == "addedtogroup":
		e.Activity = filePermissionChanged
		return
	case target == "" && operation == "securelinkcreated":
		e.Activity = fileSecureLink
		return
	case target == "":
		e.Activity = filePermissionChanged
		return
	default:
		e.Activity = fileShared
	}
	if operation == "sharinginvitationblocked" {
		e.Outcome = schemas.OutcomeFailure
		return // an attempt: not the same fact as a share that went through
	}
	e.ID = shareID(rec, e, target)
}

// sharedWith fills in the destination from the target and tells whether it lies
// outside the organisation: upstream says guest or partner, or the domain does.
// A member in the sharer's own domain is a colleague whatever the lists say.
func (m *Mapper) sharedWith(rec record, e *Event, target string) bool {
	kind := lowercase(rec.at("TargetUserOrGroupType"))
	address := isUPN(target)
	if kind == "member" && address && e.Actor.UPN != "" && domainOf(target) == domainOf(e.Actor.UPN) {
		e.Destination = &schemas.Destination{Class: ClassInternal, Domain: m.hash("domain", domainOf(target))}
		return false
	}
	external := address && m.to(e, target) > 0
	return external || kind == "guest" || kind == "partner" || kind == "external"
}

// shareTarget returns with whom it was shared, in one spelling for one account:
// MARKETING@FABRIKAM.COM of the link and marketing_fabrikam.com#EXT#@contoso.com
// of the group are one guest.
func shareTarget(rec record) string {
	target := lowercase(rec.str("TargetUserOrGroupName", "UserSharedWith"))
	if strings.HasPrefix(target, "i:0") {
		target = target[strings.LastIndexByte(target, '|')+1:]
	}
	target = strings.TrimPrefix(target, "urn:spo:guest#")
	if before, _, guest := strings.Cut(target, "#ext#"); guest {
		if i := strings.LastIndexByte(before, '_'); i > 0 {
			return before[:i] + "@" + before[i+1:]
		}
	}
	return target
}

// isPermissionNoise tells records of how SharePoint carries a share out: groups
// that it keeps for links and for passage through the folders above, and groups
// of the site itself, whose members are recorded one by one.
func isPermissionNoise(rec record, target string) bool {
	data := rec.str("EventData", "Event_Data")
	switch lowercase(between(data, "Permissions granted")) {
	case "limited access", "system.limitedaccess", "web-only limited access":
		return true
	}
	return strings.EqualFold(rec.at("TargetUserOrGroupType"), "SharePointGroup") ||
		isLinkGroup(target) || isLinkGroup(lowercase(between(data, "Group")))
}

// isLinkGroup tells the names of groups that SharePoint makes for links.
func isLinkGroup(name string) bool {
	switch {
	case strings.HasPrefix(name, "limited access system group"),
		strings.HasPrefix(name, "sharinglinks."),
		strings.HasPrefix(name, `sharepoint\`):
		return true
	default:
		return len(name) >= 32 && strings.Trim(name, "0123456789abcdef") == ""
	}
}

// between returns what stands in a tag of EventData, which looks like XML and is
// not: tag names have blanks, and nothing is escaped.
func between(data, tag string) string {
	_, rest, found := strings.Cut(data, "<"+tag+">")
	if !found {
		return ""
	}
	value, _, found := strings.Cut(rest, "</"+tag+">")
	if !found {
		return ""
	}
	return strings.TrimSpace(value)
}

// shareID is the identity of an act of sharing: activity, correlation, sharer,
// recipient and object. The sharer is in it since SharePoint itself does part of
// the work under the same correlation, and must not stand in for the person.
// Where correlation, recipient or object is missing the record stands for itself.
func shareID(rec record, e *Event, target string) schemas.UUID {
	correlation := first(rec.at("CorrelationId"), rec.at("AppAccessContext", "CorrelationId"))
	object := rec.at("ObjectId")
	if isPlaceholder(correlation) || isPlaceholder(target) || isPlaceholder(object) {
		return e.ID
	}
	if plain, err := url.PathUnescape(object); err == nil {
		object = plain
	}
	object = lowercase(strings.TrimRight(object, `/\`))
	return schemas.NewUUID("o365-share", e.Activity, lowercase(correlation), e.Actor.Key(), target, object)
}
