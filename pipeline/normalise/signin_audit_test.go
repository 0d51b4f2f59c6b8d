package normalise

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func TestAuditSignIn(t *testing.T) {
	// In the Office 365 form the operation, the error number and the error's name
	// decide; ResultStatus lies.
	const actor = `"Actor":[{"ID":"5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f","Type":0},{"ID":"Ada@contoso.com","Type":5},{"ID":"1003200012345678","Type":3}]`
	const common = `"Id":"b1","CreationTime":"2026-03-02T08:15:30","Workload":"AzureActiveDirectory","ResultStatus":"Success","ClientIP":"198.51.100.7",` + actor
	tests := []struct {
		name, text, want string
		code             int64
	}{
		{"success", `{"RecordType":15,"Operation":"UserLoggedIn","UserId":"ada@contoso.com",` + common + `,"ErrorNumber":"0"}`, "signin.succeeded 2026-03-02T08:15:30.000Z person ada@contoso.com success ip=198.51.100.7", 0},
		{"failure called success", `{"RecordType":15,"Operation":"UserLoginFailed","UserId":"ada@contoso.com",` + common + `,"ErrorNumber":"50126","LogonError":"InvalidUserNameOrPassword"}`, "signin.failed 2026-03-02T08:15:30.000Z person ada@contoso.com failure ip=198.51.100.7", 50126},
		{"record type not said", `{"Operation":"UserLoginFailed","UserId":"ada@contoso.com",` + common + `,"ErrorNumber":"50126"}`, "signin.failed 2026-03-02T08:15:30.000Z person ada@contoso.com failure ip=198.51.100.7", 50126},
		{"name of the error alone", `{"RecordType":"15","Operation":"UserLoginFailed","UserId":"ada@contoso.com",` + common + `,"LogonError":"IdsLocked"}`, "signin.failed 2026-03-02T08:15:30.000Z person ada@contoso.com failure ip=198.51.100.7", 50053},
		{"failed for no stated reason", `{"RecordType":15,"Operation":"UserLoginFailed","UserId":"ada@contoso.com",` + common + `}`, "signin.failed 2026-03-02T08:15:30.000Z person ada@contoso.com failure ip=198.51.100.7", 0},
		{"interrupt by name", `{"RecordType":15,"Operation":"UserLoginFailed","UserId":"ada@contoso.com",` + common + `,"LogonError":"UserStrongAuthClientAuthNRequiredInterrupt"}`, "signin.interrupted 2026-03-02T08:15:30.000Z person ada@contoso.com unknown ip=198.51.100.7", 50074},
		{"interrupt called logged in", `{"RecordType":"AzureActiveDirectoryStsLogon","Operation":"UserLoggedIn","UserId":"ada@contoso.com",` + common + `,"ErrorNumber":50140}`, "signin.interrupted 2026-03-02T08:15:30.000Z person ada@contoso.com unknown ip=198.51.100.7", 50140},
		{"no error is called None", `{"RecordType":15,"Operation":"UserLoggedIn","UserId":"ada@contoso.com",` + common + `,"LogonError":"None"}`, "signin.succeeded 2026-03-02T08:15:30.000Z person ada@contoso.com success ip=198.51.100.7", 0},
		{"UPN and object id from the list", `{"RecordType":15,"Operation":"UserLoggedIn","UserId":"Not Available",` + common + `}`, "signin.succeeded 2026-03-02T08:15:30.000Z person ada@contoso.com success ip=198.51.100.7", 0},
		{"nobody", `{"RecordType":15,"Operation":"UserLoggedIn","Id":"b2","CreationTime":"2026-03-02T08:15:30","UserId":"Unknown","UserKey":"Not Available","UserType":5,"Actor":[{"ID":"Unknown","Type":0}],"ActorIpAddress":"[2001:db8::5]:443"}`, "signin.succeeded 2026-03-02T08:15:30.000Z unknown  success ip=2001:db8::5", 0},
		{"a sign-out is logged as a sign-in", `{"RecordType":15,"Operation":"UserLoggedIn","UserId":"ada@contoso.com",` + common + `,"ExtendedProperties":[{"Name":"RequestType","Value":"OAuth2:Logout"}]}`, "signin.signed_out 2026-03-02T08:15:30.000Z person ada@contoso.com success ip=198.51.100.7", 0},
		{"record type 9", `{"RecordType":9,"Operation":"PasswordLogonInitialAuthUsingPassword","Id":"b3","CreationTime":"2026-03-02T08:15:30","UserId":"ada@contoso.com","ResultStatus":"failed","LoginStatus":-2147217390,"Client":"Exchange","ClientIP":"198.51.100.7","ExtendedProperties":[{"Name":"LoginError","Value":"-2147217390;PP_E_BAD_PASSWORD;wrong"}]}`, "signin.failed 2026-03-02T08:15:30.000Z person ada@contoso.com failure ip=198.51.100.7", -2147217390},
		{"record type 9, success", `{"RecordType":9,"Operation":"PasswordLogonCookieCopyUsingDAToken","Id":"b4","CreationTime":"2026-03-02T08:15:30","UserId":"ada@contoso.com","ResultStatus":"success","LoginStatus":0}`, "signin.succeeded 2026-03-02T08:15:30.000Z person ada@contoso.com success ip=", 0},
		{"in AuditData, as a text", `{"RecordType":"AzureActiveDirectoryStsLogon","CreationDate":"2026-03-02T09:00:00Z","UserIds":"ada@contoso.com","Operations":"UserLoggedIn","AuditData":"{\"RecordType\":15,\"Id\":\"b5\",\"CreationTime\":\"2026-03-02T08:15:30\",\"Operation\":\"UserLoggedIn\",\"UserId\":\"ada@contoso.com\",\"Workload\":\"AzureActiveDirectory\"}"}`, "signin.succeeded 2026-03-02T08:15:30.000Z person ada@contoso.com success ip=", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := onlyEvent(t, schemas.SourceSignIn, test.text)
			sees(t, "event", head(e), test.want)
			sees(t, "code", e.SignIn.StatusCode, test.code)
		})
	}
}

func TestAuditSignIn_device(t *testing.T) {
	// Device and user agent come from lists of names and values.
	e := onlyEvent(t, schemas.SourceSignIn, `{"RecordType":15,"Id":"c1","CreationTime":"2026-03-02T08:15:30","Operation":"UserLoggedIn","UserId":"ada@contoso.com",
		"DeviceProperties":[{"Name":"OS","Value":"Windows 11"},{"Name":"BrowserType","Value":"Edge"},{"Name":"IsCompliantAndManaged","Value":"True"},{"Name":"SessionId"}],
		"ExtendedProperties":[{"Name":"UserAgent","Value":"Mozilla/5.0"},{"Name":"RequestType","Value":"OAuth2:Token"}],"ApplicationId":"app","Target":[{"ID":"res","Type":0}]}`)
	sees(t, "os", e.Device.OS, "Windows 11")
	sees(t, "managed", *e.Device.Managed, true)
	sees(t, "agent", e.Clear.UserAgent, "Mozilla/5.0")
	sees(t, "interactive", e.SignIn.Interactive, false)
	sees(t, "application", e.SignIn.Application, "app")
	sees(t, "resource", e.SignIn.Resource, "res")
}
