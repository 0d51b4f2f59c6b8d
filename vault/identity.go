package vault

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/riskpipe/riskpipe/schemas"
)

// identityBlock is what the lengths of sealed identities are multiples of, in
// bytes, so that a short name looks like a long one.
const identityBlock = 256

// Identity is whose a pseudonym is, or a part of that: records on the topic hold
// a fact each, so that none takes away what another one says. It prints as
// nothing; only JSON shows it.
type Identity struct {
	UPN         string   `json:"upn,omitempty"`
	DisplayName string   `json:"display_name,omitempty"`
	ObjectID    string   `json:"object_id,omitempty"`   // in the directory
	EmployeeID  string   `json:"employee_id,omitempty"` // in the HR system
	Aliases     []string `json:"aliases,omitempty"`     // other mail addresses and account names
	Department  string   `json:"department,omitempty"`
	Manager     string   `json:"manager,omitempty"` // a name, an address or an id, as the directory has it
	Title       string   `json:"title,omitempty"`
	// Previous are the person's pseudonyms under earlier keys.
	Previous []LinkRecord `json:"previous,omitempty"`
}

// LinkRecord is a pseudonym that the same person had under an earlier pseudonym
// key. It is sealed with the identity, so that the two are linked in the vault
// and nowhere else.
type LinkRecord struct {
	User       schemas.Pseudonym `json:"user"`
	KeyVersion int32             `json:"key_version"`
}

// Link returns the link to the pseudonym that the identity has under an earlier
// key.
func Link(earlier *Key, identity string) LinkRecord {
	return LinkRecord{User: earlier.Pseudonym(identity), KeyVersion: earlier.Version()}
}

// padIdentity writes an identity at a length that does not tell its own.
func padIdentity(identity Identity) ([]byte, error) {
	text, err := json.Marshal(identity)
	if err != nil {
		return nil, errors.New("encoding failed") // the cause might quote it
	}
	padded := make([]byte, (4+len(text)+identityBlock-1)/identityBlock*identityBlock)
	binary.BigEndian.PutUint32(padded, uint32(len(text)))
	copy(padded[4:], text)
	return padded, nil
}

// OpenIdentity opens what an IdentitySealer sealed. It returns ErrNotAuthentic when
// the record was changed, its pseudonym and key version included, and what the
// Opener says when it cannot be opened. No error quotes the identity.
func OpenIdentity(ctx context.Context, opener Opener, sealed *schemas.Identity) (Identity, error) {
	padded, err := openSealedIdentity(ctx, opener, sealed)
	if err != nil {
		return Identity{}, fmt.Errorf("opening the identity of %s: %w", sealed.User.Short(), err)
	}
	defer clear(padded)
	var identity Identity
	// Whoever has the public key can seal nonsense; its JSON error would quote it.
	if len(padded) < 4 || uint64(binary.BigEndian.Uint32(padded)) > uint64(len(padded)-4) ||
		json.Unmarshal(padded[4:4+binary.BigEndian.Uint32(padded)], &identity) != nil {
		return Identity{}, fmt.Errorf("opening the identity of %s: %w", sealed.User.Short(), schemas.ErrMalformed)
	}
	return identity, nil
}

// identityData is what an identity is bound to; all parts have fixed lengths.
func identityData(user schemas.Pseudonym, keyVersion int32) []byte {
	return binary.BigEndian.AppendUint32(append([]byte(labelIdentity), user[:]...), uint32(keyVersion))
}
