package normalise

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// A structure in the place of what says what, when or who is a dead letter; in
// any other place it is read as absent.
func TestMap_wrongType(t *testing.T) {
	for text, want := range map[string]string{
		`{"CreationTime":"2026-03-02T09:10:00","Operation":{"a":1},"RecordType":6}`:                                                      ReasonBadValue,
		`{"CreationTime":"2026-03-02T09:10:00","Operation":"FileAccessed","RecordType":6,"UserId":["a"]}`:                                ReasonBadValue,
		`{"category":"SignInLogs","properties":{"id":"x","createdDateTime":[],"userPrincipalName":"ada@contoso.example"}}`:               ReasonBadValue,
		`{"category":"AdvancedHunting-DeviceEvents","properties":{"Timestamp":"2026-03-02T09:10:00Z","ActionType":{"a":1}}}`:             ReasonBadValue,
		`{"CreationTime":"2026-03-02T09:10:00","Operation":"FileAccessed","RecordType":6,"UserId":"ada@contoso.example","UserAgent":{}}`: "",
	} {
		var result Result
		New(Options{Hash: func(string, string) schemas.Hash { return 1 }}).Map(schemas.SourceFile, Raw{Value: []byte(text)}, &result)
		got := ""
		if len(result.Rejects) > 0 {
			got = result.Rejects[0].Reason
		}
		if got != want || want == "" && len(result.Events) != 1 {
			t.Errorf("%s: %+v, want reason %q", text, result, want)
		}
	}
}
