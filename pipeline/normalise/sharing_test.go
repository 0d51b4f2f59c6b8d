package normalise

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

const (
	correlation = `"CorrelationId":"7d3f2a10-0000-4000-8000-00000000beef",`
	shareItem   = correlation + `"RecordType":14,"Workload":"OneDrive","ItemType":"File",` +
		`"ObjectId":"https://contoso-my.sharepoint.com/personal/ada/Documents/Budget.xlsx","SourceFileName":"Budget.xlsx",` +
		`"SourceRelativeUrl":"Documents/Budget.xlsx","SiteUrl":"https://contoso-my.sharepoint.com/personal/ada"`
)

func TestSharingOperations(t *testing.T) {
	// Whom it was opened to decides the activity; how SharePoint carries it out
	// is no sharing.
	tests := []struct {
		name, members, activity, class string
		external                       bool
		target                         string
	}{
		{
			"guest in a link", `"Operation":"AddedToSecureLink","TargetUserOrGroupName":"MARKETING@GMAIL.COM","TargetUserOrGroupType":"Guest",` + shareItem,
			"file.shared_external", ClassPersonalMail, true, "marketing@gmail.com",
		},
		{
			"guest by account", `"Operation":"SharingSet","TargetUserOrGroupName":"marketing_gmail.com#EXT#@contoso.onmicrosoft.com","TargetUserOrGroupType":"Guest","EventData":"<Permissions granted>Contribute</Permissions granted><MembersCanShareApplied>False</MembersCanShareApplied>",` + shareItem,
			"file.shared_external", ClassPersonalMail, true, "marketing@gmail.com",
		},
		{
			"one operation for links", `"Operation":"SharingLinkUsed","SharingLinkScope":"Anonymous",` + shareItem,
			"file.anonymous_link_used", ClassPublic, true, "",
		},
		{
			"guest by claim", `"Operation":"SharingSet","TargetUserOrGroupName":"i:0#.f|membership|urn:spo:guest#sales@northwind.example","TargetUserOrGroupType":"Guest",` + shareItem,
			"file.shared_external", ClassExternal, true, "sales@northwind.example",
		},
		{
			"guest without an address", `"Operation":"SharingSet","TargetUserOrGroupName":"Grace Hopper","TargetUserOrGroupType":"Guest",` + shareItem,
			"file.shared_external", ClassExternal, true, "grace hopper",
		},
		{
			"partner", `"Operation":"SharingSet","TargetUserOrGroupName":"grace@fabrikam.com","TargetUserOrGroupType":"Partner",` + shareItem,
			"file.shared_external", ClassPartner, true, "grace@fabrikam.com",
		},
		{
			"domain tells", `"Operation":"AddedToSecureLink","TargetUserOrGroupName":"grace@northwind.example","TargetUserOrGroupType":"Member",` + shareItem,
			"file.shared_external", ClassExternal, true, "grace@northwind.example",
		},
		{
			"invitation", `"Operation":"SharingInvitationCreated","TargetUserOrGroupName":"grace@northwind.example",` + shareItem,
			"file.shared_external", ClassExternal, true, "grace@northwind.example",
		},
		{
			"invitation without a target", `"Operation":"SharingInvitationCreated",` + shareItem,
			"file.shared_external", ClassExternal, true, "",
		},
		{
			"colleague", `"Operation":"SharingSet","TargetUserOrGroupName":"alan@contoso.com","TargetUserOrGroupType":"Member",` + shareItem,
			"file.shared", ClassInternal, false, "alan@contoso.com",
		},
		{
			"security group with a dot", `"Operation":"SharingSet","TargetUserOrGroupName":"Finance v2.0 readers","TargetUserOrGroupType":"SecurityGroup",` + shareItem,
			"file.shared", "", false, "finance v2.0 readers",
		},
		{"secure link by itself", `"Operation":"SecureLinkCreated",` + shareItem, "file.secure_link_created", "", false, ""},
		{"anyone", `"Operation":"AnonymousLinkCreated","EventData":"<Type>Edit</Type>",` + shareItem, "file.anonymous_link_created", ClassPublic, true, ""},
		{"anyone, newer", `"Operation":"SharingLinkCreated","SharingLinkScope":"Anyone",` + shareItem, "file.anonymous_link_created", ClassPublic, true, ""},
		{"everyone inside", `"Operation":"CompanyLinkCreated",` + shareItem, "file.company_link_created", ClassInternal, false, ""},
		{
			"limited access", `"Operation":"SharingSet","TargetUserOrGroupName":"marketing@gmail.com","TargetUserOrGroupType":"Guest","EventData":"<Permissions granted>Limited Access</Permissions granted>",` + shareItem,
			"file.permission_changed", "", false, "marketing@gmail.com",
		},
		{
			"limited access group", `"Operation":"SharingSet","TargetUserOrGroupName":"Limited Access System Group","TargetUserOrGroupType":"SharePointGroup",` + shareItem,
			"file.permission_changed", "", false, "limited access system group",
		},
		{
			"link group", `"Operation":"SharingSet","TargetUserOrGroupName":"SharingLinks.0a1b.Flexible.9c8d","TargetUserOrGroupType":"SecurityGroup",` + shareItem,
			"file.permission_changed", "", false, "sharinglinks.0a1b.flexible.9c8d",
		},
		{
			"hashed group", `"Operation":"SharingSet","TargetUserOrGroupName":"00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff","TargetUserOrGroupType":"SecurityGroup",` + shareItem,
			"file.permission_changed", "", false, "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff",
		},
		{
			"member of a site", `"Operation":"AddedToGroup","EventData":"<Group>Site Members</Group>","TargetUserOrGroupName":"alan@contoso.com","TargetUserOrGroupType":"Member",` + shareItem,
			"file.permission_changed", ClassInternal, false, "alan@contoso.com",
		},
		{
			"guest of a site", `"Operation":"AddedToGroup","EventData":"<Group>Site Members</Group>","TargetUserOrGroupName":"grace@fabrikam.com","TargetUserOrGroupType":"Guest",` + shareItem,
			"file.shared_external", ClassPartner, true, "grace@fabrikam.com",
		},
		{
			"guest of a link's group", `"Operation":"AddedToGroup","EventData":"<Group>Limited Access System Group For List 36cf</Group>","TargetUserOrGroupName":"grace@fabrikam.com","TargetUserOrGroupType":"Guest",` + shareItem,
			"file.permission_changed", "", false, "grace@fabrikam.com",
		},
		{"inheritance", `"Operation":"SharingInheritanceBroken",` + shareItem, "file.permission_changed", "", false, ""},
		{"taken back", `"Operation":"RemovedFromSecureLink","TargetUserOrGroupName":"grace@fabrikam.com",` + shareItem, "file.unshared", "", false, "grace@fabrikam.com"},
		{"link removed", `"Operation":"AnonymousLinkRemoved",` + shareItem, "file.unshared", "", false, ""},
		{"newer link for the company", `"Operation":"SharingLinkCreated","SharingLinkScope":"Organization",` + shareItem, "file.company_link_created", ClassInternal, false, ""},
		{"newer link for some", `"Operation":"SharingLinkCreated","SharingLinkScope":"Users",` + shareItem, "file.secure_link_created", "", false, ""},
		{"nobody", `"Operation":"SharingSet",` + shareItem, "file.permission_changed", "", false, ""},
		{"link changed", `"Operation":"AnonymousLinkUpdated",` + shareItem, "file.anonymous_link_updated", ClassPublic, true, ""},
		{"administrator", `"Operation":"SiteCollectionAdminAdded","TargetUserOrGroupName":"grace@fabrikam.com",` + shareItem, "site.admin_added", "", false, "grace@fabrikam.com"},
		{"asked for", `"Operation":"AccessRequestCreated",` + shareItem, "file.access_requested", "", false, ""},
	}
	for _, test := range tests {
		e := fileEvent(t, fileRecord(test.members))
		want(t, test.name, e.Activity, test.activity)
		have := schemas.Destination{}
		if e.Destination != nil {
			have = *e.Destination
		}
		want(t, test.name+": class", have.Class, test.class)
		want(t, test.name+": external", have.External, test.external)
		target := ""
		if len(e.Clear.Targets) > 0 {
			target = e.Clear.Targets[0]
		}
		want(t, test.name+": target", target, test.target)
	}
}

