package pipeline

import (
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// An event has the groups of the person whom its names lead to, whichever name
// the record has, and none for others.
func TestGroups(t *testing.T) {
	r := newResolver(t, NewMemoryNames(), func(d *ResolverDeps) {
		d.Groups = NewGroups(d.Key, map[string][]string{"Ada@Contoso.com": {"leavers", "priority"}})
	})
	var out Batch
	people(
		t, r, &out,
		normalise.Actor{ObjectID: adaID}, // not known yet
		normalise.Actor{UPN: "ada@contoso.com", ObjectID: adaID},
		normalise.Actor{ObjectID: adaID},
		normalise.Actor{UPN: "ben@contoso.com"},
		normalise.Actor{Type: schemas.ActorService, App: "backup"},
	)
	var got []string
	for _, e := range out.Events {
		got = append(got, strings.Join(e.Groups, "+"))
	}
	if text := strings.Join(got, ","); text != ",leavers+priority,leavers+priority,," {
		t.Errorf("groups are %q", text)
	}
}
