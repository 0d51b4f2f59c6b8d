package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

func revealStore(t interface{ Fatal(...any) }, store AuditStore) (*RevealStore, *AuditChain) {
	chain, err := NewAuditChain(store, AuditOptions{Writer: "vault", Key: signingKey(t, "audit")})
	if err != nil {
		t.Fatal(err)
	}
	reveals, err := NewRevealStore(chain, Grants{})
	if err != nil {
		t.Fatal(err)
	}
	return reveals, chain
}

func ask() RevealAction {
	a := request()
	a.ID = schemas.UUID{}
	return a
}

// Whatever is done, opening the file again gives the same requests, at any time.
func TestRevealStore_reopens(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		file := filepath.Join(dir, fmt.Sprint(runs))
		options := AuditOptions{Writer: "vault", Key: signingKey(r, "audit"), Every: 3}
		chain, err := OpenAuditFile(file, file+".checkpoints", auditTime, options)
		if err != nil {
			r.Fatal(err)
		}
		store, err := NewRevealStore(chain, Grants{})
		if err != nil {
			r.Fatal(err)
		}
		at := auditTime
		var ids []schemas.UUID
		for range rapid.IntRange(1, 15).Draw(r, "steps") {
			at += schemas.Time(rapid.Int64Range(-1, 30).Draw(r, "hours")) * hour
			actor, a := attempt(r)
			if a.Kind == ActionRequest || a.Kind == ActionBreakGlass {
				if got, err := store.Request(context.Background(), actor, a, at); err == nil {
					ids = append(ids, got.ID)
				}
			} else if len(ids) > 0 {
				_, _ = store.Do(context.Background(), rapid.SampledFrom(ids).Draw(r, "id"), actor, a, at)
			}
		}
		if err := chain.Close(); err != nil {
			r.Fatal(err)
		}
		if chain, err = OpenAuditFile(file, file+".checkpoints", auditTime, options); err != nil {
			r.Fatal(err)
		}
		defer chain.Close()
		// Other time boxes do not move grants that were given.
		again, err := NewRevealStore(chain, Grants{Time: 60_000_000_000, BreakGlassTime: 60_000_000_000})
		if err != nil {
			r.Fatal(err)
		}
		for _, moment := range []schemas.Time{at - 80*hour, at, at + 3*hour, at + 100*hour} {
			if d := cmp.Diff(store.List(moment), again.List(moment)); d != "" {
				r.Fatalf("at %s (-before +reopened):\n%s", moment, d)
			}
		}
	})
}

// identities are the names that a test vault holds.
type identities map[schemas.Pseudonym]Identity

func (i identities) OpenIdentity(_ context.Context, user schemas.Pseudonym) (Identity, error) {
	identity, found := i[user]
	if !found {
		return Identity{}, ErrNoIdentity
	}
	return identity, nil
}

// watched tells whether the opening was on record when the identity was asked for.
type watched struct {
	identities
	chain  *AuditChain
	before []schemas.Audit
}

func (w *watched) OpenIdentity(ctx context.Context, user schemas.Pseudonym) (Identity, error) {
	var err error
	if w.before, err = w.chain.Records(0, 100); err != nil {
		return Identity{}, err
	}
	return w.identities.OpenIdentity(ctx, user)
}

