package vault

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/schemas"
)

var update = flag.Bool("update", false, "write the golden files")

var grants Grants

// The people of the tests. Each account belongs to a person of its own, unless
// the name says otherwise.
var (
	leaver  = schemas.Pseudonym{1}
	manager = schemas.Pseudonym{2}
)

func person(n byte, name string, roles ...Role) Actor {
	return Actor{Name: name, User: schemas.Pseudonym{100, n}, Roles: roles}
}

var (
	iris   = person(1, "iris", RoleInvestigator)
	ivan   = person(2, "ivan", RoleInvestigator)
	helen  = person(3, "helen", RoleHRApprover)
	hugo   = person(4, "hugo", RoleHRApprover)
	lara   = person(5, "lara", RoleLegalApprover)
	louis  = person(6, "louis", RoleLegalApprover)
	bianca = person(7, "bianca", RoleHRApprover, RoleLegalApprover)
)

func request() RevealAction {
	return RevealAction{
		Kind: ActionRequest, ID: schemas.UUID{7}, User: leaver, Manager: manager, Case: "C-17",
		Purpose: PurposeInvestigation, Fields: []string{"upn", "display_name"}, Reason: "mass download before leaving",
	}
}

// action is a complete action of the kind, in whatever role the actor has.
func action(kind RevealActionKind) RevealAction {
	switch kind {
	case ActionRequest, ActionBreakGlass:
		a := request()
		a.Kind = kind
		return a
	default:
		return RevealAction{Kind: kind, Reason: "as agreed", Justified: true}
	}
}

// step is an action in a chain of them, hours after the request.
type step struct {
	actor  Actor
	action RevealAction
	hours  int
}

func by(actor Actor, kind RevealActionKind, hours int) step { return step{actor, action(kind), hours} }

const hour = schemas.Time(3_600_000)

// after returns the reveal after the steps, which must all be permitted.
func after(t interface{ Fatalf(string, ...any) }, steps ...step) Reveal {
	var r Reveal
	for _, s := range steps {
		var err error
		if r, err = grants.Decide(r, s.actor, s.action, auditTime+schemas.Time(s.hours)*hour); err != nil {
			t.Fatalf("%s by %s: %v", s.action.Kind, s.actor.Name, err)
		}
	}
	return r
}

