package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/sink"
	"github.com/riskpipe/riskpipe/vault"
)

// twoLeavers is the story of Grace, and the same of Karl beside it.
func twoLeavers() (records []tenant.Record) {
	karl := strings.NewReplacer("grace", "karl", "Grace", "Karl", "GRACE", "KARL", "-4000-8000-", "-4000-8001-", "E0042", "E0043", "7a1f3c5e", "7a1f3c5f")
	for _, chapter := range leaverStory() {
		for _, r := range chapter {
			records = append(records, r)
			r.Value = []byte(karl.Replace(string(r.Value)))
			records = append(records, r)
		}
	}
	return records
}

// onRecord gives the installation an audit log and the vault's private key.
func (l *live) onRecord() (auditFile string, key *vault.VerifyingKey) {
	l.t.Helper()
	dir := l.t.TempDir()
	signing, text, err := vault.GenerateSigningKey(rand.Reader, "audit")
	if err != nil {
		l.t.Fatal(err)
	}
	c := &l.config.Vault.Serve
	c.AuditFile, c.AuditKeyFile = filepath.Join(dir, "audit.jsonl"), filepath.Join(dir, "audit.key")
	write(l.t, c.AuditKeyFile, text)
	return c.AuditFile, signing.Public()
}

// holdVaultKey gives the installation the vault's private key.
func (l *live) holdVaultKey() {
	l.t.Helper()
	file := filepath.Join(l.t.TempDir(), "vault.key")
	if err := os.WriteFile(file, []byte(l.vaultText), 0o600); err != nil {
		l.t.Fatal(err)
	}
	l.config.Vault.PrivateKeys = []string{file}
}

// rowsOf dumps all tables, with or without those of a user: without what tells
// when they were written, and FINAL, since a topic that is read again doubles
// rows.
func (l *live) rowsOf(where string) map[string]string {
	l.t.Helper()
	dump := map[string]string{}
	database := l.config.ClickHouse.Database
	for _, table := range []string{
		database + ".activity", database + ".alerts", database + ".alert_history", database + ".risk", database + "_identities.identities",
	} {
		rows, err := l.conn.Query(l.t.Context(), "SELECT formatRow('JSONEachRow', *) AS row FROM (SELECT * EXCEPT (inserted_at, record_offset) FROM "+table+" FINAL WHERE "+where+") ORDER BY row")
		if err != nil {
			l.t.Fatal(err)
		}
		for rows.Next() {
			var row string
			if err := rows.Scan(&row); err != nil {
				l.t.Fatal(err)
			}
			dump[table] += row
		}
		if err := rows.Close(); err != nil {
			l.t.Fatal(err)
		}
	}
	return dump
}

// redisDump is everything in Redis that begins so.
func (l *live) redisDump(pattern string) map[string]string {
	l.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: l.config.Redis.Addresses[0]})
	defer client.Close()
	dump := map[string]string{}
	keys := client.Scan(l.t.Context(), 0, pattern, 1000).Iterator()
	for keys.Next(l.t.Context()) {
		dump[keys.Val()] = client.Get(l.t.Context(), keys.Val()).Val()
	}
	if err := keys.Err(); err != nil {
		l.t.Fatal(err)
	}
	return dump
}

// states are those of the scorer.
func (l *live) states() map[string]string {
	all := l.redisDump("{" + l.config.Redis.Prefix + "events:*")
	maps.DeleteFunc(all, func(key, _ string) bool { return !strings.Contains(key, ":u:") })
	return all
}

// erase runs the command and returns what it printed.
func (l *live) erase(o eraseOptions, names ...string) (string, error) {
	l.t.Helper()
	users, err := l.config.pseudonymsOf(names[0], names[1:])
	if err != nil {
		l.t.Fatal(err)
	}
	var talk, out bytes.Buffer
	e, err := newErasure(l.t.Context(), l.config, users, &talk)
	if err != nil {
		l.t.Fatal(err)
	}
	defer e.close()
	if !l.sameHour { // data keys are not in use any more
		e.now = func() schemas.Time { return schemas.TimeOf(time.Now().Add(2 * time.Hour)) }
	}
	o.yes, o.format, o.reason = true, "json", "request of the person"
	if o.timeout == 0 {
		o.timeout = 2 * time.Minute
	}
	err = e.command(l.t.Context(), o, strings.NewReader(""), &out)
	if strings.Contains(talk.String()+out.String(), "grace") {
		l.t.Errorf("the command names the person: %s%s", talk.String(), out.String())
	}
	return out.String(), err
}

