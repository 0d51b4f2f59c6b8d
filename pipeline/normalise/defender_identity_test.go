package normalise

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/riskpipe/riskpipe/schemas"
)

func TestIdentityLogon(t *testing.T) {
	// A sign-in has its own account, not the process's, and an address of its own.
	e := defenderEvent(t, streamed("IdentityLogonEvents", `{"Timestamp":"2026-03-09T08:15:00.5Z","ReportId":"r1","ActionType":"LogonFailed","LogonType":"Interactive","Protocol":"Kerberos",
		"AccountUpn":"ADA@contoso.com","AccountObjectId":"9d3e5f10-1111-4222-8333-444455556666","AccountName":"ada","AccountDomain":"contoso.com","Application":"Active Directory",
		"FailureReason":"WrongPassword","IPAddress":"[2001:db8::7]:443","Location":"FR","DestinationDeviceName":"dc1","DeviceName":"ws7","OSPlatform":"Windows 11","AdditionalFields":{"ARG.TASK":"x"}}`))
	if got := defenderGist(Result{Events: []*Event{&e}}); got != "signin.failed failure person ada@contoso.com" {
		t.Error(got)
	}
	want := schemas.SignIn{Application: "Active Directory", Resource: newTestMapper().hostToken("dc1"), Client: "Kerberos", Interactive: true}
	if e.SignIn.Application != want.Application || e.SignIn.Resource != want.Resource || e.SignIn.Client != want.Client || !e.SignIn.Interactive {
		t.Errorf("body %+v, want %+v", e.SignIn, want)
	}
	if e.Clear.SourceIP != "2001:db8::7" || e.SourceIP.Country != "FR" || e.Device.OS != "Windows 11" || e.Source != schemas.SourceDefender {
		t.Errorf("got %+v %+v %+v", e.Clear, e.SourceIP, e.Device)
	}
	if got := defenderGist(defenderOut(t, streamed("IdentityLogonEvents", `{"Timestamp":"2026-03-09T08:15:00Z","ActionType":"Kerberoasting","ReportId":"r2"}`))); got != "skip unsupported_category" {
		t.Error(got)
	}
}

func TestDeviceLogon(t *testing.T) {
	// Who logs on to a device is the account and not the process, which is the
	// system's; an empty address is none.
	for name, test := range map[string]struct{ columns, gist, ip string }{
		"remote": {`"ActionType":"LogonSuccess","LogonType":"RemoteInteractive","AccountName":"ada","AccountDomain":"CONTOSO","RemoteIP":"203.0.113.9"`, `signin.succeeded success person contoso\ada`, "203.0.113.9"},
		"local":  {`"ActionType":"LogonFailed","LogonType":"Interactive","AccountName":"bob","AccountDomain":"","RemoteIP":""`, `signin.failed failure person ws7.contoso.com\bob`, ""},
		"system": {`"ActionType":"LogonSuccess","LogonType":"Service","AccountName":"system","AccountDomain":"nt authority","AccountSid":"S-1-5-18"`, `signin.succeeded success system nt authority\system`, ""},
		"other":  {`"ActionType":"LogonAttempted","AccountName":"ada"`, "skip device_action", ""},
	} {
		t.Run(name, func(t *testing.T) {
			out := defenderOut(t, streamed("DeviceLogonEvents", "{"+deviceColumns+","+systemColumns+","+test.columns+"}"))
			if got := defenderGist(out); got != test.gist {
				t.Fatalf("got  %s\nwant %s", got, test.gist)
			}
			if len(out.Events) > 0 && (out.Events[0].Clear.SourceIP != test.ip || out.Events[0].SignIn == nil) {
				t.Errorf("address %q, want %q", out.Events[0].Clear.SourceIP, test.ip)
			}
		})
	}
}

func TestIdentityInfo(t *testing.T) {
	// A directory row teaches names that are one person's, and is no event.
	out := defenderOut(t, streamed("IdentityInfo", `{"Timestamp":"2026-03-09T08:15:00Z","ReportId":"r1","AccountUpn":"Ada@Contoso.com","AccountObjectId":"9d3e5f10-1111-4222-8333-444455556666",
		"OnPremSid":"S-1-5-21-1-2-3-1001","CloudSid":"S-1-12-1-5-6-7-8","EmployeeId":"e77","EmailAddress":"Ada.Lovelace@contoso.com","AccountName":"ada","AccountDomain":"contoso.com",
		"OtherMailAddresses":["al@contoso.com"],"Department":"R&D","IsAccountEnabled":1,"Type":"User"}`))
	if got := defenderGist(out); got != "skip directory_record" {
		t.Error(got)
	}
	want := []Actor{
		{Type: schemas.ActorPerson, UPN: "ada@contoso.com", Mail: "ada.lovelace@contoso.com", ObjectID: "9d3e5f10-1111-4222-8333-444455556666", EmployeeID: "E77", SID: "S-1-5-21-1-2-3-1001", Account: `contoso.com\ada`, Profile: &Profile{Department: "R&D"}},
		{Type: schemas.ActorPerson, UPN: "ada@contoso.com", ObjectID: "9d3e5f10-1111-4222-8333-444455556666", SID: "S-1-12-1-5-6-7-8"},
		{Type: schemas.ActorPerson, UPN: "ada@contoso.com", ObjectID: "9d3e5f10-1111-4222-8333-444455556666", Mail: "al@contoso.com"},
	}
	if d := cmp.Diff(want, out.Links); d != "" {
		t.Error(d)
	}
	if lone := defenderOut(t, streamed("IdentityInfo", `{"Timestamp":"2026-03-09T08:15:00Z","AccountUpn":"ada@contoso.com"}`)); len(lone.Links) != 0 {
		t.Errorf("one name is no link: %+v", lone.Links)
	}
}
