package main

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/riskpipe/riskpipe/vault"
)

// secretKeys returns the keys of all settings that are secrets, such as
// redis.password: the fields of type Secret of the configuration.
func secretKeys() []string { return keysOf(reflect.TypeFor[Config](), reflect.TypeFor[Secret](), "") }

// keysOf returns the keys of the fields of a type, which lists do not hold.
func keysOf(in, wanted reflect.Type, path string) []string {
	var keys []string
	for field := range in.Fields() {
		key := path + field.Tag.Get("mapstructure")
		switch {
		case field.Type == wanted:
			keys = append(keys, key)
		case field.Type.Kind() == reflect.Struct:
			keys = append(keys, keysOf(field.Type, wanted, key+".")...)
		}
	}
	return keys
}

// hideSecrets puts *** in the place of every secret, and of the user and password
// in a URL.
func hideSecrets(settings map[string]any) {
	for _, key := range secretKeys() {
		hide(settings, strings.Split(key, "."))
	}
	hideUserInfo(settings)
}

func hide(settings map[string]any, path []string) {
	value, found := settings[path[0]]
	if inner, nested := value.(map[string]any); nested && len(path) > 1 {
		hide(inner, path[1:])
		return
	}
	// Whatever the value is, where a secret should be; "" says that there is none.
	if found && value != nil && value != "" {
		settings[path[0]] = redacted
	}
}

// hideUserInfo returns the value, of settings or of a part of them, without users
// and passwords in URLs.
func hideUserInfo(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			value[key] = hideUserInfo(inner)
		}
		return value
	case []any:
		for i, inner := range value {
			value[i] = hideUserInfo(inner)
		}
		return value
	case []string:
		plain := make([]string, len(value))
		for i, text := range value {
			plain[i] = plainURL(text)
		}
		return plain
	case string:
		return plainURL(value)
	default:
		return value
	}
}

// plainURL is a URL, or what should be one, without the user and password in it.
func plainURL(text string) string {
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		return text
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
		return scheme + "://" + redacted + rest[at:]
	}
	if end < len(rest) && strings.Contains(rest, "@") { // a password with a slash, or an @ in the path: who knows
		return scheme + "://" + redacted + rest[strings.LastIndexByte(rest, '@'):]
	}
	return text
}

// secretFromText takes text, and numbers that were written without quotes, for a
// secret. What decoding says of anything else would quote it.
func secretFromText(from, to reflect.Type, data any) (any, error) {
	if to != reflect.TypeFor[Secret]() {
		return data, nil
	}
	switch from.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Uint64:
		return fmt.Sprint(data), nil
	default:
		return nil, fmt.Errorf("want text, best in quotes, not a %s", from.Kind())
	}
}

// keysAsFiles reports keys where the file with the key belongs: everything that is
// said of a file has its name.
func (c Config) keysAsFiles() error {
	var problems []error
	files := map[string][]string{
		"pseudonym.key_file": {c.Pseudonym.KeyFile}, "pseudonym.previous_key_file": {c.Pseudonym.PreviousKeyFile},
		"vault.public_key_file": {c.Vault.PublicKeyFile}, "vault.private_key_file": c.Vault.PrivateKeys,
		"vault.serve.audit_key_file": {c.Vault.Serve.AuditKeyFile},
	}
	for key, names := range files {
		for _, name := range names {
			_, notPseudonym := vault.ParseKey(name)
			_, notPrivate := vault.ParsePrivateKey(name)
			_, notSigning := vault.ParseSigningKey(name)
			if notPseudonym == nil || notPrivate == nil || notSigning == nil {
				problems = append(problems, fmt.Errorf("%s is a key: want the name of the file that holds it", key))
			}
		}
	}
	return errors.Join(problems...)
}

// quoted is what a YAML error quotes of the file.
var quoted = regexp.MustCompile("`[^`]*`")

// withoutQuotes is an error of reading YAML which quotes nothing of it: the file
// may hold secrets, or be another one, such as that of a password.
func withoutQuotes(err error) error {
	return errors.New(quoted.ReplaceAllString(err.Error(), redacted))
}
