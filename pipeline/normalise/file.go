package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The kinds of File.ItemType.
const (
	itemFile   = "file"
	itemFolder = "folder"
	itemSite   = "site"
	itemPage   = "page"
	itemList   = "list"
	itemLink   = "link"
	itemVolume = "volume"
)

// The kinds of File.Location.
const (
	locationSharePoint     = "sharepoint"
	locationOneDrive       = "onedrive"
	locationTeams          = "teams"
	locationDevice         = "device"
	locationRemovableMedia = "removable_media"
	locationNetworkShare   = "network_share"
	locationCloudApp       = "cloud_app"
	locationCopilot        = "copilot"
)

// fileOther is what was done to a file by an operation that is not known: new
// ones appear without notice, and the operation's own name stays on the event.
const fileOther = "file.other"

// sharePoint maps a record of SharePoint or OneDrive: file and folder
// operations, pages, lists, site administration and sharing.
// https://learn.microsoft.com/purview/audit-log-activities
func (m *Mapper) sharePoint(rec record) {
	e := m.audit(rec, schemas.SourceFile)
	e.Actor = sharePointActor(rec.str("UserId", "UserId_"), e.Actor)
	m.sharePointFile(rec, e)
	var f folding
	operation := f.lower(e.Operation)
	switch {
	case m.sharing(rec, e, operation):
	case strings.Contains(operation, "sensitivitylabel"):
		m.labelOperation(rec, e, operation)
	default:
		e.Activity = sharePointActivity(operation)
	}
	switch e.Activity {
	case "file.renamed", "file.moved", "file.copied":
		m.sharePointDestination(rec, e)
	case "file.malware_detected":
		e.Clear.Title = rec.at("VirusInfo")
	}
	if e.File.ItemType != itemFile && e.File.ItemType != itemPage {
		e.File.Extension = "" // "Release 2.1" is a folder
	}
	m.emit(rec, e)
}

// sharePointActor reads the two claims that only SharePoint writes as a user, a
// guest's and a visitor's by a link for anyone. UserKey does not name them, nor
// anybody else: it is a passport id in the shape of an address, 1003…@live.com.
func sharePointActor(id string, found Actor) Actor {
	if guest, ok := cutPrefixFold(id, "urn:spo:guest#"); ok {
		actor := person(guest)
		actor.Type = schemas.ActorGuest
		return actor
	}
	if id != "" && id == found.UPN && !isPassport(id) {
		return found
	}
	if actor := person(id); actor.Type == schemas.ActorAnonymous || isPassport(found.UPN) {
		return actor
	}
	return found
}

func isPassport(upn string) bool {
	id, found := strings.CutSuffix(upn, "@live.com")
	return found && len(id) == 16 && strings.Trim(id, "0123456789abcdef") == ""
}

// sharePointFile fills in what all records of SharePoint say of the object, the
// device and the app. GeoLocation is left out: it is where the data centre
// stands, not the user.
func (m *Mapper) sharePointFile(rec record, e *Event) {
	e.File = &schemas.File{
		Count:       1,
		Size:        rec.size("FileSizeBytes", "FileSyncBytesCommitted", "SizeInBytes"),
		Extension:   lowercase(strings.TrimPrefix(rec.at("SourceFileExtension"), ".")),
		Label:       rec.str("SensitivityLabelName", "SensitivityLabelId", "SourceLabel"),
		Application: first(rec.at("ApplicationDisplayName"), rec.at("AppAccessContext", "ClientAppName")),
	}
	name, folder, site := rec.at("SourceFileName"), rec.at("SourceRelativeUrl"), rec.at("SiteUrl")
	object := rec.at("ObjectId")
	if object == "" && site != "" && name != "" {
		object = strings.TrimRight(site, "/") + "/" + strings.Trim(folder, "/") + "/" + name
	}
	m.objectOf(e, first(object, rec.at("ListItemUniqueId")))
	e.File.ItemType = sharePointItem(rec.at("ItemType"), e.Operation, name, object)
	if name == "" && e.File.ItemType == itemFile && extensionOf(object) != "" {
		name = baseName(object)
	}
	m.nameOf(e, name)
	e.Clear.FilePath = folderOf(folder, name)
	e.Clear.URL = site
	e.File.Location = sharePointLocation(rec.at("Workload"), site, object, folder)
	if e.File.ItemType == itemList {
		e.Clear.Title = rec.at("ListTitle")
	}

	device := rec.at("DeviceDisplayName")
	if _, address := parseAddress(device); address || device == "0.0.0.0" {
		device = "" // the service writes the caller's address for want of a name
	}
	m.on(e, rec.at("MachineId"), device, osOf(rec.at("Platform"), e.Clear.UserAgent), rec.maybe("IsManagedDevice"))
}