// Every actor, in every state, tries every action; testdata/reveal_matrix.golden
// says what comes of it.
func TestDecide_matrix(t *testing.T) {
	unjustified := action(ActionReview)
	unjustified.Justified = false
	asked, taken := by(iris, ActionRequest, 0), by(iris, ActionBreakGlass, 0)
	states := []struct {
		name   string
		reveal Reveal
		hours  int // when they try
	}{
		{"nothing", Reveal{}, 0},
		{"requested", after(t, asked), 1},
		{"approved by HR", after(t, asked, by(helen, ActionApprove, 0)), 1},
		{"approved by Legal", after(t, asked, by(lara, ActionApprove, 0)), 1},
		{"granted", after(t, asked, by(helen, ActionApprove, 0), by(lara, ActionApprove, 0)), 71},
		{"expired", after(t, asked, by(helen, ActionApprove, 0), by(lara, ActionApprove, 0)), 72},
		{"denied", after(t, asked, by(helen, ActionDeny, 0)), 1},
		{"withdrawn", after(t, asked, by(iris, ActionWithdraw, 0)), 1},
		{"break-glass", after(t, taken), 3},
		{"break-glass over", after(t, taken), 4},
		{"break-glass, HR: justified", after(t, taken, by(helen, ActionReview, 0)), 3},
		{"break-glass, HR: unjustified", after(t, taken, step{helen, unjustified, 0}), 3},
		{"break-glass over, HR: justified", after(t, taken, by(helen, ActionReview, 5)), 6},
		{"reviewed", after(t, taken, by(helen, ActionReview, 0), by(lara, ActionReview, 0)), 1},
	}
	type candidate struct {
		name  string
		actor Actor
		as    Role
	}
	var actors []candidate
	for i, role := range Roles() {
		actors = append(actors, candidate{string(role), person(byte(50+i), "some "+string(role), role), ""})
	}
	actors = append(actors,
		candidate{"the requester", iris, ""},
		candidate{"the requester as HR", Actor{iris.Name, iris.User, []Role{RoleInvestigator, RoleHRApprover}}, ""},
		candidate{"the requester's other account, HR", Actor{"iris2", iris.User, []Role{RoleHRApprover}}, ""},
		candidate{"the HR approver who decided", helen, ""},
		candidate{"the same person as Legal", Actor{"helen2", helen.User, []Role{RoleLegalApprover}}, ""},
		candidate{"HR and Legal, not saying which", bianca, ""},
		candidate{"HR and Legal, as Legal", bianca, RoleLegalApprover},
		candidate{"HR approver, as Legal", hugo, RoleLegalApprover},
		candidate{"HR approver, as auditor", hugo, RoleAuditor},
		candidate{"the user as HR", Actor{"leaver", leaver, []Role{RoleHRApprover}}, ""},
		candidate{"the user as investigator", Actor{"leaver", leaver, []Role{RoleInvestigator}}, ""},
		candidate{"the user's manager as Legal", Actor{"boss", manager, []Role{RoleLegalApprover}}, ""},
		candidate{"HR approver, person unknown", Actor{"shared", schemas.Pseudonym{}, []Role{RoleHRApprover}}, ""},
		candidate{"investigator, person unknown", Actor{"shared", schemas.Pseudonym{}, []Role{RoleInvestigator}}, ""},
		candidate{"investigator and platform", person(90, "root", RoleInvestigator, RolePlatform), ""},
		candidate{"HR approver and policy author", person(91, "author", RoleHRApprover, RolePolicyAuthor), ""},
		candidate{"Legal approver and policy author", person(92, "author", RoleLegalApprover, RolePolicyAuthor), ""},
		candidate{"no role", person(93, "guest"), ""},
		candidate{"nobody", Actor{Roles: Roles()}, ""},
	)

	var golden bytes.Buffer
	table := tabwriter.NewWriter(&golden, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "state\tactor")
	for _, kind := range RevealActions() {
		fmt.Fprintf(table, "\t%s", kind)
	}
	fmt.Fprintln(table)
	for _, state := range states {
		before := fmt.Sprintf("%+v", state.reveal)
		for _, c := range actors {
			fmt.Fprintf(table, "%s\t%s", state.name, c.name)
			for _, kind := range RevealActions() {
				a := action(kind)
				a.As = c.as
				got, err := grants.Decide(state.reveal, c.actor, a, auditTime+schemas.Time(state.hours)*hour)
				fmt.Fprintf(table, "\t%s", outcome(t, state.reveal, got, err))
			}
			fmt.Fprintln(table)
		}
		if fmt.Sprintf("%+v", state.reveal) != before {
			t.Errorf("%s: the state that was given was changed", state.name)
		}
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	compareGolden(t, "reveal_matrix.golden", golden.Bytes())
}

// outcome is a cell of the matrix: the new status, or - and why not.
func outcome(t *testing.T, before, got Reveal, err error) string {
	switch {
	case err == nil:
		return string(got.Status)
	case !reflect.DeepEqual(got, before):
		t.Errorf("a refusal changed the state: %v", err)
		return "?"
	case errors.Is(err, ErrForbidden):
		return "-forbidden"
	case errors.Is(err, ErrConflict):
		return "-conflict"
	case errors.Is(err, ErrInvalid):
		return "-invalid"
	default:
		t.Errorf("an error of no kind: %v", err)
		return "?"
	}
}

func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(file, got, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

// A request says whom, what for, which fields and why, or is none.
func TestDecide_invalidRequests(t *testing.T) {
	for name, change := range map[string]func(*RevealAction){
		"no id":            func(a *RevealAction) { a.ID = schemas.UUID{} },
		"no user":          func(a *RevealAction) { a.User = schemas.Pseudonym{} },
		"no case":          func(a *RevealAction) { a.Case = " " },
		"long case":        func(a *RevealAction) { a.Case = strings.Repeat("c", maxCase+1) },
		"no reason":        func(a *RevealAction) { a.Reason = "\n" },
		"long reason":      func(a *RevealAction) { a.Reason = strings.Repeat("r", maxReason+1) },
		"no purpose":       func(a *RevealAction) { a.Purpose = "" },
		"another purpose":  func(a *RevealAction) { a.Purpose = "curiosity" },
		"no fields":        func(a *RevealAction) { a.Fields = nil },
		"an unknown field": func(a *RevealAction) { a.Fields = []string{"upn", "salary"} },
		"a field twice":    func(a *RevealAction) { a.Fields = []string{"upn", "upn"} },
		"another action":   func(a *RevealAction) { a.Kind = "peek" },
	} {
		for _, kind := range []RevealActionKind{ActionRequest, ActionBreakGlass} {
			a := action(kind)
			change(&a)
			if _, err := grants.Decide(Reveal{}, iris, a, auditTime); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, kind := range []RevealActionKind{ActionDeny, ActionReview, ActionApprove} {
		for reason, want := range map[string]bool{"": kind == ActionApprove, "why": true, strings.Repeat("r", maxReason+1): false} {
			first := by(iris, ActionRequest, 0)
			if kind == ActionReview {
				first = by(iris, ActionBreakGlass, 0)
			}
			_, err := grants.Decide(after(t, first), helen, RevealAction{Kind: kind, Reason: reason}, auditTime)
			if (err == nil) != want || (err != nil && !errors.Is(err, ErrInvalid)) {
				t.Errorf("%s with %.5q: %v", kind, reason, err)
			}
		}
	}
}

// Grants last as long as is configured, within bounds.
func TestGrants(t *testing.T) {
	short := Grants{Time: 60_000_000_000, BreakGlassTime: 120_000_000_000}
	for kind, want := range map[RevealActionKind]schemas.Time{ActionRequest: 60_000, ActionBreakGlass: 120_000} {
		r, err := short.Decide(Reveal{}, iris, action(kind), auditTime)
		for _, approver := range []Actor{helen, lara} {
			if err == nil && kind == ActionRequest {
				r, err = short.Decide(r, approver, action(ActionApprove), auditTime)
			}
		}
		if err != nil || r.ExpiresAt != auditTime+want || r.At(r.ExpiresAt-1).Status != RevealGranted || r.At(r.ExpiresAt).Status != RevealExpired {
			t.Errorf("%s: %+v, %v", kind, r, err)
		}
	}
	if err := errors.Join(Grants{}.Validate(), short.Validate()); err != nil {
		t.Error(err)
	}
	if err := (Grants{Time: 1, BreakGlassTime: 1 << 60}).Validate(); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("want two problems, got %v", err)
	}
}

// attempt draws any action of anybody.
func attempt(r *rapid.T) (Actor, RevealAction) {
	actor := rapid.SampledFrom([]Actor{
		iris, ivan, helen, hugo, lara, louis, bianca,
		{"iris", iris.User, []Role{RoleInvestigator, RoleHRApprover, RoleLegalApprover}},
		{"helen2", helen.User, []Role{RoleLegalApprover}},
		{"leaver", leaver, []Role{RoleHRApprover}},
		{"boss", manager, []Role{RoleLegalApprover}},
	}).Draw(r, "actor")
	a := action(rapid.SampledFrom(RevealActions()).Draw(r, "action"))
	a.As = rapid.SampledFrom([]Role{"", "", RoleHRApprover, RoleLegalApprover}).Draw(r, "as")
	a.Justified = rapid.Bool().Draw(r, "justified")
	return actor, a
}

// Whatever anybody tries in whatever order: nothing opens without two approvals
// by two people who are neither the requester nor the user nor the manager, or
// break-glass; nothing opens after its time; what is final stays; what has
// expired stays so; and a break-glass ends with a review or waits for one.
func TestDecide_properties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var state Reveal
		at := auditTime
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			at += schemas.Time(rapid.Int64Range(-2, 30).Draw(r, "hours")) * hour
			actor, a := attempt(r)
			now := state.At(at)
			next, err := grants.Decide(state, actor, a, at)
			if err != nil {
				if !reflect.DeepEqual(next, state) {
					r.Fatal("a refusal changed something")
				}
				continue
			}
			if now.Final() {
				r.Fatalf("%s happened to what was %s", a.Kind, now.Status)
			}
			if now.Status == RevealExpired && next.At(at).Status != RevealExpired && next.Status != RevealReviewed {
				r.Fatalf("expired became %s", next.Status)
			}
			if next.UpdatedAt < state.UpdatedAt || (state.ExpiresAt != 0 && next.ExpiresAt != state.ExpiresAt) || next.Openings < state.Openings {
				r.Fatalf("time ran backwards: %+v to %+v", state, next)
			}
			if next.Openings > state.Openings {
				checkOpening(r, now, next, actor, at)
			}
			state = next
		}
	})
}

// checkOpening checks that an opening was one that may be.
func checkOpening(r *rapid.T, before, after Reveal, actor Actor, at schemas.Time) {
	if actor.Name != after.Requester || before.Status != RevealGranted || max(at, before.UpdatedAt) >= before.ExpiresAt {
		r.Fatalf("%s opened what was %s", actor.Name, before.Status)
	}
	if after.BreakGlass {
		if before.refuted() || !after.NeedsReview() {
			r.Fatal("a break-glass was opened after its review")
		}
		return
	}
	people := []schemas.Pseudonym{iris.User, leaver, manager}
	roles := []Role{}
	for _, vote := range after.Votes {
		if vote.Action != ActionApprove || slices.Contains(people, vote.User) || slices.Contains(roles, vote.As) {
			r.Fatalf("opened with %+v", after.Votes)
		}
		people, roles = append(people, vote.User), append(roles, vote.As)
	}
	if len(roles) != 2 {
		r.Fatalf("opened with %+v", after.Votes)
	}
}