func TestColleagueWithoutDomainLists(t *testing.T) {
	// Sharing with a member of one's own domain is internal even before the
	// organisation's domains are configured.
	var out Result
	New(Options{Hash: fileHash}).Map(schemas.SourceFile, Raw{Value: fileRecord(
		`"Operation":"SharingSet","TargetUserOrGroupName":"alan@contoso.com","TargetUserOrGroupType":"Member",` + shareItem)}, &out)
	want(t, "activity", out.Events[0].Activity, "file.shared")
	want(t, "external", out.Events[0].Destination.External, false)
}

func TestBlockedInvitation(t *testing.T) {
	// An invitation that policy blocked is an attempt, with an id of its own.
	e := fileEvent(t, fileRecord(`"Operation":"SharingInvitationBlocked","TargetUserOrGroupName":"grace@northwind.example","TargetUserOrGroupType":"Guest",`+shareItem))
	done := fileEvent(t, fileRecord(`"Operation":"SharingInvitationCreated","TargetUserOrGroupName":"grace@northwind.example","TargetUserOrGroupType":"Guest",`+shareItem))
	want(t, "outcome", e.Outcome, schemas.OutcomeFailure)
	want(t, "activity", e.Activity, "file.shared_external")
	if e.ID == done.ID {
		t.Error("an attempt and a share have the same id")
	}
}

