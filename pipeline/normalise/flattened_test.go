package normalise

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func TestFlattened(t *testing.T) {
	// Properties written as columns are read like those in an object.
	const want = "signin.failed 2026-03-02T08:15:30.000Z person ada@contoso.com failure ip=198.51.100.7"
	same := onlyEvent(t, schemas.SourceSignIn, `{"time":"2026-03-02T08:33:27Z","category":"SignInLogs","resultType":"0","properties":{"id":"a9","createdDateTime":"2026-03-02T08:15:30Z",
		"userPrincipalName":"Ada@contoso.com","ipAddress":"198.51.100.7","status":{"errorCode":50126}}}`)
	tests := []struct{ name, text string }{
		{"AzureDiagnostics", `{"TimeGenerated":"2026-03-02T08:33:27Z","Category":"SignInLogs","ResultType":"0","properties_id_g":"a9","properties_createdDateTime_t":"2026-03-02T08:15:30Z",
			"properties_userPrincipalName_s":"Ada@contoso.com","properties_ipAddress_s":"198.51.100.7","properties_status_errorCode_d":50126,"properties_riskEventTypes_v2_s":"[]"}`},
		{"underscores", `{"time":"2026-03-02T08:33:27Z","category":"SignInLogs","resultType":"0","properties_id":"a9","properties_createdDateTime":"2026-03-02T08:15:30Z",
			"properties_userPrincipalName":"Ada@contoso.com","properties_ipAddress":"198.51.100.7","properties_status_errorCode":50126}`},
		{"dots", `{"records":[{"time":"2026-03-02T08:33:27Z","category":"SignInLogs","properties.id":"a9","properties.createdDateTime":"2026-03-02T08:15:30Z",
			"properties.userPrincipalName":"Ada@contoso.com","properties.ipAddress":"198.51.100.7","properties.status.errorCode":50126,"properties.status":null}]}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := onlyEvent(t, schemas.SourceSignIn, test.text)
			sees(t, "event", head(e), want)
			sees(t, "id", e.ID, same.ID)
		})
	}
}

func TestFlattened_none(t *testing.T) {
	// Records without such columns have none, and odd names of columns do no harm.
	for _, text := range []string{
		`{"category":"SignInLogs","properties":null,"properties_":1,"properties.":2,"properties":3}`,
		`{"category":"SignInLogs","properties__":1,"properties_a":1,"properties_a_b":2,"properties..":3}`,
	} {
		if out := mapText(t, schemas.SourceSignIn, text); len(out.Events) != 0 {
			t.Errorf("%s: events %+v", text, out.Events)
		}
	}
}
