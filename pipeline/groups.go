package pipeline

import (
	"strings"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
)

// Groups tells which of the organisation's groups a user is in. It knows users
// by pseudonym alone. The nil Groups has nobody in any.
type Groups struct {
	of map[schemas.Pseudonym][]string
}

// NewGroups returns the groups of people who are named by their canonical UPN in
// lower case. The names of each one's groups are taken as they are: sorted, each
// once.
func NewGroups(key Pseudonymiser, byUPN map[string][]string) *Groups {
	g := &Groups{of: make(map[schemas.Pseudonym][]string, len(byUPN))}
	for upn, names := range byUPN {
		g.of[key.Pseudonym(normalise.Actor{UPN: strings.ToLower(upn)}.Key())] = names
	}
	return g
}

// Of returns the names of the user's groups; callers must not change them.
func (g *Groups) Of(user schemas.Pseudonym) []string {
	if g == nil {
		return nil
	}
	return g.of[user]
}
