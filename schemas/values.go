package schemas

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Time is an instant in milliseconds since 1970, UTC. Its text form is RFC 3339.
type Time int64

// TimeOf returns t as a Time; the part below a millisecond is cut off.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// UTC returns the instant as a time.Time.
func (t Time) UTC() time.Time { return time.UnixMilli(int64(t)).UTC() }

// String returns RFC 3339 with milliseconds, in UTC.
func (t Time) String() string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// MarshalJSON writes the text form as a JSON string, and null for the zero Time.
func (t Time) MarshalJSON() ([]byte, error) {
	if t == 0 {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = 0
		return nil
	}
	at, err := time.Parse(`"`+time.RFC3339Nano+`"`, string(b))
	if err != nil {
		return fmt.Errorf("reading a time: %w", err)
	}
	*t = TimeOf(at)
	return nil
}

// Points is a number of points in thousandths: integers sum to the same
// everywhere. Its text form is a decimal number of points.
type Points int32

// String returns the decimal number of points, without trailing zeros.
func (p Points) String() string {
	sign := ""
	n := int64(p)
	if n < 0 {
		sign, n = "-", -n
	}
	s := strconv.FormatInt(n/1000, 10)
	if frac := n % 1000; frac != 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%03d", frac), "0")
	}
	return sign + s
}

// MarshalJSON writes a decimal JSON number of points.
func (p Points) MarshalJSON() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Points) UnmarshalJSON(b []byte) error {
	whole, frac, _ := strings.Cut(string(b), ".")
	if len(frac) > 3 {
		return fmt.Errorf("reading points %q: more than three decimals", b)
	}
	n, err := strconv.ParseInt(whole+frac+"000"[len(frac):], 10, 32)
	if err != nil {
		return fmt.Errorf("reading points %q: %w", b, err)
	}
	*p = Points(n)
	return nil
}

// Hash is a keyed 64-bit hash of something personal: equal things have equal
// hashes, and nobody without the key can tell which thing it was. Zero is "not
// known". Its text form is 16 hexadecimal digits.
type Hash int64

// MarshalText writes the text form.
func (h Hash) MarshalText() ([]byte, error) {
	return []byte(fmt.Sprintf("%016x", uint64(h))), nil
}

// UnmarshalText reads the text form.
func (h *Hash) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 16, 64)
	if err != nil {
		return fmt.Errorf("reading a hash: %w", err)
	}
	*h = Hash(n)
	return nil
}

// UUID identifies an event or an alert.
type UUID [16]byte

// NewUUID derives a version 8 UUID (RFC 9562) from the parts: the same parts in
// the same order always give the same id, and no two different lists of parts
// share their encoding, since each part is preceded by its length.
func NewUUID(parts ...string) UUID {
	buf := make([]byte, 0, 256)
	for _, p := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	sum := sha256.Sum256(buf)
	var u UUID
	copy(u[:], sum[:])
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return u
}

// String returns the 36-character form.
func (u UUID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], u[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], u[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], u[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], u[10:16])
	return string(b[:])
}

// MarshalText writes the 36-character form.
func (u UUID) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText reads the 36-character form.
func (u *UUID) UnmarshalText(b []byte) error {
	if len(b) != 36 {
		return fmt.Errorf("reading a UUID: %d characters instead of 36", len(b))
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(string(b), "-", ""))
	if err != nil || len(raw) != len(u) {
		return errors.New("reading a UUID: not hexadecimal digits in 8-4-4-4-12")
	}
	copy(u[:], raw)
	return nil
}

// Digest is a SHA-256 hash. Its text form is 64 hexadecimal digits in lower case.
type Digest [32]byte

// String returns the text form.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes the text form.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the text form, in either case.
func (d *Digest) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(b))
	if err != nil || len(raw) != len(d) {
		return fmt.Errorf("reading a digest: want %d hexadecimal digits", 2*len(d))
	}
	copy(d[:], raw)
	return nil
}

// Pseudonym stands for one person. The zero Pseudonym stands for nobody.
type Pseudonym [16]byte

// crockford is Douglas Crockford's base 32: no letter that reads as a digit.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

const pseudonymPrefix = "ANON-"

// String returns the full form: ANON- and 26 characters of Crockford's base 32.
func (p Pseudonym) String() string { return pseudonymPrefix + crockford.EncodeToString(p[:]) }

// Short returns the form shown to people: ANON- and the first 8 characters. It
// is a prefix of the full form; 40 bits are enough to tell people apart on a
// page and not enough to be a key.
func (p Pseudonym) Short() string { return p.String()[:len(pseudonymPrefix)+8] }

// MarshalText writes the full form.
func (p Pseudonym) MarshalText() ([]byte, error) { return p.AppendText(nil) }

// AppendText appends the full form.
func (p Pseudonym) AppendText(b []byte) ([]byte, error) {
	return crockford.AppendEncode(append(b, pseudonymPrefix...), p[:]), nil
}

// UnmarshalText reads the full form.
func (p *Pseudonym) UnmarshalText(b []byte) error {
	text, ok := strings.CutPrefix(string(b), pseudonymPrefix)
	raw, err := crockford.DecodeString(text)
	if !ok || err != nil || len(raw) != len(p) {
		return fmt.Errorf("reading a pseudonym: want %s and 26 characters of base 32", pseudonymPrefix)
	}
	copy(p[:], raw)
	return nil
}
