package operators

import "github.com/riskpipe/riskpipe/schemas"

// Hashes returns, by the name of each policy that runs, the hash that its alerts
// carry: of its own logic, and of the indicators and lists that it uses.
func (e *Engine) Hashes() map[string]schemas.Hash {
	hashes := make(map[string]schemas.Hash, len(e.policies))
	for i := range e.policies {
		hashes[e.policies[i].Name] = e.policies[i].hash
	}
	return hashes
}

// Hashes returns what Engine.Hashes does, of the policies that do not run, too.
// An error is one of the library.
func (l Library) Hashes() (map[string]schemas.Hash, error) {
	hashes := make(map[string]schemas.Hash, len(l.Policies))
	err := l.compileEach(func(p *compiled) { hashes[p.Name] = p.hash })
	return hashes, err
}

// Digests returns SHA-256 hashes of what Hashes hashes, for signatures: nobody can
// make two policies of one digest.
func (l Library) Digests() (map[string]schemas.Digest, error) {
	digests := make(map[string]schemas.Digest, len(l.Policies))
	err := l.compileEach(func(p *compiled) { digests[p.Name] = p.digest })
	return digests, err
}

func (l Library) compileEach(do func(*compiled)) error {
	for i := range l.Policies {
		// One at a time: how many policies there are has no bound, how many run has.
		e, err := newEngine(l, Options{}, func(p *Policy) bool { return p.Name == l.Policies[i].Name })
		if err != nil {
			return err
		}
		do(&e.policies[0])
	}
	return nil
}
