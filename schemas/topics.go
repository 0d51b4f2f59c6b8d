package schemas

// Topics names riskpipe's topics under one prefix.
type Topics struct{ Prefix string }

// Raw is the topic that the source's upstream publishes to.
func (t Topics) Raw(s Source) string { return t.Prefix + "raw." + string(s) }

// Events carries normalised events, keyed by user.
func (t Topics) Events() string { return t.Prefix + "events" }

// Alerts carries versions of alerts, keyed by user.
func (t Topics) Alerts() string { return t.Prefix + "alerts" }

// Risk carries changes of people's risk scores, keyed by user, compacted.
func (t Topics) Risk() string { return t.Prefix + "risk" }

// Identities carries sealed identities, keyed by user and source, compacted.
func (t Topics) Identities() string { return t.Prefix + "identities" }

// Names carries the names of people as keyed hashes, each with what it leads to,
// compacted.
func (t Topics) Names() string { return t.Prefix + "names" }

// EvidenceKeys carries the data keys that evidence is sealed with, themselves
// sealed to the vault, keyed by their id, compacted.
func (t Topics) EvidenceKeys() string { return t.Prefix + "evidence_keys" }

// Audit carries the audit trail.
func (t Topics) Audit() string { return t.Prefix + "audit" }

// DeadLetter carries the records of a topic that could not be processed, with
// the reason in their headers.
func (t Topics) DeadLetter(topic string) string {
	name := topic
	if len(name) >= len(t.Prefix) && name[:len(t.Prefix)] == t.Prefix {
		name = name[len(t.Prefix):]
	}
	return t.Prefix + "dlq." + name
}
