package vault

import (
	"errors"
	"fmt"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// SignedPolicy is what is signed of a policy: its logic, whole. Alerts carry 64 bits
// of a hash, of which two policies that have the same one can be searched for.
type SignedPolicy struct {
	Name    string
	Version int32
	Digest  schemas.Digest
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
	signature, err := signer.sign(p.text(signer.Role), key)
	if err != nil {
		return PolicySignature{}, fmt.Errorf("signing policy %s: %w", p.Name, err)
	}
	return PolicySignature{
		Policy: p.Name, Version: p.Version, Digest: p.Digest, Role: signer.Role, Signer: signer.Name, Signature: signature,
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
	signed := signedBy{}
	for _, signature := range s {
		if signature.Policy != p.Name || signature.Version != p.Version || signature.Digest != p.Digest {
			continue
		}
		signed.add(signature.Role, signature.Signer, p.text(signature.Role), signature.Signature, signers)
	}
	return signed
}

// Verify returns nil for a policy that one signer for HR and another one for
// Legal signed as it is, and otherwise an error that wraps ErrUnsignedPolicy and
// says what is missing. One key counts for one role.
func (s PolicySignatures) Verify(p SignedPolicy, signers []PolicySigner) error {
	if missing := signedBy(s.Signers(p, signers)).missing(); missing != "" {
		return fmt.Errorf("%s version %d: %w %s", p.Name, p.Version, ErrUnsignedPolicy, missing)
	}
	return nil
}
