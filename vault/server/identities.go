package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// FileIdentities is a vault.IdentitySource of a file with a schemas.Identity a
// line, as JSON. It is read at each question, so that it may grow.
type FileIdentities struct{ Path string }

// Identities implements vault.IdentitySource.
func (f FileIdentities) Identities(ctx context.Context, user schemas.Pseudonym) ([]schemas.Identity, error) {
	file, err := os.Open(f.Path)
	if err != nil {
		return nil, fmt.Errorf("opening the identities: %w", err)
	}
	defer file.Close()
	var found []schemas.Identity
	for decoder := json.NewDecoder(file); ; {
		var record schemas.Identity
		err := decoder.Decode(&record)
		switch {
		case errors.Is(err, io.EOF) && len(found) == 0:
			return nil, vault.ErrNoIdentity
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return nil, fmt.Errorf("reading the identities %s: %w", f.Path, err)
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case record.User == user:
			found = append(found, record)
		}
	}
}
