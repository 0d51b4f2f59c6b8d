package normalise

import (
	"fmt"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func TestCloudApp_audit(t *testing.T) {
	// The audit record inside a row is the event that its own feed brings, and
	// the row adds the object id, the country and the device.
	const audit = `{"Id":"6b1f9a52-0001-4c11-9a11-08dd0a0b0c0d","Operation":"FileDownloaded","RecordType":6,"CreationTime":"2026-03-09T08:15:00","Workload":"OneDrive","UserId":"Ada@contoso.com","UserType":0,"ItemType":"File",
		"ClientIP":"203.0.113.9","ObjectId":"https://contoso-my.sharepoint.com/personal/ada/Documents/plan.docx","SourceFileName":"plan.docx","SourceFileExtension":"docx","SiteUrl":"https://contoso-my.sharepoint.com/personal/ada/"}`
	const row = `{"Timestamp":"2026-03-09T08:15:00Z","ActionType":"FileDownloaded","Application":"Microsoft OneDrive for Business","AccountObjectId":"9d3e5f10-1111-4222-8333-444455556666","AccountType":"Regular",
		"IPAddress":"203.0.113.9","CountryCode":"FR","City":"Lyon","OSPlatform":"Windows 11","IsImpersonated":false,"RawEventData":%s,"ReportId":"r1"}`
	own := defenderEvent(t, audit)
	for name, raw := range map[string]string{"object": audit, "text": quoteText(audit)} {
		t.Run(name, func(t *testing.T) {
			e := defenderEvent(t, streamed("CloudAppEvents", fmt.Sprintf(row, raw)))
			if e.ID != own.ID || e.Activity != own.Activity || e.Source != schemas.SourceFile {
				t.Errorf("got %s %s, want %s %s", e.ID, e.Activity, own.ID, own.Activity)
			}
			if e.Actor.UPN != "ada@contoso.com" || e.Actor.ObjectID != "9d3e5f10-1111-4222-8333-444455556666" {
				t.Errorf("actor %+v", e.Actor)
			}
			if e.SourceIP.Country != "FR" || e.Clear.City != "Lyon" || e.Clear.SourceIP != "203.0.113.9" {
				t.Errorf("address %+v %+v", e.SourceIP, e.Clear)
			}
		})
	}
	for name, change := range map[string]string{"application": `"Application"`, "system": `"System"`} {
		e := defenderEvent(t, streamed("CloudAppEvents", strings.Replace(fmt.Sprintf(row, audit), `"Regular"`, change, 1)))
		if e.Actor.ObjectID != "" {
			t.Errorf("the object id of the %s was taken for the person's", name)
		}
	}
}

// quoteText writes JSON as a JSON string.
func quoteText(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ", "\t", " ").Replace(text) + `"`
}

func TestCloudApp_otherApps(t *testing.T) {
	// Each app names its actions as it likes; the words tell what was done.
	for name, test := range map[string]struct{ columns, want string }{
		"Google download":   {`"ActionType":"download","ObjectType":"File","Application":"Google Workspace"`, "file.downloaded success person ada@contoso.com"},
		"Box":               {`"ActionType":"ITEM_UPLOAD","Application":"Box"`, "file.uploaded success person ada@contoso.com"},
		"Dropbox":           {`"ActionType":"Delete file","Application":"Dropbox"`, "file.deleted success person ada@contoso.com"},
		"restore":           {`"ActionType":"RestoreDeletedFile","Application":"Box"`, "file.restored success person ada@contoso.com"},
		"adjective":         {`"ActionType":"View shared file","Application":"Box"`, "file.accessed success person ada@contoso.com"},
		"Google sharing":    {`"ActionType":"change_user_access","ObjectType":"File","Application":"Google Workspace"`, "file.shared success person ada@contoso.com"},
		"shared outside":    {`"ActionType":"Share item","Application":"Box","ActivityObjects":[{"Role":"Target object","Name":"plan.docx"},{"Type":"User","Role":"Parameter","Name":"eve@gmail.com"}]`, "file.shared_external success person ada@contoso.com"},
		"unshared":          {`"ActionType":"Unshare item","Application":"Box"`, "file.unshared success person ada@contoso.com"},
		"no file":           {`"ActionType":"Add user","ObjectType":"User","Application":"Box"`, "skip cloud_app_action"},
		"Microsoft, no raw": {`"ActionType":"Add delegated permission grant.","Application":"Office 365","ApplicationId":11161`, "skip cloud_app_action"},
		"Google anyone":     {`"ActionType":"change_document_visibility","ObjectType":"File","Application":"Google Workspace","RawEventData":{"events":[{"parameters":[{"name":"visibility","value":"people_with_link"}]}]}`, "file.anonymous_link_created success person ada@contoso.com"},
		"Google colleagues": {`"ActionType":"change_document_visibility","ObjectType":"File","Application":"Google Workspace","RawEventData":{"events":[{"parameters":[{"name":"visibility","value":"people_within_domain_with_link"}]}]}`, "file.shared success person ada@contoso.com"},
		"Box login":         {`"ActionType":"Download","Application":"Box","AccountId":"12345","RawEventData":{"created_by":{"login":"ada@contoso.com"}}`, "file.downloaded success person ada@contoso.com"},
		"Dropbox actor":     {`"ActionType":"file_download","Application":"Dropbox","AccountId":"dbid:AA","RawEventData":{"actor":{"user":{"email":"ada@contoso.com"}}}`, "file.downloaded success person ada@contoso.com"},
		"link, no raw":      {`"ActionType":"AnonymousLinkCreated","ObjectType":"File","Application":"Microsoft SharePoint Online"`, "file.anonymous_link_created success person ada@contoso.com"},
		"sync, no raw":      {`"ActionType":"FileSyncDownloadedFull","Application":"Microsoft OneDrive for Business"`, "file.synced success person ada@contoso.com"},
		"external user":     {`"ActionType":"download","IsExternalUser":1,"Application":"Box"`, "file.downloaded success guest ada@contoso.com"},
		"application":       {`"ActionType":"download","AccountType":"Application","Application":"Box"`, "file.downloaded success service "},
	} {
		t.Run(name, func(t *testing.T) {
			out := defenderOut(t, streamed("CloudAppEvents", `{"Timestamp":"2026-03-09T08:15:00Z","ReportId":"r1","AccountObjectId":null,"IPAddress":"203.0.113.9","ObjectName":"plan.docx",`+test.columns+`,"AccountId":"Ada@contoso.com","RawEventData":{"size":"77"}}`))
			if got := defenderGist(out); !strings.HasPrefix(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			for _, e := range out.Events {
				if e.File.Location != "cloud_app" || e.Clear.FileName != "plan.docx" || e.Clear.SourceIP != "203.0.113.9" {
					t.Errorf("got %+v %+v", e.File, e.Clear)
				}
			}
		})
	}
}
