package server

import (
	"bytes"
	stdcmp "cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/google/go-cmp/cmp"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

var update = flag.Bool("update", false, "write the golden files")

const start = schemas.Time(1772442000123)

var (
	grace   = schemas.Pseudonym{1}
	manager = schemas.Pseudonym{2}
)

// fixture is a vault's server with its log, and one identity sealed in a file.
type fixture struct {
	*httptest.Server
	audit *vault.AuditChain
	disk  *brokenDisk
	now   schemas.Time
	log   bytes.Buffer
}

// brokenDisk is a store that fails when told to.
type brokenDisk struct {
	vault.AuditMemory
	broken bool
}

func (d *brokenDisk) Append(record *schemas.Audit) error {
	if d.broken {
		return errors.New("no space left")
	}
	return d.AuditMemory.Append(record)
}

// names are the accounts of the tests: one for each role, and some with several.
func names() map[string][]vault.Role {
	all := map[string][]vault.Role{
		"iris": {vault.RoleInvestigator}, "ivan": {vault.RoleInvestigator}, "helen": {vault.RoleHRApprover}, "lara": {vault.RoleLegalApprover},
		"bianca": {vault.RoleHRApprover, vault.RoleLegalApprover}, "guest": {vault.RoleAnalyst},
	}
	for _, role := range vault.Roles() {
		all["some "+string(role)] = []vault.Role{role}
	}
	return all
}

// token is the token of an account.
func token(name string) string { return "secret of " + name }

func newFixture(t *testing.T) *fixture {
	t.Helper()
	private, _, err := vault.GeneratePrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.NewKeyring(private)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := vault.NewIdentitySealer(private.Public()).Seal(grace, 1, start, vault.Identity{UPN: "grace@contoso.example", DisplayName: "Grace Taylor", Title: "Analyst"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "identities.jsonl")
	line, err := json.Marshal(sealed)
	if err == nil {
		err = os.WriteFile(file, append(line, '\n'), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := vault.GenerateSigningKey(rand.Reader, "audit")
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{disk: &brokenDisk{}, now: start}
	if f.audit, err = vault.NewAuditChain(f.disk, vault.AuditOptions{Writer: "vault", Key: key}); err != nil {
		t.Fatal(err)
	}
	reveals, err := vault.NewRevealStore(f.audit, vault.Grants{})
	if err != nil {
		t.Fatal(err)
	}
	var list []Token
	for name, roles := range names() {
		sum := sha256.Sum256([]byte(name))
		list = append(list, Token{SHA256: sha256.Sum256([]byte(token(name))), Name: name, User: schemas.Pseudonym(sum[:16]).String(), Roles: roles})
	}
	list = append(list, Token{SHA256: sha256.Sum256([]byte(token("boss"))), Name: "boss", User: manager.String(), Roles: []vault.Role{vault.RoleHRApprover}})
	tokens, err := NewTokens(list, nil)
	if err != nil {
		t.Fatal(err)
	}
	server, err := New(Deps{
		Authenticator: tokens, Reveals: reveals, Audit: f.audit, Identities: vault.NewSealedIdentities(FileIdentities{file}, keys),
		Managers: map[schemas.Pseudonym]schemas.Pseudonym{grace: manager},
		Now:      func() schemas.Time { return f.now }, Log: slog.New(slog.NewTextHandler(&f.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Server = httptest.NewServer(server)
	t.Cleanup(f.Close)
	return f
}

// do sends a request with a JSON body as an account, and returns the status and
// the body.
func (f *fixture) do(t *testing.T, name, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, f.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if name != "" {
		r.Header.Set("Authorization", "Bearer "+token(name))
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return f.send(t, r)
}

func (f *fixture) send(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	response, err := f.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.Header.Get("Cache-Control") != "no-store" || response.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %s: headers are %v", r.Method, r.URL.Path, response.Header)
	}
	kind := "application/json"
	if response.StatusCode >= 400 {
		kind = "application/problem+json"
		var p Problem
		if err := json.Unmarshal(text, &p); err != nil || p.Status != response.StatusCode || p.Title == "" || p.Type != "about:blank" {
			t.Errorf("%s %s: the problem is %s", r.Method, r.URL.Path, text)
		}
	}
	if response.Header.Get("Content-Type") != kind {
		t.Errorf("%s %s: content type is %q, want %q", r.Method, r.URL.Path, response.Header.Get("Content-Type"), kind)
	}
	return response.StatusCode, string(text)
}

// must is do with the status that is wanted.
func (f *fixture) must(t *testing.T, status int, name, method, path, body string) string {
	t.Helper()
	got, text := f.do(t, name, method, path, body)
	if got != status {
		t.Fatalf("%s %s as %s: %d, want %d: %s", method, path, name, got, status, text)
	}
	return text
}

func wanted(more string) string {
	return fmt.Sprintf(`{"user":%q,"case":"C-17","purpose":"investigation","fields":["upn","display_name"],"reason":"mass download"%s}`, grace, more)
}

// ask makes a request as iris and returns its path.
func (f *fixture) ask(t *testing.T, more string) string {
	t.Helper()
	var reveal vault.Reveal
	if err := json.Unmarshal([]byte(f.must(t, 201, "iris", "POST", "/v1/reveals", wanted(more))), &reveal); err != nil {
		t.Fatal(err)
	}
	return "/v1/reveals/" + reveal.ID.String()
}

func (f *fixture) actions(t *testing.T) []string {
	t.Helper()
	records, err := f.audit.Records(0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, record := range records {
		list = append(list, strings.TrimPrefix(record.Actor, "token:")+" "+record.Action)
	}
	return list
}

// A name is seen after two approvals, by who asked for it, and all of that is on
// record; no name is in the log or in the audit log.
func TestServer_reveal(t *testing.T) {
	f := newFixture(t)
	path := f.ask(t, "")
	f.must(t, 409, "iris", "POST", path+"/open", "")
	f.must(t, 403, "boss", "POST", path+"/approve", "{}")
	f.must(t, 200, "helen", "POST", path+"/approve", `{"reason":"agreed"}`)
	f.must(t, 409, "iris", "POST", path+"/open", "")
	f.must(t, 200, "bianca", "POST", path+"/approve", `{"as":"legal_approver"}`)
	f.must(t, 403, "ivan", "POST", path+"/open", "")
	var opened struct {
		Reveal   vault.Reveal        `json:"reveal"`
		Identity map[string][]string `json:"identity"`
	}
	if err := json.Unmarshal([]byte(f.must(t, 200, "iris", "POST", path+"/open", "")), &opened); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"upn": {"grace@contoso.example"}, "display_name": {"Grace Taylor"}}
	if d := cmp.Diff(want, opened.Identity); d != "" || opened.Reveal.Openings != 1 {
		t.Errorf("%+v (-want +got):\n%s", opened.Reveal, d)
	}
	f.now += schemas.Time(vault.GrantTime.Milliseconds())
	f.must(t, 409, "iris", "POST", path+"/open", "")
	list := f.must(t, 200, "ivan", "GET", "/v1/reveals", "")
	if list != "{\"reveals\":[]}\n" {
		t.Errorf("another investigator sees %s", list)
	}
	for _, name := range []string{"iris", "helen", "some privacy_officer"} {
		if list = f.must(t, 200, name, "GET", "/v1/reveals", ""); !strings.Contains(list, `"status":"expired"`) {
			t.Errorf("%s sees %s", name, list)
		}
	}
	trail := []string{
		"iris reveal.requested", "iris reveal.refused", "boss reveal.refused", "helen reveal.approved", "iris reveal.refused",
		"bianca reveal.approved", "ivan reveal.refused", "iris reveal.opened", "iris reveal.refused",
		"ivan reveal.listed", "iris reveal.listed", "helen reveal.listed", "some privacy_officer reveal.listed",
	}
	if d := cmp.Diff(trail, f.actions(t)); d != "" {
		t.Errorf("on record (-want +got):\n%s", d)
	}
	records, err := f.audit.Records(0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprint(records) + f.log.String(); strings.Contains(strings.ToLower(all), "grace") || strings.Contains(all, "secret of") {
		t.Error("a name or a token is in the logs")
	}
}

// Denial, withdrawal and break-glass with its review, over HTTP.
func TestServer_otherWays(t *testing.T) {
	f := newFixture(t)
	denied := f.ask(t, "")
	f.must(t, 422, "helen", "POST", denied+"/deny", "{}")
	f.must(t, 200, "helen", "POST", denied+"/deny", `{"reason":"no ground"}`)
	withdrawn := f.ask(t, "")
	f.must(t, 403, "helen", "POST", withdrawn+"/withdraw", "")
	f.must(t, 200, "iris", "POST", withdrawn+"/withdraw", "")
	taken := f.ask(t, `,"break_glass":true`)
	f.must(t, 200, "iris", "POST", taken+"/open", "")
	f.must(t, 422, "helen", "POST", taken+"/review", `{"reason":"seen"}`)
	f.must(t, 200, "helen", "POST", taken+"/review", `{"reason":"seen","justified":true}`)
	text := f.must(t, 200, "lara", "POST", taken+"/review", `{"reason":"seen","justified":false}`)
	if !strings.Contains(text, `"status":"reviewed"`) || !strings.Contains(text, `"justified":false,"openings":1`) {
		t.Errorf("after both reviews: %s", text)
	}
	f.must(t, 409, "iris", "POST", taken+"/open", "")
	nobody := strings.Replace(wanted(`,"break_glass":true`), grace.String(), schemas.Pseudonym{9}.String(), 1)
	var reveal vault.Reveal
	if err := json.Unmarshal([]byte(f.must(t, 201, "iris", "POST", "/v1/reveals", nobody)), &reveal); err != nil {
		t.Fatal(err)
	}
	f.must(t, 404, "iris", "POST", "/v1/reveals/"+reveal.ID.String()+"/open", "")
}

// Every role calls every endpoint; testdata/endpoints.golden says what comes of it.
func TestServer_matrix(t *testing.T) {
	var golden bytes.Buffer
	table := tabwriter.NewWriter(&golden, 0, 0, 2, ' ', 0)
	calls := []struct{ name, method, path, body string }{
		{"request", "POST", "/v1/reveals", wanted("")},
		{"break-glass", "POST", "/v1/reveals", wanted(`,"break_glass":true`)},
		{"list", "GET", "/v1/reveals", ""},
		{"approve", "POST", "requested/approve", "{}"},
		{"deny", "POST", "requested/deny", `{"reason":"no"}`},
		{"withdraw", "POST", "requested/withdraw", ""},
		{"open", "POST", "taken/open", ""},
		{"review", "POST", "taken/review", `{"reason":"seen","justified":true}`},
		{"audit", "GET", "/v1/audit", ""},
	}
	fmt.Fprint(table, "account")
	for _, c := range calls {
		fmt.Fprint(table, "\t"+c.name)
	}
	fmt.Fprintln(table)
	accounts := []string{"", "stranger", "iris"}
	for _, role := range vault.Roles() {
		accounts = append(accounts, "some "+string(role))
	}
	for _, account := range accounts {
		f := newFixture(t)
		shown := map[string]string{"": "no token", "stranger": "a false token", "iris": "the requester"}
		fmt.Fprint(table, stdcmp.Or(shown[account], account))
		for _, c := range calls {
			// Each call meets requests that nobody has decided on.
			path := strings.NewReplacer("requested", f.ask(t, ""), "taken", f.ask(t, `,"break_glass":true`)).Replace(c.path)
			before := len(f.actions(t))
			status, text := f.do(t, account, c.method, path, c.body)
			fmt.Fprintf(table, "\t%d", status)
			if recorded := len(f.actions(t)) - before; (status == 401) != (recorded == 0) {
				t.Errorf("%s by %q: %d left %d records: %s", c.name, account, status, recorded, text)
			}
		}
		fmt.Fprintln(table)
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "endpoints.golden")
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(file, golden.Bytes(), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), golden.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// The audit log is read in pages, and reading it is on record.
func TestServer_audit(t *testing.T) {
	f := newFixture(t)
	for range 5 {
		f.ask(t, "")
	}
	var sequences []int64
	for after, pages := int64(0), 0; pages < 10; pages++ {
		var page AuditPage
		text := f.must(t, 200, "some auditor", "GET", fmt.Sprintf("/v1/audit?after=%d&limit=3", after), "")
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			t.Fatal(err)
		}
		for i := range page.Records {
			if vault.AuditHash(&page.Records[i]) != page.Records[i].Hash {
				t.Errorf("record %d does not verify as it was sent", page.Records[i].Sequence)
			}
			sequences = append(sequences, page.Records[i].Sequence)
		}
		if after = page.Next; after == 0 {
			break
		}
	}
	if want := []int64{1, 2, 3, 4, 5, 6, 7, 8}; !slices.Equal(sequences, want) {
		t.Errorf("read %v, want %v", sequences, want)
	}
	for _, query := range []string{"after=x", "after=-1", "limit=1001", "limit=x"} {
		f.must(t, 400, "some auditor", "GET", "/v1/audit?"+query, "")
	}
}

// What is not a proper request is refused, and quoted nowhere.
func TestServer_badRequests(t *testing.T) {
	f := newFixture(t)
	path := f.ask(t, "")
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/v1/reveals", "", 422},
		{"POST", "/v1/reveals", "{", 400},
		{"POST", "/v1/reveals", "[]", 400},
		{"POST", "/v1/reveals", wanted(`,"admin":true`), 400},
		{"POST", "/v1/reveals", wanted("") + "{}", 400},
		{"POST", "/v1/reveals", `{"user":"Grace Taylor"}`, 400},
		{"POST", "/v1/reveals", wanted(`,"x":"` + strings.Repeat("x", maxBody) + `"`), 413},
		{"POST", path + "/open", `{"fields":["title"]}`, 400},
		{"POST", path + "/approve", `{"as":"king"}`, 400},
		{"POST", "/v1/reveals/nonsense/approve", "{}", 404},
		{"POST", "/v1/reveals/00000000-0000-8000-8000-000000000000/approve", "{}", 404},
		{"POST", path + "/peek", "{}", 404},
		{"GET", path + "/open", "", 405},
		{"DELETE", "/v1/audit", "", 405},
		{"GET", "/", "", 404},
	} {
		if text := f.must(t, tt.status, "iris", tt.method, tt.path, tt.body); strings.Contains(text, "Grace") {
			t.Errorf("%s %s quotes what was sent: %s", tt.method, tt.path, text)
		}
	}
	r, err := http.NewRequest("POST", f.URL+"/v1/reveals", strings.NewReader(wanted("")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "bearer "+token("iris"))
	r.Header.Set("Content-Type", "text/plain")
	if status, _ := f.send(t, r); status != 415 {
		t.Errorf("a body of text: %d", status)
	}
	r.Header.Set("Authorization", "Basic "+token("iris"))
	if status, _ := f.send(t, r); status != 401 {
		t.Errorf("another scheme: %d", status)
	}
}

// When nothing can be put on record, nothing is done or shown.
func TestServer_auditBroken(t *testing.T) {
	f := newFixture(t)
	path := f.ask(t, `,"break_glass":true`)
	f.disk.broken = true
	f.must(t, 500, "iris", "POST", path+"/open", "")
	f.disk.broken = false
	for _, call := range [][3]string{{"iris", "POST", path + "/open"}, {"iris", "GET", "/v1/reveals"}, {"some auditor", "GET", "/v1/audit"}, {"guest", "GET", "/v1/audit"}} {
		if text := f.must(t, 503, call[0], call[1], call[2], ""); strings.Contains(text, "contoso") || strings.Contains(text, "C-17") {
			t.Errorf("shown off the record: %s", text)
		}
	}
}

// unsure is an issuer that cannot be reached.
type unsure struct{}

func (unsure) Authenticate(context.Context, string) (vault.Actor, error) {
	return vault.Actor{}, errors.New("the issuer does not answer")
}

// Authenticators are asked in turn; one that could not find out ends it.
func TestAuthenticators(t *testing.T) {
	tokens, err := NewTokens([]Token{{SHA256: sha256.Sum256([]byte("t")), Name: "iris", Roles: []vault.Role{vault.RoleAnalyst}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	empty, err := NewTokens(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if actor, err := (Authenticators{empty, tokens, unsure{}}).Authenticate(t.Context(), "t"); err != nil || actor.Name != "token:iris" {
		t.Errorf("%+v, %v", actor, err)
	}
	if _, err := (Authenticators{empty, unsure{}, tokens}).Authenticate(t.Context(), "t"); err == nil || errors.Is(err, ErrUnauthenticated) {
		t.Errorf("one could not find out: %v", err)
	}
	for _, a := range []Authenticators{nil, {empty, tokens}} {
		if _, err := a.Authenticate(t.Context(), "u"); !errors.Is(err, ErrUnauthenticated) {
			t.Errorf("nobody's token: %v", err)
		}
	}
}

// There is no server with anything missing.
func TestNew_problems(t *testing.T) {
	_, err := New(Deps{})
	if err == nil || strings.Count(err.Error(), "\n") != 5 {
		t.Errorf("want six problems, got %v", err)
	}
}
