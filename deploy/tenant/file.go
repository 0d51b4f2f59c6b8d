package tenant

import (
	"strconv"

	"github.com/riskpipe/riskpipe/schemas"
)

// file is a document of the organisation.
type file struct {
	name, extension string
	site, folder    string // of SharePoint
	size            int64
	label           string      // id of its sensitivity label, empty for none
	sensitive       []sensitive // what classification finds in it
}

// sensitive is how often a type of sensitive information occurs.
type sensitive struct {
	id, name string
	count    int
}

// file makes up a document from where a person works. Sites are large, so that
// names seldom repeat.
func (g *generator) file(p *person) file {
	extension := pick(g.dice, fileExtensions)
	b := g.line[:0]
	b = append(b, pick(g.dice, fileScopes)...)
	b = append(b, ' ')
	b = append(b, pick(g.dice, fileTopics)...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(g.dice.between(1, 900)), 10)
	b = append(b, '.')
	b = append(b, extension...)
	g.line = b
	return file{name: string(b), extension: extension, site: p.role.site, folder: pick(g.dice, folders), size: int64(g.dice.between(8_000, 6_000_000))}
}

// files are a person's everyday files in SharePoint and OneDrive.
func (g *generator) files(p *person, day int, busy float64) {
	for range g.dice.some(p.role.files * busy) {
		f := g.file(p)
		switch n := g.dice.IntN(100); {
		case n < 42:
			g.sharePoint(p, g.moment(p, day), "FileAccessed", &f)
		case n < 55:
			g.sharePoint(p, g.moment(p, day), "FileModified", &f)
		case n < 68:
			g.sharePoint(p, g.moment(p, day), "FileDownloaded", &f)
		case n < 76:
			g.sharePoint(p, g.moment(p, day), "FileUploaded", &f)
		case n < 82:
			g.sharePoint(p, g.moment(p, day), "FileSyncDownloadedFull", &f)
		case n < 86:
			g.sharePoint(p, g.moment(p, day), "FileSyncUploadedFull", &f)
		case n < 90:
			g.sharePoint(p, g.moment(p, day), "FileRenamed", &f)
		case n < 93:
			g.sharePoint(p, g.moment(p, day), "FileDeleted", &f)
		default:
			g.sharePoint(p, g.moment(p, day), "FilePreviewed", &f)
		}
	}
	if g.dice.chance(0.05 * busy) {
		f := g.file(p)
		g.share(p, g.moment(p, day), &f, choose(g.dice.chance(0.12), g.outsider(), ""))
	}
	if g.dice.chance(0.01 * busy) {
		f := g.file(p)
		g.ruleMatch(p, g.moment(p, day), &f)
	}
	if g.dice.chance(0.03 * busy) {
		f := g.file(p)
		g.label(p, g.moment(p, day), &f)
	}
	if g.dice.chance(0.15 * busy) {
		g.copilot(p, g.moment(p, day))
	}
}

// sharePoint publishes an operation on a file. One in three is in the person's
// OneDrive unless the file says otherwise.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema#sharepoint-file-operations
func (g *generator) sharePoint(p *person, at schemas.Time, operation string, f *file) []byte {
	own := f.site == p.role.site && g.dice.chance(0.3)
	site := "https://" + g.tenant.host + "/sites/" + f.site
	folder := f.folder
	if own {
		site = "https://" + g.tenant.name + "-my.sharepoint.com/personal/" + p.sam
		folder = "Documents"
	}
	g.audit(p.upn, "i:0h.f|membership|"+p.puid+"@live.com", at, operation, 6, choose(own, "OneDrive", "SharePoint"), "", p.address(at))
	w := &g.w
	g.accessContext()
	w.text("ObjectId", site+"/"+folder+"/"+f.name)
	w.texts("ApplicationDisplayName", "Office", "ApplicationId", "d3590ed6-52b3-4102-aeff-aad2292ab01c", "AuthenticationType", "OAuth", "BrowserName", "Edge", "BrowserVersion", "134.0.0.0")
	w.id("CorrelationId", g.dice.guid())
	w.texts("EventSource", "SharePoint", "GeoLocation", p.place.zone)
	w.truth("IsManagedDevice", true)
	w.text("ItemType", "File")
	w.id("ListId", g.dice.guid())
	w.id("ListItemUniqueId", g.dice.guid())
	w.text("Platform", "WinDesktop")
	w.id("Site", g.dice.guid())
	w.text("UserAgent", p.agent)
	w.id("WebId", g.dice.guid())
	w.text("DeviceDisplayName", p.device)
	if g.dice.chance(0.3) {
		w.number("FileSizeBytes", f.size)
	}
	switch operation {
	case "FileSyncDownloadedFull", "FileSyncUploadedFull":
		w.text("FileSyncBytesCommitted", strconv.FormatInt(f.size, 10))
	case "FileRenamed":
		w.texts("DestinationFileName", "Final "+f.name, "DestinationFileExtension", f.extension, "DestinationRelativeUrl", folder)
	}
	if f.label != "" {
		w.text("SensitivityLabelId", f.label)
	}
	w.texts("SourceFileExtension", f.extension, "SiteUrl", site+"/", "SourceFileName", f.name, "SourceRelativeUrl", folder)
	return g.audited(schemas.SourceFile, at, p.upn)
}