// sharePointDestination fills in what a file is called and where it lies after
// a rename, move or copy; what it was called before becomes Previous.
func (m *Mapper) sharePointDestination(rec record, e *Event) {
	before, name := e.Clear.FileName, rec.at("DestinationFileName")
	target := rec.at("DestinationRelativeUrl")
	m.renamed(e, before, name)
	if target != "" {
		e.Clear.PreviousPath = e.Clear.FilePath
		e.Clear.TargetPath = folderOf(target, name)
		e.Clear.FilePath = e.Clear.TargetPath
	}
	if label := rec.at("DestinationLabel"); label != "" {
		e.File.Label = label
	}
}

// renamed gives a file that was called before a name; nothing when there is no
// new name. Previous is set only where the same content goes on under the new
// name.
func (m *Mapper) renamed(e *Event, before, name string) {
	if name == "" {
		return
	}
	if before != "" {
		m.nameOf(e, before)
		e.Clear.PreviousName, e.File.Previous = e.Clear.FileName, e.File.Name
	}
	e.File.Extension = ""
	m.nameOf(e, name)
	e.Clear.TargetName = e.Clear.FileName
	if isScratch(before) || isScratch(name) {
		e.File.Previous = 0
	}
}

// folderOf returns a relative URL or path without the file's name, which some
// records repeat at its end.
func folderOf(path, name string) string {
	path = strings.Trim(path, "/")
	if name != "" && strings.EqualFold(baseName(path), name) {
		path = strings.TrimRight(path[:len(path)-len(name)], `/\`)
	}
	return path
}

// sharePointItem reads ItemType, which is absent from some records. A page of
// SharePoint itself, such as the view of a library, counts as a file upstream.
func sharePointItem(itemType, operation, name, object string) string {
	var f folding
	switch f.lower(itemType) {
	case "file", "document":
		if isPage(first(name, object)) {
			return itemPage
		}
		return itemFile
	case "folder":
		return itemFolder
	case "page":
		return itemPage
	case "web", "site", "tenant", "sitecollection":
		return itemSite
	case "list", "listitem", "field", "contenttype", "view", "documentlibrary":
		return itemList
	case "link":
		return itemLink
	}
	operation = f.lower(operation)
	switch {
	case strings.HasPrefix(operation, "folder"):
		return itemFolder
	case strings.HasPrefix(operation, "page"):
		return itemPage
	case strings.HasPrefix(operation, "list"):
		return itemList
	case strings.HasPrefix(operation, "site"), strings.HasPrefix(operation, "web"):
		return itemSite
	case strings.HasPrefix(operation, "file"), name != "":
		return itemFile
	default:
		return ""
	}
}

func isPage(name string) bool {
	switch extensionOf(name) {
	case "aspx", "ashx", "asmx":
		return true
	default:
		return false
	}
}

// sharePointLocation tells files of Teams from others by their place: a site
// under the managed path of Teams, or OneDrive's folder for chats.
func sharePointLocation(workload, site, object, folder string) string {
	var f folding
	place := first(site, object)
	switch {
	case containsFold(place, "/teams/"),
		strings.Contains(f.lower(first(folder, object)), "microsoft teams chat files"),
		strings.EqualFold(workload, "MicrosoftTeams"):
		return locationTeams
	case strings.EqualFold(workload, "OneDrive"),
		containsFold(place, "-my.sharepoint.") && containsFold(place, "/personal/"):
		return locationOneDrive
	default:
		return locationSharePoint
	}
}

// osOf names the operating system by the client's platform, else by its user
// agent; nothing for services.
func osOf(platform, userAgent string) string {
	var f folding
	for _, text := range []string{platform, userAgent} {
		text = f.lower(text)
		switch {
		case text == "":
		case strings.Contains(text, "android"):
			return "Android"
		case strings.Contains(text, "iphone"), strings.Contains(text, "ipad"), strings.HasPrefix(text, "ios"):
			return "iOS"
		case strings.Contains(text, "mac os"), strings.HasPrefix(text, "mac"):
			return "macOS"
		case strings.Contains(text, "windows"), strings.HasPrefix(text, "win"):
			return "Windows"
		case strings.Contains(text, "linux"):
			return "Linux"
		}
	}
	return ""
}

// cutPrefixFold is strings.CutPrefix whatever the case.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
