package vault

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/secretsharing"
)

// sharePrefix begins the text form of a share and tells its version.
const sharePrefix = "rpshare1"

// maxShares bounds how many people can hold a share.
const maxShares = 16

// Shares are points of a polynomial over the scalars of P-384: its field is the
// smallest on offer that holds every 32 bytes. Nothing is computed on the curve.
const (
	scalarSize  = 48
	scalarSpare = scalarSize - 32
)

// SplitKey splits a private key among n people, of whom any k can put it
// together again and any k-1 learn nothing (Shamir's secret sharing). 2 ≤ k ≤ n
// ≤ 16. It returns the shares as text, each a secret of its own.
func SplitKey(key *PrivateKey, n, k int) ([]string, error) {
	if k < 2 || n < k || n > maxShares {
		return nil, fmt.Errorf("splitting vault key %s: %d of %d shares: want at least 2 to open and at most %d in all", key.ID(), k, n, maxShares)
	}
	secret := group.P384.NewScalar()
	if err := secret.UnmarshalBinary(append(make([]byte, scalarSpare), key.key.Bytes()...)); err != nil {
		return nil, fmt.Errorf("splitting vault key %s: %w", key.ID(), err)
	}
	shares := make([]string, n)
	for i, share := range secretsharing.New(rand.Reader, uint(k-1), secret).Share(uint(n)) {
		value, err := share.Value.MarshalBinary()
		if err != nil {
			return nil, fmt.Errorf("splitting vault key %s: %w", key.ID(), err)
		}
		shares[i] = fmt.Sprintf("%s:%s:%d:%d:%s", sharePrefix, key.ID(), k, i+1, base64.StdEncoding.EncodeToString(value))
	}
	return shares, nil
}

// CombineKey puts a private key together from shares and returns it with its
// text form, which ParsePrivateKey reads. It finds out when there are too few,
// when they are of different keys or splits, and when one was changed. No error
// quotes a share.
func CombineKey(shares []string) (*PrivateKey, string, error) {
	key, text, err := combine(shares)
	if err != nil {
		return nil, "", fmt.Errorf("combining the shares: %w", err)
	}
	return key, text, nil
}

func combine(texts []string) (*PrivateKey, string, error) {
	parsed := make([]share, len(texts))
	taken := map[int]bool{}
	for i, text := range texts {
		s, err := parseShare(text)
		if err != nil {
			return nil, "", fmt.Errorf("share %d of those given: %w", i+1, err)
		}
		switch {
		case i > 0 && (s.keyID != parsed[0].keyID || s.needed != parsed[0].needed):
			return nil, "", errors.New("they are of different keys or splits")
		case taken[s.number]:
			return nil, "", fmt.Errorf("share number %d is given twice", s.number)
		}
		parsed[i], taken[s.number] = s, true
	}
	if len(parsed) == 0 || len(parsed) < parsed[0].needed {
		return nil, "", fmt.Errorf("%d are not enough", len(parsed))
	}
	points := make([]secretsharing.Share, len(parsed))
	for i, s := range parsed {
		points[i] = secretsharing.Share{ID: group.P384.NewScalar().SetUint64(uint64(s.number)), Value: s.value}
	}
	needed := parsed[0].needed
	secret, err := secretsharing.Recover(uint(needed-1), points)
	if err != nil {
		return nil, "", err
	}
	for i := needed; i < len(points); i++ { // what is given beyond need must agree
		points[0] = points[i]
		again, err := secretsharing.Recover(uint(needed-1), points)
		if err != nil || !again.IsEqual(secret) {
			return nil, "", errors.New("they do not agree: one was changed, or is of another split")
		}
	}
	raw, err := secret.MarshalBinary()
	if err != nil {
		return nil, "", err
	}
	spare, raw := raw[:scalarSpare], raw[scalarSpare:]
	key, err := newPrivateKey(raw)
	if err != nil || key.ID() != parsed[0].keyID || !bytes.Equal(spare, make([]byte, scalarSpare)) {
		return nil, "", fmt.Errorf("they do not make vault key %s: one was changed, or is of another split", parsed[0].keyID)
	}
	return key, privateText(raw), nil
}

// share is a parsed share.
type share struct {
	keyID  string
	needed int
	number int // from 1
	value  group.Scalar
}

var errShareText = errors.New("want rpshare1:<vault key id>:<needed>:<number>:<base64>, as `riskpipe vault split` writes it")

func parseShare(text string) (share, error) {
	parts := strings.Split(strings.TrimSpace(text), ":")
	if len(parts) != 5 || parts[0] != sharePrefix || len(parts[1]) != 16 {
		return share{}, errShareText
	}
	needed, err := strconv.Atoi(parts[2])
	if err != nil || needed < 2 || needed > maxShares {
		return share{}, errShareText
	}
	number, err := strconv.Atoi(parts[3])
	if err != nil || number < 1 || number > maxShares {
		return share{}, errShareText
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(parts[4])
	if err != nil || len(raw) != scalarSize {
		return share{}, errShareText
	}
	value := group.P384.NewScalar()
	if err := value.UnmarshalBinary(raw); err != nil {
		return share{}, errShareText
	}
	return share{keyID: parts[1], needed: needed, number: number, value: value}, nil
}