// A granted request shows the fields that were asked for, after that is on
// record; nothing else shows anything, and what was refused is on record, too.
func TestRevealStore_Open(t *testing.T) {
	ctx := t.Context()
	store, chain := revealStore(t, &AuditMemory{})
	names := &watched{chain: chain, identities: identities{leaver: {UPN: "grace@contoso.example", DisplayName: "Grace", Title: "Analyst"}}}
	r, err := store.Request(ctx, iris, ask(), auditTime)
	if err != nil {
		t.Fatal(err)
	}
	if _, shown, err := store.Open(ctx, r.ID, iris, auditTime, names); !errors.Is(err, ErrConflict) || shown != nil || names.before != nil {
		t.Errorf("before any approval: %v", err)
	}
	for _, approver := range []Actor{helen, lara} {
		if _, err := store.Do(ctx, r.ID, approver, action(ActionApprove), auditTime+1); err != nil {
			t.Fatal(err)
		}
	}
	if _, shown, err := store.Open(ctx, r.ID, ivan, auditTime+2, names); !errors.Is(err, ErrForbidden) || shown != nil || names.before != nil {
		t.Errorf("another investigator: %v", err)
	}
	got, shown, err := store.Open(ctx, r.ID, iris, auditTime+3, names)
	if err != nil || got.Openings != 1 {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string][]string{"upn": {"grace@contoso.example"}, "display_name": {"Grace"}}, map[string][]string(shown)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if last := names.before[len(names.before)-1]; last.Action != "reveal.opened" || last.Subject != leaver.String() || last.Actor != "iris" {
		t.Errorf("the last record before the identity was opened is %+v", last)
	}
	if text := fmt.Sprintf("%v %+v %#v %s", shown, shown, shown, shown.LogValue()); strings.Contains(text, "race") {
		t.Errorf("it prints as %s", text)
	}
	if text, err := json.Marshal(shown); err != nil || !strings.Contains(string(text), "Grace") {
		t.Errorf("JSON is %s, %v", text, err)
	}
	if _, shown, err := store.Open(ctx, r.ID, iris, got.ExpiresAt, names); !errors.Is(err, ErrConflict) || shown != nil {
		t.Errorf("after its time: %v", err)
	}

	records, err := chain.Records(0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, record := range records {
		actions = append(actions, record.Action)
		if strings.Contains(fmt.Sprintf("%+v", record), "race") {
			t.Errorf("a name is in the audit log: %+v", record)
		}
	}
	want := []string{
		"reveal.requested", "reveal.refused", "reveal.approved", "reveal.approved",
		"reveal.refused", "reveal.opened", "reveal.refused",
	}
	if !slices.Equal(actions, want) {
		t.Errorf("on record are %v, want %v", actions, want)
	}
}

// Nothing is done that is not on record, and an opening that showed nothing says so.
func TestRevealStore_failures(t *testing.T) {
	ctx := t.Context()
	disk := &failing{}
	store, chain := revealStore(t, disk)
	r, err := store.Request(ctx, iris, RevealAction{
		Kind: ActionBreakGlass, User: leaver, Case: "C", Purpose: PurposeSafety, Fields: []string{"upn"}, Reason: "threat",
	}, auditTime)
	if err != nil {
		t.Fatal(err)
	}
	if _, shown, err := store.Open(ctx, r.ID, iris, auditTime, identities{}); !errors.Is(err, ErrNoIdentity) || shown != nil {
		t.Errorf("nobody known: %v", err)
	}
	records, err := chain.Records(0, 10)
	if err != nil || len(records) != 3 || records[2].Action != "reveal.not_opened" {
		t.Errorf("%+v, %v", records, err)
	}
	disk.records = true
	names := &watched{chain: chain, identities: identities{leaver: {UPN: "grace@contoso.example"}}}
	if _, shown, err := store.Open(ctx, r.ID, iris, auditTime, names); err == nil || shown != nil || names.before != nil {
		t.Errorf("opened off the record: %v", err)
	}
	if got, err := store.Get(r.ID, auditTime); err != nil || got.Openings != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := store.Request(ctx, iris, ask(), auditTime); !errors.Is(err, ErrAuditBroken) || len(store.List(auditTime)) != 1 {
		t.Errorf("requested off the record: %v", err)
	}
	if _, err := store.Do(ctx, r.ID, helen, action(ActionApprove), auditTime); !errors.Is(err, ErrConflict) || !errors.Is(err, ErrAuditBroken) {
		t.Errorf("refused off the record: %v", err)
	}
}

// There is no store without a log, and none on a log that cannot be read.
func TestNewRevealStore_problems(t *testing.T) {
	if _, err := NewRevealStore(nil, Grants{}); err == nil {
		t.Error("no log")
	}
	_, chain := revealStore(t, &AuditMemory{})
	if _, err := NewRevealStore(chain, Grants{Time: 1}); err == nil {
		t.Error("a grant of a nanosecond")
	}
	if err := chain.Append(t.Context(), AuditEntry{Time: 1, Action: "reveal.opened", Subject: "?", Detail: "?"}); err != nil {
		t.Fatal(err)
	}
	if _, err := NewRevealStore(chain, Grants{}); err == nil || !strings.Contains(err.Error(), "record 1") {
		t.Errorf("an unreadable record: %v", err)
	}
	store, _ := revealStore(t, &AuditMemory{})
	_, doErr := store.Do(t.Context(), schemas.UUID{1}, iris, action(ActionWithdraw), auditTime)
	_, getErr := store.Get(schemas.UUID{1}, auditTime)
	if !errors.Is(doErr, ErrUnknownReveal) || !errors.Is(getErr, ErrUnknownReveal) {
		t.Errorf("an unknown request: %v, %v", doErr, getErr)
	}
}
