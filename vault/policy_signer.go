package vault

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"golang.org/x/mod/sumdb/note"
)

// PolicyRole is for whom somebody signs policies and temporary scopes.
type PolicyRole string

// The roles. A policy needs a signature for each of them before it is live, and a
// temporary scope before it is applied.
const (
	PolicyHR    PolicyRole = "hr"
	PolicyLegal PolicyRole = "legal"
)

// PolicyRoles returns all roles.
func PolicyRoles() []PolicyRole { return []PolicyRole{PolicyHR, PolicyLegal} }

// PolicySigner is somebody whose signature counts for one role.
type PolicySigner struct {
	Name string
	Role PolicyRole
	Key  *VerifyingKey
}

// sign returns the signer's Ed25519 signature of the text, which ends with a line
// end, in base64.
func (s PolicySigner) sign(text string, key *SigningKey) (string, error) {
	if key.Public().String() != s.Key.String() {
		return "", fmt.Errorf("the key is not that of %s", s.Name)
	}
	raw, err := key.signer.Sign([]byte(text))
	if err != nil {
		return "", err
	}
	// As a note has it: four bytes of the key's hash, then the signature.
	return base64.StdEncoding.EncodeToString(append(binary.BigEndian.AppendUint32(nil, key.signer.KeyHash()), raw...)), nil
}

// signed says whether the signer's key made the signature of the text.
func (s PolicySigner) signed(text, signature string) bool {
	opened, err := note.Open(fmt.Appendf(nil, "%s\n— %s %s\n", text, s.Key.Name(), signature), note.VerifierList(s.Key.verifier))
	return err == nil && opened.Text == text
}

// signedBy is who signed something, by role.
type signedBy map[PolicyRole][]PolicySigner

// add adds the signer of the name and role whose signature of the text it is, if
// it is one that counts.
func (s signedBy) add(role PolicyRole, name, text, signature string, signers []PolicySigner) {
	for _, signer := range signers {
		if signer.Name == name && signer.Role == role && signer.signed(text, signature) {
			s[role] = append(s[role], signer)
		}
	}
}

// missing says what is missing of a signature for each role by two people with
// two keys; it is empty when nothing is.
func (s signedBy) missing() string {
	for _, role := range PolicyRoles() {
		if len(s[role]) == 0 {
			return "for " + string(role)
		}
	}
	for _, hr := range s[PolicyHR] {
		for _, legal := range s[PolicyLegal] {
			if hr.Name != legal.Name && hr.Key.String() != legal.Key.String() {
				return ""
			}
		}
	}
	return "by two people"
}
