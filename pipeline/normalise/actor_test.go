package normalise

import (
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// Each spelling of a user id names a person, or a machine, or nobody.
func TestPerson(t *testing.T) {
	for _, test := range []struct {
		id   string
		kind schemas.ActorType
		key  string
	}{
		{"Ida.Berg@Contoso.com", schemas.ActorPerson, "upn:ida.berg@contoso.com"},
		{" ida@contoso.com ", schemas.ActorPerson, "upn:ida@contoso.com"},
		{"o'hara+x@sub.contoso.co.uk", schemas.ActorPerson, "upn:o'hara+x@sub.contoso.co.uk"},
		{"Eva_fabrikam.com#EXT#@contoso.onmicrosoft.com", schemas.ActorGuest, "upn:eva_fabrikam.com#ext#@contoso.onmicrosoft.com"},
		{"i:0#.f|membership|Ida@contoso.com", schemas.ActorPerson, "upn:ida@contoso.com"},
		{"i:0h.f|membership|1003bffd@live.com", schemas.ActorPerson, "upn:1003bffd@live.com"},
		{"7F0C2F3E-51F5-4EA9-A4CC-3B1A5A3A8D10", schemas.ActorPerson, "oid:7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10"},
		{"S-1-5-21-1-2-3-1104", schemas.ActorPerson, "sid:S-1-5-21-1-2-3-1104"},
		{"S-1-12-1-1-2-3-4", schemas.ActorPerson, "sid:S-1-12-1-1-2-3-4"},
		{`CONTOSO\Ida`, schemas.ActorPerson, `account:contoso\ida`},
		{"S-1-5-18", schemas.ActorSystem, "app:s-1-5-18"},
		{"S-1-5-80-1-2", schemas.ActorSystem, "app:s-1-5-80-1-2"},
		{"app@sharepoint", schemas.ActorSystem, "app:app@sharepoint"},
		{"NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)", schemas.ActorSystem, "app:nt authority\\system (microsoft.exchange.servicehost)"},
		{`SHAREPOINT\system`, schemas.ActorSystem, `app:sharepoint\system`},
		{`Microsoft\ServiceOperator`, schemas.ActorSystem, `app:microsoft\serviceoperator`},
		{"SecurityComplianceAlerts", schemas.ActorSystem, "app:securitycompliancealerts"},
		{"DlpAgent", schemas.ActorSystem, "app:dlpagent"},
		{"DlpPolicyEventBasedAssistantOneDriveForBusiness", schemas.ActorSystem, "app:dlppolicyeventbasedassistantonedriveforbusiness"},
		{"Certificate", schemas.ActorSystem, "app:certificate"},
		{"FfoServicePartnerUser", schemas.ActorSystem, "app:ffoservicepartneruser"},
		{"Service Account", schemas.ActorSystem, "app:service account"},
		{`CONTOSO\LAPTOP-17$`, schemas.ActorSystem, `app:contoso\laptop-17$`},
		{"Laptop-17$@contoso.com", schemas.ActorSystem, "app:laptop-17$@contoso.com"},
		{"ServicePrincipal_7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10", schemas.ActorService, "app:7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10"},
		{"00000000-0000-0000-0000-000000000000", schemas.ActorUnknown, ""},
		{"anonymous", schemas.ActorAnonymous, ""},
		{"urn:spo:anon#7f0c", schemas.ActorAnonymous, ""},
		{"NOT-FOUND", schemas.ActorUnknown, ""},
		{"Not Available", schemas.ActorUnknown, ""},
		{"Unknown", schemas.ActorUnknown, ""},
		{"", schemas.ActorUnknown, ""},
		{"Ida Berg", schemas.ActorUnknown, "account:ida berg"},
		{"user1", schemas.ActorUnknown, "account:user1"},
		{"ida@contoso", schemas.ActorUnknown, "account:ida@contoso"},
		{"@contoso.com", schemas.ActorUnknown, "account:@contoso.com"},
		{"a@b@contoso.com", schemas.ActorUnknown, "account:a@b@contoso.com"},
		{"a\x00b@contoso.com", schemas.ActorUnknown, "account:a\x00b@contoso.com"},
		{strings.Repeat("x", maxUserID+1), schemas.ActorUnknown, ""},
		{strings.Repeat("urn:spo:guest#", 70), schemas.ActorGuest, ""},
	} {
		a := person(test.id)
		if a.Type != test.kind || a.Key() != test.key {
			t.Errorf("%.80q: %s %q, want %s %q", test.id, a.Type, a.Key(), test.kind, test.key)
		}
	}
}

// The canonical key is the UPN's, else the mail's, else the first alias's; every
// other name is an alias.
func TestActor_keys(t *testing.T) {
	all := Actor{UPN: "ida@contoso.com", Mail: "ida.berg@contoso.com", ObjectID: "7f", EmployeeID: "E17", SID: "S-1", Account: `c\ida`, App: "x"}
	if got, want := all.Key()+" "+strings.Join(all.Aliases(), " "), `upn:ida@contoso.com oid:7f eid:E17 sid:S-1 upn:ida.berg@contoso.com account:c\ida`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, test := range []struct {
		actor     Actor
		key, user string
	}{
		{Actor{Mail: "ida@contoso.com", ObjectID: "7f"}, "upn:ida@contoso.com", "ida@contoso.com"},
		{Actor{ObjectID: "7f", EmployeeID: "E17"}, "oid:7f", "7f"},
		{Actor{App: "x"}, "app:x", "x"},
		{Actor{}, "", ""},
	} {
		if test.actor.Key() != test.key || test.actor.User() != test.user {
			t.Errorf("%+v: %s, %s", test.actor, test.actor.Key(), test.actor.User())
		}
	}
}

// Ids that stand for nothing are told from ids.
func TestIsPlaceholder(t *testing.T) {
	for id, want := range map[string]bool{
		"": true, "ANONYMIZED": true, "redacted": true, "0": true, " ": true, "00000000-0000-0000-0000-000000000000": true,
		"11111111-1111-1111-1111-111111111111": true, "ffffffffffff": true, "1": false, "1111": false, "7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10": false,
	} {
		if got := isPlaceholder(id); got != want {
			t.Errorf("%q: %v", id, got)
		}
	}
	for id, want := range map[string]string{
		"7F0C2F3E-51F5-4EA9-A4CC-3B1A5A3A8D10": "7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10",
		"00000000-0000-0000-0000-000000000000": "", "7F0C2F3E51F54EA9A4CC3B1A5A3A8D10": "", "": "", "Not Available": "",
	} {
		if got := objectID(id); got != want {
			t.Errorf("%q: %q", id, got)
		}
	}
}
