package chaos

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// cleanPrefix begins the topics, and cleanDatabase holds the tables, of a sink
// that nothing disturbs.
const (
	cleanPrefix   = "clean."
	cleanDatabase = "clean"
)

// writeCleanly gives a sink of its own the events of the storm and what the plain
// fold made of them, and waits until it has written all of it.
func (in *installation) writeCleanly(t *testing.T, p *published, f *folded) {
	t.Helper()
	ctx := t.Context()
	env := []string{
		"RISKPIPE_TOPICS_PREFIX=" + cleanPrefix, "RISKPIPE_CLICKHOUSE_DATABASE=" + cleanDatabase,
		"RISKPIPE_KAFKA_BROKERS=" + in.kafka.direct, "RISKPIPE_CLICKHOUSE_ADDRESSES=" + in.clickHouse.direct,
	}
	in.run(t, env, "topics", "--apply")
	in.run(t, env, "migrate")
	clean := schemas.Topics{Prefix: cleanPrefix}
	client, err := kgo.NewClient(kgo.SeedBrokers(in.kafka.direct), kgo.ProducerBatchCompression(kgo.SnappyCompression()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var copies []*kgo.Record
	for _, records := range []map[int32][]*kgo.Record{p.events, p.identities, p.keys} {
		for _, r := range inOrder(records) {
			copies = append(copies, &kgo.Record{Topic: cleanPrefix + r.Topic, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp})
		}
	}
	for _, r := range f.records {
		copies = append(copies, &kgo.Record{Topic: cleanPrefix + r.Topic, Key: r.Key, Value: r.Value})
	}
	if err := client.ProduceSync(ctx, copies...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	s := in.service(t, "clean-sink", env, "sink")
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	topics := []string{clean.Events(), clean.Alerts(), clean.Risk(), clean.Identities(), clean.EvidenceKeys()}
	if err := eventually(ctx, "the clean sink has written everything", 3*time.Minute, func(ctx context.Context) error {
		if err := s.failed(); err != nil {
			return err
		}
		n, err := in.uncommitted(ctx, cleanPrefix+"riskpipe-sink", topics...)
		if err == nil && n > 0 {
			err = fmt.Errorf("%d records wait", n)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.stop()
}

// relation is a table or view that is compared.
type relation struct {
	name    string
	final   bool
	key     []string // of a row; the whole row when empty
	without []string // columns that are not compared
	why     string
}

func relations() []relation {
	const when = "inserted_at"
	return []relation{
		{"activity", true, []string{"user", "time", "event_id"}, []string{when, "evidence", "evidence_key"}, "when it was written; what is sealed"},
		{"alerts", true, []string{"user", "policy", "alert_id"}, []string{when}, "when it was written"},
		{"alert_history", true, []string{"user", "alert_id", "version"}, []string{when}, "when it was written"},
		{"risk", true, []string{"user", "sequence"}, []string{when, "record_offset"}, "when it was written; offsets of repetitions"},
		{"soc_timeline", false, []string{"event_id", "user", "time"}, []string{when}, "when it was written"},
		{"soc_alerts", false, []string{"alert_id"}, []string{when}, "when it was written"},
		{"soc_alert_contributions", false, nil, nil, ""},
		{"soc_alert_history", false, []string{"alert_id", "version"}, []string{when}, "when it was written"},
		{"soc_user_risk", false, []string{"user"}, nil, ""},
		{"soc_risk_history", false, []string{"user", "sequence"}, nil, ""},
		{"soc_exclusions", false, nil, nil, ""},
	}
}

// rows reads a relation of a database. Two rows of one key are an error.
func (in *installation) rows(ctx context.Context, db string, r relation) (ledger, error) {
	final := ""
	if r.final {
		final = " FINAL"
	}
	found, err := in.clickHouse.query(ctx, fmt.Sprintf("SELECT * FROM %s.%s%s", db, r.name, final))
	if err != nil {
		return nil, err
	}
	rows := ledger{}
	for _, row := range found {
		for _, column := range r.without {
			delete(row, column)
		}
		text, err := json.Marshal(row) // keys in order
		if err != nil {
			return nil, err
		}
		if len(r.key) == 0 {
			// How often the row is there belongs to the fact.
			n, _ := strconv.Atoi(rows[string(text)])
			rows[string(text)] = strconv.Itoa(n + 1)
			continue
		}
		var name []string
		for _, column := range r.key {
			name = append(name, fmt.Sprint(row[column]))
		}
		key := strings.Join(name, " ")
		if _, twice := rows[key]; twice {
			return nil, fmt.Errorf("%s.%s has two rows of %s", db, r.name, key)
		}
		rows[key] = string(text)
	}
	return rows, nil
}

// tables compares what the storm's sinks have written with what the clean sink
// has.
func (in *installation) tables(ctx context.Context) ([]*aspect, error) {
	var aspects []*aspect
	for _, r := range relations() {
		want, err := in.rows(ctx, cleanDatabase, r)
		if err != nil {
			return nil, err
		}
		got, err := in.rows(ctx, database, r)
		if err != nil {
			return nil, err
		}
		aspects = append(aspects, &aspect{name: "ClickHouse " + r.name, compared: "each row, all columns", leftOut: r.why, want: want, got: got, mayBeEmpty: r.name == "soc_exclusions"})
	}
	return aspects, nil
}

// evidenceRows opens the evidence that stands in ClickHouse with the keys that
// stand there.
func (in *installation) evidenceRows(ctx context.Context) (variants, error) {
	ring, err := vault.NewKeyring(in.private)
	if err != nil {
		return nil, err
	}
	opener := vault.NewEvidenceOpener(ring)
	found, err := in.clickHouse.query(ctx, fmt.Sprintf("SELECT key_id, vault_key, toUnixTimestamp64Milli(hour) AS at, format, hex(wrapped) AS bytes FROM %s_identities.evidence_keys FINAL", database))
	if err != nil {
		return nil, err
	}
	keys := map[string]*schemas.EvidenceKey{}
	for _, row := range found {
		wrapped, err := hex.DecodeString(text(row["bytes"]))
		if err != nil {
			return nil, err
		}
		key := &schemas.EvidenceKey{ID: text(row["key_id"]), VaultKey: text(row["vault_key"]), Hour: schemas.Time(number(row["at"])), Format: int32(number(row["format"])), Wrapped: wrapped}
		keys[key.ID] = key
	}
	found, err = in.clickHouse.query(ctx, fmt.Sprintf("SELECT toString(event_id) AS id, user, evidence_key, hex(evidence) AS bytes FROM %s.activity FINAL WHERE operation != 'AlertEvidence'", database))
	if err != nil {
		return nil, err
	}
	clear := variants{}
	for _, row := range found {
		var id schemas.UUID
		var user schemas.Pseudonym
		if err := id.UnmarshalText([]byte(text(row["id"]))); err != nil {
			return nil, err
		}
		if text(row["evidence_key"]) == "" {
			note(clear, id, "")
			continue
		}
		if who := text(row["user"]); who != "" { // of nobody otherwise
			if err := user.UnmarshalText([]byte(who)); err != nil {
				return nil, err
			}
		}
		sealed, err := hex.DecodeString(text(row["bytes"]))
		if err != nil {
			return nil, err
		}
		key := keys[text(row["evidence_key"])]
		if key == nil {
			return nil, fmt.Errorf("the row of event %s is sealed with data key %s, which is not in ClickHouse", id, text(row["evidence_key"]))
		}
		opened, err := opener.Open(ctx, key, user, id, sealed)
		if err != nil {
			return nil, err
		}
		evidence, err := clearOf(opened)
		if err != nil {
			return nil, fmt.Errorf("event %s: %w", id, err)
		}
		note(clear, id, evidence)
	}
	return clear, nil
}

// names opens the identities that stand in ClickHouse: UPNs by pseudonym.
func (in *installation) names(ctx context.Context) (ledger, error) {
	ring, err := vault.NewKeyring(in.private)
	if err != nil {
		return nil, err
	}
	found, err := in.clickHouse.query(ctx, fmt.Sprintf(
		"SELECT user, key_version, toUnixTimestamp64Milli(updated_time) AS at, hex(sealed) AS bytes, sealing_key FROM %s_identities.identities FINAL", database))
	if err != nil {
		return nil, err
	}
	sealed := sealedRows{}
	for _, row := range found {
		var user schemas.Pseudonym
		if err := user.UnmarshalText([]byte(text(row["user"]))); err != nil {
			return nil, err
		}
		bytes, err := hex.DecodeString(text(row["bytes"]))
		if err != nil {
			return nil, err
		}
		sealed[user] = append(sealed[user], schemas.Identity{
			User: user, KeyVersion: int32(number(row["key_version"])), UpdatedTime: schemas.Time(number(row["at"])), Sealed: bytes, SealingKey: text(row["sealing_key"]),
		})
	}
	names := ledger{}
	opener := vault.NewSealedIdentities(sealed, ring)
	for user := range sealed {
		identity, err := opener.OpenIdentity(ctx, user)
		if err != nil {
			return nil, err
		}
		names[user.String()] = identity.UPN
	}
	return names, nil
}

// sealedRows is a vault.IdentitySource.
type sealedRows map[schemas.Pseudonym][]schemas.Identity

func (s sealedRows) Identities(_ context.Context, user schemas.Pseudonym) ([]schemas.Identity, error) {
	return s[user], nil
}

// text and number read a cell.
func text(cell any) string { return fmt.Sprint(cell) }

func number(cell any) int64 {
	n, _ := strconv.ParseInt(fmt.Sprint(cell), 10, 64)
	return n
}
