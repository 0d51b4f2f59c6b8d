package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// The errors of shredding for one user.
var (
	// ErrShredded means that nothing opens the user's evidence any more.
	ErrShredded = errors.New("the evidence was shredded")
	// ErrKeyInUse means that a normaliser may still seal with the data key.
	ErrKeyInUse = errors.New("the data key is in use until its hour is over")
	// ErrWholeKey means that the data key seals directly, as keys did once, and
	// cannot be parted.
	ErrWholeKey = errors.New("the data key cannot be parted among people")
)

// keyOverlap is for how long after its hour a normaliser may still be sealing
// with a data key, by whatever its clock says.
const keyOverlap = schemas.Time(10 * time.Minute / time.Millisecond)

// Puncture makes a data key, sealed to the vault anew, that opens what the key
// opens, but for the evidence of the erased users: in place of the key it holds
// the keys of the other users whose evidence it sealed, which must all be given
// when it is punctured first. Written to the topic evidence_keys under the id of
// the key, it replaces it there, and nothing opens that evidence any more,
// wherever it lies. To puncture twice is to puncture once.
//
// It returns ErrKeyInUse before the key's hour is over, and ErrWholeKey for keys
// of the first format.
func Puncture(ctx context.Context, opener Opener, to *PublicKey, key *schemas.EvidenceKey, others, erased []schemas.Pseudonym, now schemas.Time) (schemas.EvidenceKey, error) {
	switch {
	case now < key.Hour+hourMillis+keyOverlap:
		return schemas.EvidenceKey{}, fmt.Errorf("puncturing data key %.32q: %w", key.ID, ErrKeyInUse)
	case key.Format == wholeFormat:
		return schemas.EvidenceKey{}, fmt.Errorf("puncturing data key %.32q: %w", key.ID, ErrWholeKey)
	}
	whole, err := unwrap(ctx, opener, key)
	if err != nil {
		return schemas.EvidenceKey{}, fmt.Errorf("puncturing: %w", err)
	}
	people := whole.people
	if whole.secret != nil {
		people = map[schemas.Pseudonym][]byte{}
		for _, user := range others {
			people[user] = personKey(whole.secret, user)
		}
	}
	for _, user := range erased {
		delete(people, user)
	}
	punctured := schemas.EvidenceKey{ID: key.ID, Hour: key.Hour, Format: puncturedFormat}
	if err := wrap(to, appendPeople(people), &punctured); err != nil {
		return schemas.EvidenceKey{}, err
	}
	return punctured, nil
}

// Punctured says whether a data key's record replaces that of the whole key.
func Punctured(key *schemas.EvidenceKey) bool { return key.Format == puncturedFormat }

// Opens says whether a data key can still open evidence of the user.
func Opens(ctx context.Context, opener Opener, key *schemas.EvidenceKey, user schemas.Pseudonym) (bool, error) {
	if !Punctured(key) {
		return true, nil
	}
	punctured, err := unwrap(ctx, opener, key)
	if err != nil {
		return false, err
	}
	return punctured.people[user] != nil, nil
}

// appendPeople writes pseudonyms and keys, all of fixed length, in order.
func appendPeople(people map[schemas.Pseudonym][]byte) []byte {
	users := make([]schemas.Pseudonym, 0, len(people))
	for user := range people {
		users = append(users, user)
	}
	slices.SortFunc(users, func(a, b schemas.Pseudonym) int { return bytes.Compare(a[:], b[:]) })
	list := make([]byte, 0, len(users)*(len(schemas.Pseudonym{})+dataKeySize))
	for _, user := range users {
		list = append(append(list, user[:]...), people[user]...)
	}
	return list
}

// readPeople reads what appendPeople wrote.
func readPeople(list []byte) (map[schemas.Pseudonym][]byte, error) {
	const entry = len(schemas.Pseudonym{}) + dataKeySize
	if len(list)%entry != 0 {
		return nil, errors.Join(ErrNotAuthentic, fmt.Errorf("it has %d bytes", len(list)))
	}
	people := map[schemas.Pseudonym][]byte{}
	for one := range slices.Chunk(list, entry) {
		people[schemas.Pseudonym(one[:len(schemas.Pseudonym{})])] = one[len(schemas.Pseudonym{}):]
	}
	return people, nil
}
