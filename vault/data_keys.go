package vault

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"

	"github.com/riskpipe/riskpipe/schemas"
)

// maxMessages is how much one data key seals. Nonces are counted and could not
// meet before 2^64; the bound keeps what one key protects, and GCM's advantage
// to a forger, small (RFC 9771, NIST SP 800-38D).
const maxMessages = 1 << 32

// DataKeys draws the data keys of one process, one for each hour, that all its
// sealers share: the more there are, the more the vault has to open. It is safe
// for concurrent use.
type DataKeys struct {
	to    *PublicKey
	limit uint64

	mu   sync.Mutex
	last *sealingKey // nil before the first
	used uint64      // messages of last that were given to sealers
}

// NewDataKeys returns data keys that are wrapped to the vault.
func NewDataKeys(to *PublicKey) *DataKeys { return &DataKeys{to: to, limit: maxMessages} }

// Sealer returns a sealer with these data keys.
func (d *DataKeys) Sealer() *Sealer { return &Sealer{keys: d} }

// reserve returns the data key of the hour of at and the number of the first of so many
// messages that nobody else will seal with it.
func (d *DataKeys) reserve(at schemas.Time, messages int) (key *sealingKey, first uint64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last == nil || hourOf(at) != d.last.record.Hour || uint64(max(messages, 1)) > d.limit-d.used {
		if key, err = drawSealingKey(d.to, hourOf(at)); err != nil {
			return nil, 0, err
		}
		d.last, d.used = key, 0
	}
	first = d.used
	d.used += uint64(messages)
	return d.last, first, nil
}

// sealingKey is a data key while it seals. It makes the keys of people, each of whom
// has their own, so that the vault can let go of one person's evidence and keep the
// others'. It is safe for concurrent use.
type sealingKey struct {
	record schemas.EvidenceKey
	prefix [4]byte // of nonces

	mu     sync.RWMutex
	people map[schemas.Pseudonym]cipher.AEAD
	mac    hash.Hash         // under the data key
	person [dataKeySize]byte // key of the person in hand
}

func drawSealingKey(to *PublicKey, hour schemas.Time) (*sealingKey, error) {
	var drawn [dataKeySize + nonceSize + 4]byte
	if _, err := rand.Read(drawn[:]); err != nil {
		return nil, fmt.Errorf("drawing a data key: %w", err)
	}
	defer clear(drawn[:])
	secret, id, prefix := drawn[:dataKeySize], drawn[dataKeySize:dataKeySize+nonceSize], drawn[dataKeySize+nonceSize:]
	record := schemas.EvidenceKey{ID: hex.EncodeToString(id), Hour: hour, Format: evidenceFormat}
	if err := wrap(to, secret, &record); err != nil {
		return nil, err
	}
	return &sealingKey{
		record: record, prefix: [4]byte(prefix), people: map[schemas.Pseudonym]cipher.AEAD{}, mac: hmac.New(sha256.New, secret),
	}, nil
}

// cachedPeople bounds the people whose keys are at hand: some 30 MB.
const cachedPeople = 30_000

// of returns what seals for the user.
func (k *sealingKey) of(user schemas.Pseudonym) (cipher.AEAD, error) {
	k.mu.RLock()
	aead, found := k.people[user]
	k.mu.RUnlock()
	if found {
		return aead, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	aead, err := newAEAD(appendPersonKey(k.person[:0], k.mac, user))
	if err != nil {
		return nil, err
	}
	if len(k.people) >= cachedPeople {
		clear(k.people)
	}
	k.people[user] = aead
	return aead, nil
}