func TestAnonymousLinkUsed(t *testing.T) {
	// Nobody is named when a link for anyone is used; who is signed in, is.
	for _, user := range []string{`"UserId":"anonymous","UserKey":"anonymous"`, `"UserId":"","UserKey":""`, `"UserId":"urn:spo:anon#00ff","UserKey":"x"`} {
		e := fileEvent(t, fileRecord(`"Operation":"AnonymousLinkUsed",`+user+`,`+shareItem))
		want(t, user, e.ActorType, schemas.ActorAnonymous)
		want(t, user+": class", e.Destination.Class, ClassPublic)
		want(t, user+": user", e.Actor.Key(), "")
	}
	e := fileEvent(t, fileRecord(`"Operation":"AnonymousLinkUsed",`+shareItem))
	want(t, "signed in", e.ActorType, schemas.ActorPerson)
}

// click is what one click on Share writes, once with a link for anyone and once
// for a guest; each record has an id of its own.
var click = []string{
	`"Id":"00000000-0000-4000-8000-000000000001","Operation":"SharingSet","TargetUserOrGroupName":"Limited Access System Group","TargetUserOrGroupType":"SharePointGroup","EventData":"<Permissions granted>Limited Access</Permissions granted>",` + shareItem,
	`"Id":"00000000-0000-4000-8000-000000000002","Operation":"SharingSet","TargetUserOrGroupName":"grace_northwind.example#EXT#@contoso.onmicrosoft.com","TargetUserOrGroupType":"Guest","EventData":"<Permissions granted>Contribute</Permissions granted>",` + shareItem,
	`"Id":"00000000-0000-4000-8000-000000000003","Operation":"AnonymousLinkCreated","EventData":"<Type>View</Type>",` + shareItem,
	`"Id":"00000000-0000-4000-8000-000000000004","Operation":"SharingInheritanceBroken",` + shareItem,
	`"Id":"00000000-0000-4000-8000-000000000005","Operation":"AddedToGroup","TargetUserOrGroupName":"GRACE@NORTHWIND.EXAMPLE","TargetUserOrGroupType":"Guest","EventData":"<Group>Limited Access System Group For Web 11</Group>",` + shareItem,
	`"Id":"00000000-0000-4000-8000-000000000006","Operation":"SharingInvitationCreated","TargetUserOrGroupName":"Grace@northwind.example","TargetUserOrGroupType":"Guest",` + shareItem,
	`"Id":"00000000-0000-4000-8000-000000000007","Operation":"AddedToSecureLink","TargetUserOrGroupName":"GRACE@NORTHWIND.EXAMPLE","TargetUserOrGroupType":"Guest","EventData":"<Type>View</Type>",` + shareItem,
	`"Id":"00000000-0000-4000-8000-000000000008","Operation":"SecureLinkCreated",` + shareItem,
	`"Id":"00000000-0000-4000-8000-000000000009","Operation":"AnonymousLinkCreated","EventData":"<Type>Edit</Type>",` + shareItem,
}

