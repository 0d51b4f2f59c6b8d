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
