package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// Secret is text that never prints: however it is formatted, marshalled or
// logged, it shows as ***.
type Secret string

const redacted = "***"

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format keeps every verb from printing the secret.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// MarshalText serves JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue serves slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// fromFile fills the secret from the file when one is named.
func (s *Secret) fromFile(key, file string) error {
	if file == "" {
		return nil
	}
	if *s != "" {
		return fmt.Errorf("%s and %s_file are both set: give one", key, key)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading %s_file: %w", key, err)
	}
	*s = Secret(strings.TrimSpace(string(text)))
	return nil
}
