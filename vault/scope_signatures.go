package vault

import (
	"errors"
	"fmt"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// SignedScope is what is signed of a temporary scope: all of it.
type SignedScope struct {
	Name   string
	Digest schemas.Digest
}

// ScopeSignature is a line of a file of signatures.
type ScopeSignature struct {
	Scope     string         `yaml:"scope" json:"scope"`
	Digest    schemas.Digest `yaml:"digest" json:"digest"`
	Role      PolicyRole     `yaml:"role" json:"role"`
	Signer    string         `yaml:"signer" json:"signer"`
	Signature string         `yaml:"signature" json:"signature"` // Ed25519, in base64
}

// ScopeSignatures are the signatures that are kept beside temporary scopes.
type ScopeSignatures []ScopeSignature

// ErrUnsignedScope means that a temporary scope lacks a signature that counts.
var ErrUnsignedScope = errors.New("the temporary scope is not signed")

// scopeTitle begins the text of a signature; nothing else that is signed begins
// with it, so that a policy's signature never counts for a scope.
const scopeTitle = "riskpipe temporary scope signature v1"

// text is what is signed.
func (s SignedScope) text(role PolicyRole) string {
	return fmt.Sprintf("%s\n%q\n%s\n%s\n", scopeTitle, s.Name, s.Digest, role)
}

// SignScope signs a temporary scope as the signer, whose key it must be.
func SignScope(s SignedScope, signer PolicySigner, key *SigningKey) (ScopeSignature, error) {
	signature, err := signer.sign(s.text(signer.Role), key)
	if err != nil {
		return ScopeSignature{}, fmt.Errorf("signing temporary scope %s: %w", s.Name, err)
	}
	return ScopeSignature{Scope: s.Name, Digest: s.Digest, Role: signer.Role, Signer: signer.Name, Signature: signature}, nil
}

// With returns the signatures with one more, which takes the place of an earlier
// one of the same scope, role and signer, of whatever content.
func (s ScopeSignatures) With(more ScopeSignature) ScopeSignatures {
	with := slices.DeleteFunc(slices.Clone(s), func(old ScopeSignature) bool {
		return old.Scope == more.Scope && old.Role == more.Role && old.Signer == more.Signer
	})
	return append(with, more)
}

// Signers returns who has signed the scope as it is, by role. Signatures of other
// contents and of people who are no signers do not count.
func (s ScopeSignatures) Signers(of SignedScope, signers []PolicySigner) map[PolicyRole][]PolicySigner {
	signed := signedBy{}
	for _, signature := range s {
		if signature.Scope == of.Name && signature.Digest == of.Digest {
			signed.add(signature.Role, signature.Signer, of.text(signature.Role), signature.Signature, signers)
		}
	}
	return signed
}

// Verify returns nil for a scope that one signer for HR and another one for Legal
// signed as it is, and otherwise an error that wraps ErrUnsignedScope and says
// what is missing. One key counts for one role.
func (s ScopeSignatures) Verify(of SignedScope, signers []PolicySigner) error {
	if missing := signedBy(s.Signers(of, signers)).missing(); missing != "" {
		return fmt.Errorf("%s: %w %s", of.Name, ErrUnsignedScope, missing)
	}
	return nil
}
