package vault

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/riskpipe/riskpipe/schemas"
)

// PolicyRole is for whom somebody signs policies.
type PolicyRole string

// The roles. A policy needs a signature for each of them before it is live.
const (
	PolicyHR    PolicyRole = "hr"
	PolicyLegal PolicyRole = "legal"
)

// PolicyRoles returns all roles.
func PolicyRoles() []PolicyRole { return []PolicyRole{PolicyHR, PolicyLegal} }

// SignedPolicy is what is signed of a policy: its logic, whole. Alerts carry 64 bits
// of a hash, of which two policies that have the same one can be searched for.
type SignedPolicy struct {
	Name    string
	Version int32
	Digest  schemas.Digest
}

// PolicySigner is somebody whose signature counts for one role.
type PolicySigner struct {
	Name string
	Role PolicyRole
	Key  *VerifyingKey
}

// PolicySignature is a line of a file of signatures.
type PolicySignature struct {
	Policy    string         `yaml:"policy" json:"policy"`
	Version   int32          `yaml:"version" json:"version"`
	Digest    schemas.Digest `yaml:"digest" json:"digest"`
	Role      PolicyRole     `yaml:"role" json:"role"`
	Signer    string         `yaml:"signer" json:"signer"`
	Signature string         `yaml:"signature" json:"signature"` // Ed25519, in base64
}

// PolicySignatures are the signatures that are kept beside the policies.
type PolicySignatures []PolicySignature

// ErrUnsignedPolicy means that a policy lacks a signature that counts.
var ErrUnsignedPolicy = errors.New("the policy is not signed")

// policyTitle begins the text of a signature; nothing else that is signed begins
// with it.
const policyTitle = "riskpipe policy signature v1"

// text is what is signed.
func (p SignedPolicy) text(role PolicyRole) string {
	return fmt.Sprintf("%s\n%q\n%d\n%s\n%s\n", policyTitle, p.Name, p.Version, p.Digest, role)
}

// SignPolicy signs a policy as the signer, whose key it must be.
func SignPolicy(p SignedPolicy, signer PolicySigner, key *SigningKey) (PolicySignature, error) {
	if key.Public().String() != signer.Key.String() {
		return PolicySignature{}, fmt.Errorf("signing policy %s: the key is not that of %s", p.Name, signer.Name)
	}
	raw, err := key.signer.Sign([]byte(p.text(signer.Role)))
	if err != nil {
		return PolicySignature{}, fmt.Errorf("signing policy %s: %w", p.Name, err)
	}
	// As a note has it: four bytes of the key's hash, then the signature.
	encoded := append(binary.BigEndian.AppendUint32(nil, key.signer.KeyHash()), raw...)
	return PolicySignature{
		Policy: p.Name, Version: p.Version, Digest: p.Digest, Role: signer.Role, Signer: signer.Name,
		Signature: base64.StdEncoding.EncodeToString(encoded),
	}, nil
}

// With returns the signatures with one more, which takes the place of an earlier
// one of the same policy, role and signer, of whatever version.
func (s PolicySignatures) With(more PolicySignature) PolicySignatures {
	with := slices.DeleteFunc(slices.Clone(s), func(old PolicySignature) bool {
		return old.Policy == more.Policy && old.Role == more.Role && old.Signer == more.Signer
	})
	return append(with, more)
}

// Signers returns who has signed the policy as it is, by role. Signatures of
// other versions and of people who are no signers do not count.
func (s PolicySignatures) Signers(p SignedPolicy, signers []PolicySigner) map[PolicyRole][]PolicySigner {
	signed := map[PolicyRole][]PolicySigner{}
	for _, signature := range s {
		if signature.Policy != p.Name || signature.Version != p.Version || signature.Digest != p.Digest {
			continue
		}
		for _, signer := range signers {
			if signer.Name == signature.Signer && signer.Role == signature.Role && signature.valid(p, signer) {
				signed[signer.Role] = append(signed[signer.Role], signer)
			}
		}
	}
	return signed
}

// valid says whether the signer's key made the signature.
func (s PolicySignature) valid(p SignedPolicy, signer PolicySigner) bool {
	text := p.text(signer.Role)
	opened, err := note.Open(fmt.Appendf(nil, "%s\n— %s %s\n", text, signer.Key.Name(), s.Signature), note.VerifierList(signer.Key.verifier))
	return err == nil && opened.Text == text
}

// Verify returns nil for a policy that one signer for HR and another one for
// Legal signed as it is, and otherwise an error that wraps ErrUnsignedPolicy and
// says what is missing. One key counts for one role.
func (s PolicySignatures) Verify(p SignedPolicy, signers []PolicySigner) error {
	signed := s.Signers(p, signers)
	for _, role := range PolicyRoles() {
		if len(signed[role]) == 0 {
			return fmt.Errorf("%s version %d: %w for %s", p.Name, p.Version, ErrUnsignedPolicy, role)
		}
	}
	for _, hr := range signed[PolicyHR] {
		for _, legal := range signed[PolicyLegal] {
			if hr.Name != legal.Name && hr.Key.String() != legal.Key.String() {
				return nil
			}
		}
	}
	return fmt.Errorf("%s version %d: %w by two people", p.Name, p.Version, ErrUnsignedPolicy)
}
