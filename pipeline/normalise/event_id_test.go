package normalise

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// Ids are in clear: where they are made of what somebody could guess, a row of HR or
// a patient's number, they are nobody's to compute who has no key.
func TestEventID_keyed(t *testing.T) {
	records := sound()
	for name, text := range map[string]string{
		"hr": records["hr"].text, "scim": records["scim"].text, "health": records["health"].text, "health audit": records["health audit"].text,
		"alert":          records["alert"].text,
		"alert evidence": streamed("AlertEvidence", `{"Timestamp":"2026-03-09T08:15:00Z","AlertId":"da1","EntityType":"User","EvidenceRole":"Impacted","AccountUpn":"ida@contoso.com"}`),
	} {
		id := func(key string) schemas.UUID {
			m := New(Options{Hash: func(kind, value string) schemas.Hash { return testHash(key+kind, value) }})
			out := mapBytes(m, schemas.SourceHR, text)
			if len(out.Events) != 1 {
				t.Fatalf("%s: %s", name, counts(out))
			}
			return out.Events[0].ID
		}
		if first, again, other := id("a"), id("a"), id("b"); first != again || first == other {
			t.Errorf("%s: ids %s and %s by one key, %s by another", name, first, again, other)
		}
	}
}
