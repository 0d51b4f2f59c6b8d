package vault

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// checkpointTitle begins the text of a checkpoint; nothing else that is signed
// begins with it.
const checkpointTitle = "riskpipe audit checkpoint v1"

// checkpoint pins a chain: the record of that sequence has that hash, and with
// it all records before are what they are.
type checkpoint struct {
	writer   string
	sequence int64
	hash     schemas.Digest
}

// text is what is signed: a title, the writer in quotes, the sequence and the
// hash, each on a line.
func (c checkpoint) text() string {
	return fmt.Sprintf("%s\n%s\n%d\n%s\n", checkpointTitle, strconv.Quote(c.writer), c.sequence, c.hash)
}

// signCheckpoint returns the checkpoint as a signed note, as golang.org/x/mod
// and the Go checksum database write it.
func signCheckpoint(key *SigningKey, c checkpoint) ([]byte, error) { return key.sign(c.text()) }

var errCheckpoint = errors.New("not a checkpoint of an audit log")

// parseCheckpoint reads a checkpoint without asking who signed it.
func parseCheckpoint(text string) (checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 5 || lines[0] != checkpointTitle {
		return checkpoint{}, errCheckpoint
	}
	writer, err := strconv.Unquote(lines[1])
	if err != nil {
		return checkpoint{}, errCheckpoint
	}
	c := checkpoint{writer: writer}
	if c.sequence, err = strconv.ParseInt(lines[2], 10, 64); err != nil || c.sequence < 1 {
		return checkpoint{}, errCheckpoint
	}
	if err := c.hash.UnmarshalText([]byte(lines[3])); err != nil {
		return checkpoint{}, errCheckpoint
	}
	return c, nil
}

// openCheckpoint reads a checkpoint that one of the keys signed. With an error
// it says as much as the text tells.
func openCheckpoint(signed []byte, keys []*VerifyingKey) (checkpoint, error) {
	text, err := openNote(signed, keys)
	if err != nil {
		claimed, _ := parseCheckpoint(string(signed))
		return claimed, err
	}
	c, err := parseCheckpoint(text)
	if err == nil && c.text() != text {
		err = errCheckpoint
	}
	return c, err
}
