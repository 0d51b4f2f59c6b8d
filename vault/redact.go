package vault

import (
	"fmt"
	"io"
	"log/slog"
)

// String tells keys apart by their version and shows nothing of the secret.
func (k *Key) String() string {
	if k == nil {
		return "no key"
	}
	return fmt.Sprintf("key v%d (secret withheld)", k.version)
}

// Format writes String for every verb, %#v and %x included.
func (k *Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue logs String.
func (k *Key) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText writes String, which is what JSON and YAML encoders get; no text
// of a key can be parsed back.
func (k *Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// String tells keys apart by their id and shows nothing of the secret.
func (k *PrivateKey) String() string {
	if k == nil {
		return "no vault key"
	}
	return fmt.Sprintf("vault key %s (secret withheld)", k.ID())
}

// Format writes String for every verb, %#v and %x included.
func (k *PrivateKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue logs String.
func (k *PrivateKey) LogValue() slog.Value { return slog.StringValue(k.String()) }

// MarshalText writes String, which is what JSON and YAML encoders get; no text
// of a key can be parsed back.
func (k *PrivateKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// String shows that there is an identity and nothing of it.
func (Identity) String() string { return "identity (withheld)" }

// Format writes String for every verb.
func (i Identity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, i.String()) }

// LogValue logs String.
func (i Identity) LogValue() slog.Value { return slog.StringValue(i.String()) }
