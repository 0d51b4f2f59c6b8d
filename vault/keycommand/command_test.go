package keycommand

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/vault"
)

// The test binary is the program, too: these variables say so, and which keys it
// has.
const (
	modeVariable = "KEY_PROGRAM_MODE"
	keysVariable = "KEY_PROGRAM_KEYS"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(modeVariable); mode != "" {
		os.Exit(program(mode, strings.Fields(os.Getenv(keysVariable))))
	}
	os.Exit(m.Run())
}

// program is what stands before a key management service, in health and in every
// way of failing.
func program(mode string, secrets []string) int {
	fmt.Fprintln(os.Stderr, "asked")
	line, err := bufio.NewReader(os.Stdin).ReadBytes('\n')
	var q question
	if err = errors.Join(err, json.Unmarshal(line, &q)); err != nil || q.Version != 1 {
		fmt.Fprintln(os.Stderr, "no question:", err)
		return 1
	}
	say := func(v any) { _ = json.NewEncoder(os.Stdout).Encode(v) }
	if q.Operation == "public_keys" && !strings.HasPrefix(mode, "keys ") {
		var public []string
		for _, text := range secrets {
			key, err := vault.ParsePrivateKey(text)
			if err != nil {
				return 1
			}
			public = append(public, key.Public().String())
		}
		if mode == "stranger" {
			public[0] = "rpv1:CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		}
		say(map[string]any{"public_keys": public})
		return 0
	}
	switch strings.TrimPrefix(mode, "keys ") {
	case "silent":
		return 0
	case "exit":
		return 7
	case "says why":
		say(map[string]string{"error": "the token is locked\nby " + strings.Repeat("x", 300)})
		return 1
	case "chatter":
		fmt.Println("ready")
		say(map[string]any{})
	case "flood":
		fmt.Println(`{"error":"` + strings.Repeat("x", 100<<10) + `"}`)
	case "hangs":
		time.Sleep(time.Hour)
	case "no keys":
		say(map[string]any{"public_keys": []string{}})
	case "nonsense":
		say(map[string]any{"public_keys": []string{"rpv1:nonsense"}})
	case "short":
		say(map[string]any{"shared_secret": []byte("short")})
	case "environment":
		say(map[string]any{"error": strings.Join(os.Environ(), " ")})
	default:
		for _, text := range secrets {
			key, err := vault.ParsePrivateKey(text)
			if err != nil || key.Public().String() != q.PublicKey {
				continue
			}
			shared, err := key.Agree(context.Background(), q.Peer)
			if err != nil {
				return 1
			}
			say(map[string]any{"shared_secret": shared})
			return 0
		}
		say(map[string]string{"error": "no such key"})
	}
	return 0
}

// commandOf returns the program in a mode with two keys, and those.
func commandOf(t *testing.T, mode string, timeout time.Duration) (Command, []*vault.PrivateKey) {
	t.Helper()
	var keys []*vault.PrivateKey
	var texts []string
	for range 2 {
		key, text, err := vault.GeneratePrivateKey()
		if err != nil {
			t.Fatal(err)
		}
		keys, texts = append(keys, key), append(texts, text)
	}
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Command{
		Path: path, Args: []string{"-test.run=^$"}, Timeout: timeout,
		Env: []string{modeVariable + "=" + mode, keysVariable + "=" + strings.Join(texts, " ")},
	}, keys
}

const patience = time.Minute

// What is sealed to a program's keys opens through it, the current and the
// earlier one, and nothing else does.
func TestCommand(t *testing.T) {
	command, private := commandOf(t, "sound", patience)
	var said bytes.Buffer
	command.Stderr = &said
	keys, err := command.Keys(t.Context())
	if err != nil || len(keys) != 2 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	ring, err := vault.NewKeyring(keys[0], keys[1])
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range private {
		sealed, err := key.Public().Seal([]byte("here"), []byte("plaintext"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ring.Open(t.Context(), key.ID(), sealed, []byte("here")); err != nil || string(got) != "plaintext" {
			t.Errorf("key %d: %q, %v", i, got, err)
		}
		if _, err := ring.Open(t.Context(), key.ID(), sealed, nil); !errors.Is(err, vault.ErrNotAuthentic) {
			t.Errorf("key %d, moved: %v", i, err)
		}
	}
	if got := strings.Count(said.String(), "asked\n"); got != 1+2+4 {
		t.Errorf("the operator sees %d lines", got)
	}
	sealed, err := private[0].Public().Seal(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ring.Open(ctx, private[0].ID(), sealed, nil); !errors.Is(err, context.Canceled) || !errors.Is(err, ErrCommand) {
		t.Errorf("cancelled: %v", err)
	}
}

// Every way of failing is told as what it is, at the start, and is no verdict on
// what was sealed.
func TestCommand_fails(t *testing.T) {
	for mode, want := range map[string]string{
		"keys silent":      "no JSON object of the protocol",
		"keys chatter":     "no JSON object of the protocol",
		"keys exit":        "exit status 7",
		"keys says why":    `it says "the token is locked by xxx`,
		"keys flood":       "more than 65536 bytes",
		"keys no keys":     "it has none",
		"keys nonsense":    "number 1 is none",
		"exit":             "exit status 7",
		"short":            "5 bytes, want 32",
		"silent":           "no JSON object of the protocol",
		"stranger":         `it says "no such key"`,
		"keys environment": modeVariable + "=keys environment",
	} {
		t.Run(mode, func(t *testing.T) {
			command, _ := commandOf(t, mode, patience)
			keys, err := command.Keys(t.Context())
			if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, ErrCommand) || errors.Is(err, vault.ErrNotAuthentic) || len(err.Error()) > 1000 {
				t.Errorf("%d keys, %v", len(keys), err)
			}
			if strings.Contains(fmt.Sprint(err), "PATH=") {
				t.Error("the program has this process's environment")
			}
		})
	}
}

// A program that hangs is stopped.
func TestCommand_hangs(t *testing.T) {
	for _, mode := range []string{"hangs", "keys hangs"} {
		command, _ := commandOf(t, mode, 300*time.Millisecond)
		if mode == "hangs" {
			command.Timeout = 3 * time.Second // the first question is answered
		}
		if _, err := command.Keys(t.Context()); err == nil || !strings.Contains(err.Error(), "no answer within") {
			t.Errorf("%s: %v", mode, err)
		}
	}
	for _, command := range []Command{{}, {Path: "x"}, {Path: "x", Timeout: -1}, {Path: "/nowhere/program", Timeout: patience}} {
		if _, err := command.Keys(t.Context()); err == nil {
			t.Errorf("%+v passed", command)
		}
	}
}
