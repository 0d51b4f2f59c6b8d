package normalise

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func TestSignInAndEmailSamples(t *testing.T) {
	// Every record of the sign-in and mail feeds, and of what shares their hubs,
	// gives events that say when and who, or says why not; only what is no JSON is
	// rejected.
	m := tenantMapper()
	summary := map[string]int{}
	sampleLines(t, []string{"*/signin/*.ndjson", "*/email/*.ndjson", "*/other/*.ndjson", "streams/*.ndjson"}, func(file string, line []byte) {
		name := filepath.Base(file)
		var out Result
		m.Map(schemas.SourceSignIn, Raw{Topic: "raw.signin", Value: line}, &out)
		for _, r := range out.Rejects {
			if !strings.Contains(file, "notjson") {
				t.Errorf("%s: reject %s: %s", name, r.Reason, r.Detail)
			}
		}
		if len(out.Events)+len(out.Rejects)+len(out.Skips)+len(out.Findings)+len(out.Links) < out.Records || out.Records == 0 {
			t.Errorf("%s: %d records came to less", name, out.Records)
		}
		for _, e := range out.Events {
			checkMailOrSignIn(t, name, *e, bytes.Contains(line, []byte(`"InternetMessageId":"<`)))
			summary[fmt.Sprintf("%-28s %-28s %-8s %s", e.Operation, e.Activity, e.ActorType, e.Outcome)]++
		}
		for _, s := range out.Skips {
			if s.Reason == "" {
				t.Errorf("%s: skipped for no reason", name)
			}
			summary["skipped: "+s.Reason]++
		}
	})
	rows := make([]string, 0, len(summary))
	for row, n := range summary {
		rows = append(rows, fmt.Sprintf("%4d %s", n, row))
	}
	slices.SortFunc(rows, func(a, b string) int { return strings.Compare(a[5:], b[5:]) })
	t.Log("\n" + strings.Join(rows, "\n"))
}

// checkMailOrSignIn holds what is true of every event of the two feeds.
func checkMailOrSignIn(t *testing.T, file string, e Event, named bool) {
	t.Helper()
	if e.Source != schemas.SourceSignIn && e.Source != schemas.SourceEmail {
		return
	}
	if e.Activity == "" || e.Time == 0 || e.ID == (schemas.UUID{}) || e.ActorType == "" || e.Outcome == "" {
		t.Errorf("%s: %s lacks activity, time, id, actor type or outcome", file, e.Operation)
	}
	if (e.ActorType == schemas.ActorPerson || e.ActorType == schemas.ActorGuest) && e.Actor.Key() == "" {
		t.Errorf("%s: %s has a person without a name", file, e.Operation)
	}
	if key := e.Actor.Key(); key != strings.TrimSpace(key) || e.Actor.UPN != strings.ToLower(e.Actor.UPN) {
		t.Errorf("%s: %s has an unfolded name", file, e.Operation)
	}
	bodies := 0
	for _, has := range []bool{e.SignIn != nil, e.Email != nil, e.Detection != nil} {
		if has {
			bodies++
		}
	}
	if account := strings.HasPrefix(e.Activity, "account."); bodies != 1 && !account {
		t.Errorf("%s: %s has %d bodies", file, e.Operation, bodies)
	}
	if e.Email != nil && named && e.Email.Messages == 1 && strings.HasPrefix(file, "o365-Exchange-rt2") && e.Email.Message == 0 {
		t.Errorf("%s: %s names no message", file, e.Operation)
	}
	if strings.Contains(e.Activity, "interrupted") != (e.SignIn != nil && e.SignIn.Interrupted) {
		t.Errorf("%s: %s is half interrupted", file, e.Operation)
	}
}
