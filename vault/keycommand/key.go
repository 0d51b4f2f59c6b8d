package keycommand

import (
	"context"
	"fmt"

	"github.com/riskpipe/riskpipe/vault"
)

// Key is a vault key that a program holds. It implements vault.KeyAgreement and is
// safe for concurrent use when the program is.
type Key struct {
	command Command
	public  *vault.PublicKey
}

var _ vault.KeyAgreement = (*Key)(nil)

// Public returns the half that seals.
func (k *Key) Public() *vault.PublicKey { return k.public }

// Agree implements vault.KeyAgreement. It returns an error that wraps ErrCommand
// when the program fails.
func (k *Key) Agree(ctx context.Context, peer []byte) ([]byte, error) {
	reply, err := k.command.ask(ctx, question{Operation: "agree", PublicKey: k.public.String(), Peer: peer})
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", k.command.Path, err)
	}
	if len(reply.SharedSecret) != vault.SharedSize {
		return nil, fmt.Errorf("asking %s: %w: the shared secret has %d bytes, want %d", k.command.Path, ErrCommand, len(reply.SharedSecret), vault.SharedSize)
	}
	return reply.SharedSecret, nil
}

// try opens what was sealed to the key just now.
func (k *Key) try(ctx context.Context) error {
	sealed, err := k.public.Seal(nil, nil)
	if err != nil {
		return err
	}
	ring, err := vault.NewKeyring(k)
	if err != nil {
		return err
	}
	_, err = ring.Open(ctx, k.public.ID(), sealed, nil)
	return err
}