// share publishes one click on Share: several records within a second under one
// correlation id. With an outsider it makes a guest; else a colleague gets it.
func (g *generator) share(p *person, at schemas.Time, f *file, outsider string) {
	correlation, item, sharing := g.dice.guid(), g.dice.guid(), g.dice.guid()
	target, kind := g.colleague().upn, "Member"
	if outsider != "" {
		kind = "Guest"
		target = guestName(outsider, g.tenant.name)
	}
	one := func(operation, user, target, kind, data string) {
		key := choose(user == p.upn, "i:0h.f|membership|"+p.puid+"@live.com", "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint")
		g.audit(user, key, at, operation, 14, "SharePoint", "", choose(user == p.upn, p.address(at), ""))
		w := &g.w
		site := "https://" + g.tenant.host + "/sites/" + f.site
		w.text("ObjectId", choose(operation == "AddedToGroup", site, site+"/"+f.folder+"/"+f.name))
		w.id("CorrelationId", correlation)
		w.texts("EventSource", "SharePoint", "ItemType", choose(operation == "AddedToGroup", "Web", "File"))
		w.id("ListItemUniqueId", item)
		w.id("UniqueSharingId", sharing)
		w.text("UserAgent", p.agent)
		if data != "" {
			w.text("EventData", data)
		}
		if target != "" {
			w.texts("TargetUserOrGroupName", target, "TargetUserOrGroupType", kind)
		}
		w.texts("SourceFileExtension", f.extension, "SiteUrl", site+"/", "SourceFileName", f.name, "SourceRelativeUrl", f.folder)
		g.audited(schemas.SourceFile, at, user)
		at += g.dice.span(100, 400)
	}
	one("SharingInheritanceBroken", p.upn, "", "", "<Inherited>True</Inherited>")
	one("SharingSet", p.upn, "Limited Access System Group", "SharePointGroup", "<Permissions granted>Limited Access</Permissions granted>")
	one("SharingSet", p.upn, target, kind, "<Permissions granted>Contribute</Permissions granted><MembersCanShareApplied>False</MembersCanShareApplied>")
	one("AddedToGroup", "app@sharepoint", target, kind, "<Group>Limited Access System Group For List</Group>")
	if outsider != "" {
		one("SharingInvitationCreated", p.upn, target, kind, "<Invitation>Edit</Invitation>")
	}
}

func guestName(address, tenant string) string {
	b := []byte(address)
	for i, c := range b {
		if c == '@' {
			b[i] = '_'
		}
	}
	return string(b) + "#EXT#@" + tenant + ".onmicrosoft.com"
}

// noise publishes what SharePoint does by itself, under a name that looks like a
// person's.
func (g *generator) noise(at schemas.Time) {
	g.audit("app@sharepoint", "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint", at, "FileModifiedExtended", 6, "SharePoint", "", "")
	w := &g.w
	site := "https://" + g.tenant.host + "/sites/" + pick(g.dice, roles).site
	w.text("ObjectId", site+"/SiteAssets/__siteIcon__.png")
	w.id("CorrelationId", g.dice.guid())
	w.texts("EventSource", "SharePoint", "ItemType", "File", "UserAgent", "ODMTADocCache/1.0")
	w.texts("SourceFileExtension", "png", "SiteUrl", site+"/", "SourceFileName", "__siteIcon__.png", "SourceRelativeUrl", "SiteAssets")
	g.audited(schemas.SourceFile, at, "app@sharepoint")
}
