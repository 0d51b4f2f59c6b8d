package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// issuer is an OpenID Connect issuer that signs whatever it is asked to.
type issuer struct {
	*httptest.Server
	key *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	mux := http.NewServeMux()
	reply := func(w http.ResponseWriter, body any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(body); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{
			"issuer": i.URL, "jwks_uri": i.URL + "/keys", "authorization_endpoint": i.URL + "/a", "token_endpoint": i.URL + "/t",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	})
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	return i
}

func signed(t *testing.T, algorithm jose.SignatureAlgorithm, key any, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func pseudonymOf(name string) schemas.Pseudonym {
	if name == "erin@contoso.example" {
		return grace
	}
	return manager
}

func (i *issuer) config() OIDCConfig {
	return OIDCConfig{
		Issuer: i.URL, Audience: "riskpipe", Pseudonym: pseudonymOf,
		Roles: map[string][]vault.Role{"soc": {vault.RoleAnalyst, vault.RoleInvestigator}, "people": {vault.RoleHRApprover}, "all": {vault.RoleAnalyst}},
	}
}

func (i *issuer) claims() map[string]any {
	return map[string]any{
		"iss": i.URL, "aud": "riskpipe", "sub": "00u1", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
		"email": "erin@contoso.example", "groups": []string{"soc", "all", "football"},
	}
}

// The subject is the account, the groups are its roles, the address is whose it is.
func TestOIDC(t *testing.T) {
	i := newIssuer(t)
	o, err := NewOIDC(t.Context(), i.config())
	if err != nil {
		t.Fatal(err)
	}
	actor, err := o.Authenticate(t.Context(), signed(t, jose.ES256, i.key, i.claims()))
	if err != nil || actor.Name != "oidc:00u1" || actor.User != grace || !slices.Equal(actor.Roles, []vault.Role{vault.RoleAnalyst, vault.RoleInvestigator}) {
		t.Errorf("%+v, %v", actor, err)
	}
	for name, change := range map[string]func(map[string]any){
		"no address":         func(c map[string]any) { delete(c, "email") },
		"unverified address": func(c map[string]any) { c["email_verified"] = false },
		"no groups":          func(c map[string]any) { delete(c, "groups") },
		"groups as a text":   func(c map[string]any) { c["groups"] = "soc" },
	} {
		claims := i.claims()
		change(claims)
		actor, err := o.Authenticate(t.Context(), signed(t, jose.ES256, i.key, claims))
		known, roles := actor.User != (schemas.Pseudonym{}), len(actor.Roles)
		if addressed := strings.Contains(name, "groups"); err != nil || known != addressed || (roles == 0) != addressed {
			t.Errorf("%s: %+v, %v", name, actor, err)
		}
	}
	other := i.config()
	other.UserClaim, other.GroupsClaim = "upn", "roles"
	if o, err = NewOIDC(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	claims := i.claims()
	claims["upn"], claims["roles"] = "other@contoso.example", []any{"people", 7}
	if actor, err := o.Authenticate(t.Context(), signed(t, jose.ES256, i.key, claims)); err != nil || actor.User != manager || !slices.Equal(actor.Roles, []vault.Role{vault.RoleHRApprover}) {
		t.Errorf("other claims: %+v, %v", actor, err)
	}
}

// Tokens of others, for others, of other times or without a signature are nobody's.
func TestOIDC_refuses(t *testing.T) {
	i := newIssuer(t)
	o, err := NewOIDC(t.Context(), i.config())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sound := signed(t, jose.ES256, i.key, i.claims())
	tokens := map[string]string{
		"empty": "", "words": "secret", "another key": signed(t, jose.ES256, stranger, i.claims()),
		"another algorithm": signed(t, jose.HS256, make([]byte, 32), i.claims()),
		"no signature":      sound[:strings.LastIndex(sound, ".")+1],
		"unsigned":          "eyJhbGciOiJub25lIn0" + sound[strings.Index(sound, "."):strings.LastIndex(sound, ".")+1],
	}
	for name, change := range map[string]func(map[string]any){
		"expired":          func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() },
		"another audience": func(c map[string]any) { c["aud"] = "payroll" },
		"another issuer":   func(c map[string]any) { c["iss"] = "https://login.example" },
		"no subject":       func(c map[string]any) { delete(c, "sub") },
	} {
		claims := i.claims()
		change(claims)
		tokens[name] = signed(t, jose.ES256, i.key, claims)
	}
	for name, token := range tokens {
		if actor, err := o.Authenticate(t.Context(), token); !errors.Is(err, ErrUnauthenticated) || actor.Name != "" {
			t.Errorf("%s: %+v, %v", name, actor, err)
		}
	}
}

// A token of an issuer opens the API.
func TestOIDC_server(t *testing.T) {
	f, i := newFixture(t), newIssuer(t)
	o, err := NewOIDC(t.Context(), i.config())
	if err != nil {
		t.Fatal(err)
	}
	f.Config.Handler.(*Server).deps.Authenticator = Authenticators{f.Config.Handler.(*Server).deps.Authenticator, o}
	claims := i.claims()
	claims["email"] = "other@contoso.example"
	r, err := http.NewRequest("POST", f.URL+"/v1/reveals", strings.NewReader(wanted("")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+signed(t, jose.ES256, i.key, claims))
	if status, text := f.send(t, r); status != 201 || !strings.Contains(text, `"requester":"oidc:00u1"`) {
		t.Errorf("%d: %s", status, text)
	}
}

// An issuer that cannot be trusted or reached, and settings that let in too many,
// are refused.
func TestNewOIDC_problems(t *testing.T) {
	if _, err := NewOIDC(t.Context(), OIDCConfig{Issuer: "http://login.example", Roles: map[string][]vault.Role{"g": {"king"}}}); err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("want four problems, got %v", err)
	}
	if err := (OIDCConfig{Issuer: "https://login.example"}).Validate(); err == nil || strings.Contains(err.Error(), "want https") || !strings.Contains(err.Error(), "no group") {
		t.Errorf("no roles: %v", err)
	}
	i := newIssuer(t)
	i.Close()
	if _, err := NewOIDC(t.Context(), i.config()); err == nil || !strings.Contains(err.Error(), "asking the OpenID Connect issuer") {
		t.Errorf("an issuer that is not there: %v", err)
	}
}
