package vault

import (
	"errors"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// A policy is signed once HR and Legal have signed it as it is, with keys that
// count for them and belong to two people.
func TestPolicySignatures(t *testing.T) {
	erinKey, louKey := signingKey(t, "erin"), signingKey(t, "lou")
	erin, lou := PolicySigner{"Erin", PolicyHR, erinKey.Public()}, PolicySigner{"Lou", PolicyLegal, louKey.Public()}
	policy := SignedPolicy{Name: "data_leaks", Version: 3, Digest: schemas.Digest{7}}
	sign := func(p SignedPolicy, signer PolicySigner, key *SigningKey) PolicySignature {
		t.Helper()
		signature, err := SignPolicy(p, signer, key)
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
	both := PolicySignatures{sign(policy, erin, erinKey), sign(policy, lou, louKey)}
	signers := []PolicySigner{erin, lou}
	if err := both.Verify(policy, signers); err != nil {
		t.Fatal(err)
	}
	alter := func(change func(*PolicySignature)) PolicySignatures {
		altered := append(PolicySignatures(nil), both...)
		change(&altered[1])
		return altered
	}
	erinForLegal := PolicySigner{"Erin", PolicyLegal, erinKey.Public()}
	erinAgain := PolicySigner{"Erin Doe", PolicyLegal, erinKey.Public()}
	for name, tt := range map[string]struct {
		signatures PolicySignatures
		policy     SignedPolicy
		signers    []PolicySigner
		want       string
	}{
		"nobody":             {nil, policy, signers, "for hr"},
		"HR alone":           {both[:1], policy, signers, "for legal"},
		"Legal alone":        {both[1:], policy, signers, "for hr"},
		"other logic":        {both, SignedPolicy{"data_leaks", 3, schemas.Digest{8}}, signers, "for hr"},
		"other version":      {both, SignedPolicy{"data_leaks", 4, schemas.Digest{7}}, signers, "for hr"},
		"other policy":       {both, SignedPolicy{"data_theft", 3, schemas.Digest{7}}, signers, "for hr"},
		"no signer any more": {both, policy, signers[:1], "for legal"},
		"role exchanged":     {both, policy, []PolicySigner{{"Erin", PolicyLegal, erin.Key}, {"Lou", PolicyHR, lou.Key}}, "for hr"},
		"key exchanged":      {both, policy, []PolicySigner{erin, {"Lou", PolicyLegal, signingKey(t, "lou").Public()}}, "for legal"},
		"signature cut":      {alter(func(s *PolicySignature) { s.Signature = s.Signature[:20] }), policy, signers, "for legal"},
		"signature empty":    {alter(func(s *PolicySignature) { s.Signature = "" }), policy, signers, "for legal"},
		"signature of HR's":  {alter(func(s *PolicySignature) { s.Signature = both[0].Signature }), policy, signers, "for legal"},
		"lines in signature": {alter(func(s *PolicySignature) { s.Signature += "\n— lou x" }), policy, signers, "for legal"},
		"hash put right":     {alter(func(s *PolicySignature) { s.Digest = schemas.Digest{8} }), SignedPolicy{"data_leaks", 3, schemas.Digest{8}}, signers, "for hr"},
		"one person for both": {
			PolicySignatures{both[0], sign(policy, erinForLegal, erinKey)}, policy, []PolicySigner{erin, erinForLegal}, "two people",
		},
		"one key under two names": {
			PolicySignatures{both[0], sign(policy, erinAgain, erinKey)}, policy, []PolicySigner{erin, erinAgain}, "two people",
		},
	} {
		if err := tt.signatures.Verify(tt.policy, tt.signers); !errors.Is(err, ErrUnsignedPolicy) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	if _, err := SignPolicy(policy, lou, erinKey); err == nil {
		t.Error("another's key signed")
	}

	// A new signature replaces the signer's earlier one for the role.
	next := policy
	next.Version = 4
	renewed := both.With(sign(next, erin, erinKey))
	if len(renewed) != 2 || len(both) != 2 || renewed.Verify(next, signers) == nil || both.Verify(policy, signers) != nil {
		t.Errorf("%+v", renewed)
	}
	if err := renewed.With(sign(next, lou, louKey)).Verify(next, signers); err != nil {
		t.Error(err)
	}
}