func TestOneClickCountsOnce(t *testing.T) {
	// However the records of one click arrive, in any order, some of them missing
	// or twice, an act of sharing has one event id an activity.
	rapid.Check(t, func(t *rapid.T) {
		m := fileMapper()
		ids := map[string]map[schemas.UUID]bool{}
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(click)-1), 1, 30).Draw(t, "records") {
			var out Result
			m.Map(schemas.SourceFile, Raw{Value: fileRecord(click[i])}, &out)
			e := out.Events[0]
			if ids[e.Activity] == nil {
				ids[e.Activity] = map[schemas.UUID]bool{}
			}
			ids[e.Activity][e.ID] = true
		}
		for _, activity := range []string{"file.shared_external", "file.anonymous_link_created"} {
			if len(ids[activity]) > 1 {
				t.Fatalf("%s counts %d times", activity, len(ids[activity]))
			}
		}
		if len(ids["file.shared"]) > 0 {
			t.Fatal("a guest counts as a colleague")
		}
	})
}

func TestShareIdentity(t *testing.T) {
	// Another recipient, object or click is another act; without a correlation
	// each record stands for itself.
	base := `"Operation":"AddedToSecureLink","TargetUserOrGroupType":"Guest",`
	records := map[string]string{
		"base":               base + `"TargetUserOrGroupName":"grace@northwind.example",` + shareItem,
		"other recipient":    base + `"TargetUserOrGroupName":"alan@northwind.example",` + shareItem,
		"other object":       base + `"TargetUserOrGroupName":"grace@northwind.example",` + correlation + `"RecordType":14,"Workload":"OneDrive","ObjectId":"https://contoso-my.sharepoint.com/personal/ada/Documents/Other.xlsx"`,
		"other click":        base + `"TargetUserOrGroupName":"grace@northwind.example","CorrelationId":"7d3f2a10-0000-4000-8000-00000000cafe","RecordType":14,"Workload":"OneDrive","ObjectId":"https://contoso-my.sharepoint.com/personal/ada/Documents/Budget.xlsx"`,
		"placeholder":        base + `"TargetUserOrGroupName":"grace@northwind.example","CorrelationId":"ANONYMIZED","RecordType":14,"Workload":"OneDrive","ObjectId":"https://contoso-my.sharepoint.com/personal/ada/Documents/Budget.xlsx"`,
		"the service itself": base + `"UserId":"app@sharepoint","TargetUserOrGroupName":"grace@northwind.example",` + shareItem,
		"link for anyone":    `"Operation":"AnonymousLinkCreated",` + shareItem,
		"link for company":   `"Operation":"CompanyLinkCreated",` + shareItem,
	}
	seen := map[schemas.UUID]string{}
	for name, members := range records {
		id := fileEvent(t, fileRecord(members)).ID
		if other, twice := seen[id]; twice {
			t.Errorf("%s and %s have the same id", name, other)
		}
		seen[id] = name
	}
	encoded := fileEvent(t, fileRecord(base+`"TargetUserOrGroupName":"GRACE@northwind.example",`+correlation+`"RecordType":14,"Workload":"OneDrive","ObjectId":"https://Contoso-my.sharepoint.com/personal/ada/Documents%2FBudget.xlsx"`))
	want(t, "spelling", seen[encoded.ID], "base")
	inContext := fileEvent(t, fileRecord(base+`"TargetUserOrGroupName":"grace@northwind.example","AppAccessContext":{"CorrelationId":"7d3f2a10-0000-4000-8000-00000000beef"},"RecordType":14,"Workload":"OneDrive","ObjectId":"https://contoso-my.sharepoint.com/personal/ada/Documents/Budget.xlsx"`))
	want(t, "correlation in the context", seen[inContext.ID], "base")
}

func TestBetween(t *testing.T) {
	// EventData is read by pattern, since it is no XML.
	data := `<Permissions granted>System.LimitedEdit</Permissions granted><MembersCanShareApplied>False</MembersCanShareApplied><Group>R&D</Group><Open>`
	for tag, value := range map[string]string{"Permissions granted": "System.LimitedEdit", "Group": "R&D", "Open": "", "Type": ""} {
		want(t, tag, between(data, tag), value)
	}
	want(t, "empty", between("", "Type"), "")
}

func TestEventIsPrintable(t *testing.T) {
	// An event of this feed can be written as JSON.
	if _, err := json.Marshal(fileEvent(t, fileRecord(click[2]))); err != nil {
		t.Error(err)
	}
}
