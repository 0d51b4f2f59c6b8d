package normalise

import "strings"

// sharePointActivities gives the activity of an operation in lower case. A
// folder's operation is the file's by another name.
//
// A page that the client merely fetched ahead, or said by itself that it
// showed, is no access: the server records that as PageViewed.
var sharePointActivities = map[string]string{
	"fileaccessed":                         "file.accessed",
	"fileaccessedextended":                 "file.accessed",
	"filefetched":                          "file.accessed",
	"filevisited":                          "file.accessed",
	"pageviewed":                           "file.accessed",
	"pageviewedextended":                   "file.accessed",
	"listviewed":                           "file.accessed",
	"listitemviewed":                       "file.accessed",
	"siteviewed":                           "file.accessed",
	"filetranscriptcontentaccessed":        "file.accessed",
	"filepreviewed":                        "file.previewed",
	"filedownloaded":                       "file.downloaded",
	"filedownloadedextended":               "file.downloaded",
	"filetranscriptdownloaded":             "file.downloaded",
	"filesyncdownloadedfull":               "file.synced",
	"filesyncdownloadedpartial":            "file.synced",
	"fileuploaded":                         "file.uploaded",
	"fileuploadedpartial":                  "file.uploaded",
	"filesyncuploadedfull":                 "file.uploaded",
	"filesyncuploadedpartial":              "file.uploaded",
	"filecreated":                          "file.created",
	"filemodified":                         "file.modified",
	"filemodifiedextended":                 "file.modified",
	"filecopied":                           "file.copied",
	"filemoved":                            "file.moved",
	"filerenamed":                          "file.renamed",
	"filedeleted":                          "file.deleted",
	"filerecycled":                         "file.recycled",
	"filedeletedfirststagerecyclebin":      "file.recycled",
	"filedeletedsecondstagerecyclebin":     "file.recycled",
	"filedeletedfromfirststagerecyclebin":  "file.recycled",
	"filedeletedfromsecondstagerecyclebin": "file.recycled",
	"filerestored":                         "file.restored",
	"fileversionrestored":                  "file.restored",
	"fileversionsalldeleted":               "file.version_deleted",
	"fileversionsallminorsdeleted":         "file.version_deleted",
	"fileversionsallminorsrecycled":        "file.version_deleted",
	"fileversionsallrecycled":              "file.version_deleted",
	"fileversiondeleted":                   "file.version_deleted",
	"fileversionrecycled":                  "file.version_deleted",
	"filecheckedout":                       "file.checked_out",
	"filecheckedin":                        "file.checked_in",
	"filecheckoutdiscarded":                "file.check_out_discarded",
	"filemalwaredetected":                  "file.malware_detected",
	"fileprinted":                          "file.printed",
	"documentsensitivitymismatchdetected":  "file.label_mismatch_detected",
	"compliancerecorddelete":               "file.deleted",
	"lockedrecorddelete":                   "file.deleted",
	"clientviewsignaled":                   "page.view_signaled",
	"pageprefetched":                       "page.prefetched",
	"searchqueryperformed":                 "search.performed",
	"searchqueryinitiatedsharepoint":       "search.performed",
	"managedsyncclientallowed":             "site.sync_client_connected",
	"unmanagedsyncclientblocked":           "site.sync_client_blocked",
	"webrequestaccessmodified":             "site.changed",
	"webmemberscansharemodified":           "site.changed",
	"allowgroupcreationset":                "site.changed",
}

// siteOperations are the beginnings of the operations that administer sites,
// groups, permission levels and the service.
var siteOperations = []string{
	"site", "web", "group", "permissionlevel", "hubsite", "newsfeed", "tenant", "sharingpolicy",
	"networkaccesspolicy", "deviceaccesspolicy", "exemptuseragent", "sendto",
}

// sharePointActivity returns the activity of an operation in lower case; one
// that is not known has a generic activity by what it is about.
func sharePointActivity(operation string) string {
	if rest, folder := strings.CutPrefix(operation, "folder"); folder {
		operation = "file" + rest
	}
	if activity, known := sharePointActivities[operation]; known {
		return activity
	}
	if strings.HasPrefix(operation, "list") {
		return "list.changed"
	}
	for _, prefix := range siteOperations {
		if strings.HasPrefix(operation, prefix) {
			return "site.changed"
		}
	}
	return fileOther
}
