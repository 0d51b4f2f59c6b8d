package vault

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

// remote is a key agreement that answers as it is told.
type remote struct {
	*PrivateKey
	answer func(shared []byte) ([]byte, error)
	asked  *[]byte
}

func (r remote) Agree(ctx context.Context, peer []byte) ([]byte, error) {
	*r.asked = bytes.Clone(peer)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	shared, err := r.PrivateKey.Agree(ctx, peer)
	if err != nil || r.answer == nil {
		return shared, err
	}
	return r.answer(shared)
}

// What is sealed opens with a key that is elsewhere, which gets to see a public
// key alone; its failures are told as what they are, and are no verdict on what
// was sealed.
func TestKeyAgreement(t *testing.T) {
	errDown := errors.New("the module is down")
	key := newVaultKey(t)
	sealed, err := key.Public().Seal([]byte("here"), []byte("plaintext"))
	if err != nil {
		t.Fatal(err)
	}
	var asked []byte
	ring := newRing(t, remote{key, nil, &asked})
	got, err := ring.Open(t.Context(), key.ID(), sealed, []byte("here"))
	if err != nil || string(got) != "plaintext" || !bytes.Equal(asked, sealed[:32]) {
		t.Errorf("%q, %v, asked with %x", got, err, asked)
	}
	if _, err := ring.Open(t.Context(), key.ID(), sealed, []byte("there")); !errors.Is(err, ErrNotAuthentic) {
		t.Errorf("moved: %v", err)
	}
	lowOrder := append(make([]byte, 32), sealed[32:]...)
	if _, err := ring.Open(t.Context(), key.ID(), lowOrder, []byte("here")); !errors.Is(err, ErrNotAuthentic) {
		t.Errorf("a point of low order: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ring.Open(ctx, key.ID(), sealed, []byte("here")); !errors.Is(err, context.Canceled) || errors.Is(err, ErrNotAuthentic) {
		t.Errorf("cancelled: %v", err)
	}
	for name, test := range map[string]struct {
		answer func([]byte) ([]byte, error)
		want   string
	}{
		"down":  {func([]byte) ([]byte, error) { return nil, errDown }, errDown.Error()},
		"short": {func(s []byte) ([]byte, error) { return s[:31], nil }, "no shared secret"},
		"zero":  {func(s []byte) ([]byte, error) { return make([]byte, 32), nil }, "no shared secret"},
		"none":  {func([]byte) ([]byte, error) { return nil, nil }, "no shared secret"},
		"other": {func(s []byte) ([]byte, error) { s[0]++; return s, nil }, ErrNotAuthentic.Error()},
	} {
		_, err := newRing(t, remote{key, test.answer, &asked}).Open(t.Context(), key.ID(), sealed, []byte("here"))
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), key.ID()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