// One of two is erased: nothing of them is left, all that is the other's is as it
// was, to the bit; what was broken off goes on; and reading the log again erases
// again.
func TestLive_erase(t *testing.T) {
	l := newLive(t)
	auditFile, auditKey := l.onRecord()
	l.holdVaultKey()
	l.startServices(t.Context())
	publisher, err := newPublisher(l.config)
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.close()
	for _, r := range twoLeavers() {
		if err := publisher.publish(t.Context(), r, r.Time.UTC()); err != nil {
			t.Fatal(err)
		}
	}
	if err := publisher.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.waitUntilRead()
	key, err := l.config.Pseudonym.open()
	if err != nil {
		t.Fatal(err)
	}
	grace := key.Pseudonym("upn:grace@contoso.example")
	of := "user = '" + grace.String() + "'"
	others, states, names := l.rowsOf("NOT "+of), l.states(), l.redisDump(l.config.Redis.Prefix+"name:*")
	for table, rows := range l.rowsOf(of) {
		if rows == "" || others[table] == "" {
			t.Fatalf("%s proves nothing: it holds %d bytes of the one, %d of the others", table, len(rows), len(others[table]))
		}
	}
	maps.DeleteFunc(states, func(k, _ string) bool { return strings.HasSuffix(k, string(grace[:])) })
	maps.DeleteFunc(names, func(_, v string) bool { return v == string(grace[:]) })

	shown, err := l.erase(eraseOptions{dryRun: true}, "Grace@contoso.example")
	if err != nil || !strings.Contains(shown, `"erased": false`) {
		t.Fatalf("dry run: %v\n%s", err, shown)
	}
	if len(l.rowsOf(of)[l.config.ClickHouse.Database+".activity"]) == 0 {
		t.Fatal("the dry run erased")
	}

	// Whose evidence may still be sealed is left alone.
	l.sameHour = true
	if _, err := l.erase(eraseOptions{}, "grace@contoso.example"); !errors.Is(err, vault.ErrKeyInUse) {
		t.Errorf("error %v", err)
	}
	l.sameHour = false
	if diff := difference(others, l.rowsOf("NOT "+of)); diff != "" || len(l.rowsOf(of)) == 0 {
		t.Errorf("something was erased: %s", diff)
	}

	// Nobody is there to do it: what was ordered stays ordered.
	if err := l.failure(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.erase(eraseOptions{timeout: time.Second}, "grace@contoso.example"); err == nil || !strings.Contains(err.Error(), "is the service running") {
		t.Errorf("error %v", err)
	}
	l.startServices(t.Context())
	proof, err := l.erase(eraseOptions{}, "grace@contoso.example")
	if err != nil {
		t.Fatalf("%v\n%s", err, proof)
	}
	var told struct {
		Users []string      `json:"users"`
		Held  []erasureLine `json:"held"`
	}
	if err := json.Unmarshal([]byte(proof), &told); err != nil || len(told.Held) < 9 {
		t.Fatalf("%v in %s", err, proof)
	}
	before := map[string]uint64{}
	for _, line := range told.Held {
		before[line.What] = line.Before
		if line.Left != 0 {
			t.Errorf("left: %+v", line)
		}
	}
	if logged := before["Kafka learned names"]; logged == 0 || logged != before["Redis learned names"] {
		t.Errorf("%d names were in the log and %d in Redis", logged, before["Redis learned names"])
	}
	l.nothingOf(grace, others, states)
	if diff := difference(names, l.redisDump(l.config.Redis.Prefix+"name:*")); diff != "" {
		t.Errorf("names: %s", diff)
	}

	l.toldToForget(grace)
	l.opensBut(grace)

	// Again, for somebody of whom there is nothing any more.
	if proof, err := l.erase(eraseOptions{}, grace.String()); err != nil {
		t.Errorf("again: %v\n%s", err, proof)
	}

	// Redis is lost, and the scorer reads the log from its beginning.
	if err := l.failure(); err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(&redis.Options{Addr: l.config.Redis.Addresses[0]})
	defer client.Close()
	if err := client.Del(t.Context(), slices.Collect(maps.Keys(l.redisDump("{"+l.config.Redis.Prefix+"events:*")))...).Err(); err != nil {
		t.Fatal(err)
	}
	l.startServices(t.Context())
	l.waitForStates(states)
	l.waitUntilRead()
	l.nothingOf(grace, others, states)

	report, err := verifyAudit(auditFile, auditFile+".checkpoints", []*vault.VerifyingKey{auditKey})
	if err != nil || report.Records < 5 {
		t.Errorf("the audit log has %+v (%v)", report, err)
	}
}

// toldToForget checks that who reads alerts and risk is told that alerts are
// over, and then to forget them.
func (l *live) toldToForget(user schemas.Pseudonym) {
	l.t.Helper()
	codec, err := schemas.NewCodec[schemas.Alert](schemas.AlertSchema)
	if err != nil {
		l.t.Fatal(err)
	}
	open, forgotten := map[schemas.UUID]bool{}, 0
	for _, r := range l.read(l.config.Topics.names().Alerts()) {
		var a schemas.Alert
		switch {
		case string(r.Key) != user.String():
		case r.Value == nil:
			forgotten++
			if len(open) > 0 {
				l.t.Errorf("%d alerts are open when they are to be forgotten", len(open))
			}
		case codec.Decode(r.Value, &a) != nil:
			l.t.Errorf("offset %d is no alert", r.Offset)
		case a.Status == schemas.AlertOpen:
			open[a.ID] = true
		default:
			delete(open, a.ID)
		}
	}
	risk := l.read(l.config.Topics.names().Risk())
	risk = slices.DeleteFunc(risk, func(r *kgo.Record) bool { return string(r.Key) != user.String() })
	if forgotten == 0 || len(risk) < 2 || risk[len(risk)-1].Value != nil {
		l.t.Errorf("told %d times to forget alerts; %d records of risk", forgotten, len(risk))
	}
}

// opensBut checks that of all evidence that lies on the topic of events the
// user's alone does not open any more, with the keys that Kafka and ClickHouse
// have.
func (l *live) opensBut(user schemas.Pseudonym) {
	l.t.Helper()
	e := l.erasure()
	defer e.close()
	onTopic, err := readLatest(l.t.Context(), e, l.config.Topics.names().EvidenceKeys(), e.codecs.keys)
	if err != nil {
		l.t.Fatal(err)
	}
	ring, err := vault.NewKeyring(l.vault)
	if err != nil {
		l.t.Fatal(err)
	}
	source, err := sink.NewAboutSource(l.conn, l.config.ClickHouse.Database, "")
	if err != nil {
		l.t.Fatal(err)
	}
	stored := map[schemas.Pseudonym]map[string]schemas.EvidenceKey{}
	opener := vault.NewEvidenceOpener(ring)
	opened, shredded := 0, 0
	for _, r := range l.read(l.config.Topics.names().Events()) {
		var event schemas.Event
		if r.Value == nil || e.codecs.events.Decode(r.Value, &event) != nil || event.Evidence == nil {
			continue
		}
		key := onTopic[event.EvidenceKey]
		_, err := opener.Open(l.t.Context(), &key, event.User, event.ID, event.Evidence)
		if event.User == user {
			if shredded++; !errors.Is(err, vault.ErrShredded) {
				l.t.Fatalf("evidence of the erased: %v", err)
			}
			continue
		}
		if opened++; err != nil {
			l.t.Fatalf("evidence of others: %v", err)
		}
		if stored[event.User] == nil {
			about, err := source.About(l.t.Context(), event.User)
			if err != nil {
				l.t.Fatal(err)
			}
			stored[event.User] = about.Keys
		}
		key = stored[event.User][event.EvidenceKey]
		if _, err := opener.Open(l.t.Context(), &key, event.User, event.ID, event.Evidence); err != nil {
			l.t.Fatalf("evidence of others, by ClickHouse's key: %v", err)
		}
		if _, err := opener.Open(l.t.Context(), &key, user, event.ID, event.Evidence); !errors.Is(err, vault.ErrShredded) && !errors.Is(err, vault.ErrNotAuthentic) {
			l.t.Fatalf("ClickHouse's key: %v", err)
		}
	}
	if opened < 150 || shredded < 150 {
		l.t.Errorf("%d evidences open, %d are shredded", opened, shredded)
	}
}

// nothingOf checks that nothing is left of a user and all else is as it was.
func (l *live) nothingOf(user schemas.Pseudonym, others, states map[string]string) {
	l.t.Helper()
	for table, rows := range l.rowsOf("user = '" + user.String() + "'") {
		l.t.Errorf("%s still has %s", table, rows)
	}
	if diff := difference(others, l.rowsOf("user != '"+user.String()+"'")); diff != "" {
		l.t.Errorf("rows: %s", diff)
	}
	if diff := difference(states, l.states()); diff != "" {
		l.t.Errorf("states: %s", diff)
	}
}

// waitForStates waits until the scorer has come as far as it was.
func (l *live) waitForStates(states map[string]string) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	for difference(states, l.states()) != "" {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			l.t.Fatalf("states: %s", difference(states, l.states()))
		}
	}
}

// difference names the first key by which two dumps differ.
func difference(want, got map[string]string) string {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if want[key] != got[key] {
			return firstLines(key, want[key], got[key])
		}
	}
	for key := range got {
		if _, known := want[key]; !known {
			return firstLines(key, "", got[key])
		}
	}
	return ""
}

func firstLines(key, want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	i := 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	return key + ": want " + at(w, i) + "\ngot " + at(g, i)
}
