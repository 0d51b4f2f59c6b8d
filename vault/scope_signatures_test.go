package vault

import (
	"errors"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// A temporary scope is signed once HR and Legal have signed it as it is; the
// signatures of a policy of the same name and digest do not count for it.
func TestScopeSignatures(t *testing.T) {
	erinKey, louKey := signingKey(t, "erin"), signingKey(t, "lou")
	erin, lou := PolicySigner{"Erin", PolicyHR, erinKey.Public()}, PolicySigner{"Lou", PolicyLegal, louKey.Public()}
	signers := []PolicySigner{erin, lou}
	scope := SignedScope{Name: "case_17", Digest: schemas.Digest{7}}
	sign := func(s SignedScope, signer PolicySigner, key *SigningKey) ScopeSignature {
		t.Helper()
		signature, err := SignScope(s, signer, key)
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	both := ScopeSignatures{sign(scope, erin, erinKey), sign(scope, lou, louKey)}
	if err := both.Verify(scope, signers); err != nil {
		t.Fatal(err)
	}
	policy, err := SignPolicy(SignedPolicy{Name: "case_17", Digest: schemas.Digest{7}}, lou, louKey)
	if err != nil {
		t.Fatal(err)
	}
	ofPolicy := both[1]
	ofPolicy.Signature = policy.Signature
	erinForLegal := PolicySigner{"Erin", PolicyLegal, erinKey.Public()}
	for name, tt := range map[string]struct {
		signatures ScopeSignatures
		scope      SignedScope
		signers    []PolicySigner
		want       string
	}{
		"nobody":              {nil, scope, signers, "for hr"},
		"HR alone":            {both[:1], scope, signers, "for legal"},
		"other content":       {both, SignedScope{"case_17", schemas.Digest{8}}, signers, "for hr"},
		"other name":          {both, SignedScope{"case_18", schemas.Digest{7}}, signers, "for hr"},
		"no signer any more":  {both, scope, signers[:1], "for legal"},
		"a policy's":          {ScopeSignatures{both[0], ofPolicy}, scope, signers, "for legal"},
		"one person for both": {ScopeSignatures{both[0], sign(scope, erinForLegal, erinKey)}, scope, []PolicySigner{erin, erinForLegal}, "two people"},
	} {
		if err := tt.signatures.Verify(tt.scope, tt.signers); !errors.Is(err, ErrUnsignedScope) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if _, err := SignScope(scope, lou, erinKey); err == nil {
		t.Error("another's key signed")
	}
	changed := scope
	changed.Digest = schemas.Digest{8}
	if renewed := both.With(sign(changed, erin, erinKey)); len(renewed) != 2 || renewed.Verify(scope, signers) == nil ||
		renewed.With(sign(changed, lou, louKey)).Verify(changed, signers) != nil {
		t.Errorf("%+v", renewed)
	}
}
