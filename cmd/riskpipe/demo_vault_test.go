package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
	"github.com/riskpipe/riskpipe/vault/server"
)

// The demo's made-up people reveal a name that went through the whole pipeline,
// and what they worked with is gone afterwards.
func TestDemoVault(t *testing.T) {
	l := newLive(t)
	v, public, err := newDemoVault()
	if err != nil {
		t.Fatal(err)
	}
	l.config.Vault.PublicKey = public
	l.key, err = vault.ParseKey(string(l.config.Pseudonym.Key))
	if err != nil {
		t.Fatal(err)
	}
	ctx := l.startServices(t.Context())
	publisher, err := newPublisher(l.config)
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.close()
	for _, chapter := range leaverStory() {
		for _, r := range chapter {
			if err := publisher.publish(t.Context(), r, r.Time.UTC()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := publisher.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.waitUntilRead()
	if err := v.serve(ctx, l.config, "contoso.example", "127.0.0.1:0", l.log, l.services.Go); err != nil {
		t.Fatal(err)
	}
	as := func(name, path string, body, answer any) {
		t.Helper()
		token, err := os.ReadFile(v.path(name + ".token"))
		if err != nil {
			t.Fatal(err)
		}
		client, err := RevealConfig{URL: "http://" + v.address, Token: Secret(strings.TrimSpace(string(token)))}.client()
		if err != nil {
			t.Fatal(err)
		}
		if err := client.call(t.Context(), "POST", path, body, answer); err != nil {
			t.Fatal(err)
		}
	}
	user := l.key.Pseudonym("upn:grace@contoso.example")
	var reveal struct {
		ID schemas.UUID `json:"id"`
	}
	as("investigator", "/v1/reveals", map[string]any{"user": user, "case": "C-1", "purpose": "investigation", "fields": vault.RevealFields(), "reason": "looking around"}, &reveal)
	for _, name := range []string{"hr", "legal"} {
		as(name, "/v1/reveals/"+reveal.ID.String()+"/approve", map[string]any{}, &reveal)
	}
	var opened server.Opened
	as("investigator", "/v1/reveals/"+reveal.ID.String()+"/open", nil, &opened)
	if !slices.Equal(opened.Identity["upn"], []string{"grace@contoso.example"}) {
		t.Errorf("%d fields are known", len(opened.Identity))
	}
	if files, err := filepath.Glob(v.path("*")); err != nil || len(files) < 6 {
		t.Errorf("%v, %v", files, err)
	}
	if err := l.failure(); err != nil {
		t.Error(err)
	}
	if err := v.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(v.folder); !os.IsNotExist(err) {
		t.Errorf("the tokens are still there: %v", err)
	}
}
