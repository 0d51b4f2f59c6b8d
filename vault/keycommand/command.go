// Package keycommand reaches vault keys that never leave where they are kept, such
// as a hardware module or a key management service, by way of a program.
//
// The program is started for each question, gets one line of JSON on standard
// input, answers with one JSON object on standard output, and ends with status 0.
// What it writes to standard error is for the operator. There are two questions.
//
// Which keys it has, current and earlier ones:
//
//	{"version":1,"operation":"public_keys"}
//	{"public_keys":["rpv1:…"]}
//
// X25519 (RFC 7748) of the private half of one of them and a peer's public key,
// which are 32 bytes in base64, as is the answer:
//
//	{"version":1,"operation":"agree","public_key":"rpv1:…","peer":"…"}
//	{"shared_secret":"…"}
//
// When it cannot, it answers {"error":"…"} in a few words, whatever its status. It
// sees neither names nor evidence, nor what these are sealed with.
package keycommand

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
	"unicode"

	"github.com/riskpipe/riskpipe/vault"
)

// protocol is the version of what is asked and answered.
const protocol = 1

const (
	// maxAnswer bounds an answer, in bytes.
	maxAnswer = 64 << 10
	// maxReason bounds what is shown of a program's own error, in characters.
	maxReason = 200
	// lingering is how long a program that was stopped may hold its output open.
	lingering = time.Second
)

// ErrCommand means that the program did not answer, or not in the protocol.
var ErrCommand = errors.New("the key command failed")

// Command is a program that holds vault keys.
type Command struct {
	Path string // looked up in PATH when it has no slash
	Args []string
	// Env is the program's whole environment, as in os.Environ.
	Env []string
	// Timeout bounds each question; it must be above 0.
	Timeout time.Duration
	// Stderr takes the program's standard error; nil drops it.
	Stderr io.Writer
}

// Validate reports what is missing.
func (c Command) Validate() error {
	if c.Path == "" {
		return errors.New("the key command names no program")
	}
	if c.Timeout <= 0 {
		return fmt.Errorf("the key command's timeout is %s: want more than 0", c.Timeout)
	}
	return nil
}

type question struct {
	Version   int    `json:"version"`
	Operation string `json:"operation"`
	PublicKey string `json:"public_key,omitempty"`
	Peer      []byte `json:"peer,omitempty"`
}

type answer struct {
	PublicKeys   []string `json:"public_keys"`
	SharedSecret []byte   `json:"shared_secret"`
	Error        string   `json:"error"`
}

// Keys asks for the keys and makes sure of each that it opens what its public half
// sealed. It returns an error that wraps ErrCommand when the program fails.
func (c Command) Keys(ctx context.Context) ([]*Key, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	reply, err := c.ask(ctx, question{Operation: "public_keys"})
	if err != nil {
		return nil, fmt.Errorf("asking %s for its public keys: %w", c.Path, err)
	}
	if len(reply.PublicKeys) == 0 {
		return nil, fmt.Errorf("asking %s for its public keys: %w: it has none", c.Path, ErrCommand)
	}
	keys := make([]*Key, len(reply.PublicKeys))
	for i, text := range reply.PublicKeys {
		public, err := vault.ParsePublicKey(text)
		if err != nil {
			return nil, fmt.Errorf("asking %s for its public keys: %w: number %d is none (%w)", c.Path, ErrCommand, i+1, err)
		}
		keys[i] = &Key{command: c, public: public}
		if err := keys[i].try(ctx); err != nil {
			return nil, fmt.Errorf("trying a key of %s: %w", c.Path, err)
		}
	}
	return keys, nil
}

// ask runs the program once.
func (c Command) ask(ctx context.Context, q question) (answer, error) {
	q.Version = protocol
	line, err := json.Marshal(q)
	if err != nil {
		return answer{}, fmt.Errorf("encoding the question: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	output := &bounded{}
	program := exec.CommandContext(ctx, c.Path, c.Args...)
	program.Stdin, program.Stdout, program.Stderr = bytes.NewReader(append(line, '\n')), output, c.Stderr
	program.Env = append([]string{}, c.Env...) // never nil, which would be this process's own
	program.WaitDelay = lingering
	failure := program.Run()

	var reply answer
	malformed := json.Unmarshal(output.text, &reply) // its error would quote the answer
	switch {
	case failure != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return answer{}, fmt.Errorf("%w: no answer within %s", ErrCommand, c.Timeout)
	case failure != nil && ctx.Err() != nil:
		return answer{}, fmt.Errorf("%w: %w", ErrCommand, ctx.Err())
	case malformed == nil && reply.Error != "":
		return answer{}, fmt.Errorf("%w: it says %q", ErrCommand, printable(reply.Error))
	case failure != nil:
		return answer{}, fmt.Errorf("%w: %w", ErrCommand, failure)
	case output.full:
		return answer{}, fmt.Errorf("%w: its answer has more than %d bytes", ErrCommand, maxAnswer)
	case malformed != nil:
		return answer{}, fmt.Errorf("%w: its answer is no JSON object of the protocol", ErrCommand)
	}
	return reply, nil
}

// printable is a reason that fits into one line.
func printable(reason string) string {
	reason = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, reason)
	if runes := []rune(reason); len(runes) > maxReason {
		return string(runes[:maxReason]) + "…"
	}
	return reason
}

// bounded keeps the beginning of what is written.
type bounded struct {
	text []byte
	full bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := min(maxAnswer-len(b.text), len(p))
	b.text, b.full = append(b.text, p[:room]...), b.full || room < len(p)
	return len(p), nil
}
