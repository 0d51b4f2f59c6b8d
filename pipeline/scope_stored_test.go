package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// scopeTenant is what upstream tells of a person: by UPN and by each other name,
// in every kind of step.
func scopeTenant(name string, number int) (records []string, person normalise.Actor) {
	id := fmt.Sprintf("0a1b2c3d-0000-4000-8000-%012d", number)
	person = normalise.Actor{
		Type: schemas.ActorPerson, UPN: name + "@contoso.example", Mail: name + ".mail@contoso.example", ObjectID: id, EmployeeID: strings.ToUpper(name) + "-E",
		SID: fmt.Sprintf("S-1-5-21-1-2-3-%d", number), Account: `contoso\` + name,
	}
	hunting := func(table, columns string) string {
		return fmt.Sprintf(`{"records":[{"time":"2026-03-02T09:20:00Z","category":"AdvancedHunting-%s","properties":{"Timestamp":"2026-03-02T09:20:00Z",%s}}]}`, table, columns)
	}
	file := func(record, user string) string {
		return fmt.Sprintf(`{"CreationTime":"2026-03-02T09:10:00","Id":"2b9e7c1a-5d4f-4e3c-8a7b-%s%010d","Operation":"FileDownloaded","RecordType":6,"Workload":"SharePoint","UserId":%q,`+
			`"ObjectId":"https://contoso.example/personal/%[4]s/Docs/%[4]s.xlsx","SourceFileName":"%[4]s.xlsx","SourceFileExtension":"xlsx","ItemType":"File"}`, record, number, user, name)
	}
	evidence := func(alert string) string {
		return hunting("AlertEvidence", fmt.Sprintf(`"AlertId":%q,"Title":"of %s","EntityType":"User","AccountUpn":%q,"AccountObjectId":%q,"DeviceName":"lap-%[2]s"`, alert, name, person.UPN, id))
	}
	return []string{
		file("00", id), // nobody knows yet whose it is
		hunting("IdentityInfo", fmt.Sprintf(`"ReportId":"r%d","AccountUpn":%q,"AccountObjectId":%q,"OnPremSid":%q,"AccountDomain":"contoso","AccountName":%q,"EmailAddress":%q,"EmployeeId":%q,"AccountDisplayName":"Display %s"`,
			number, person.UPN, id, person.SID, name, person.Mail, person.EmployeeID, name)),
		file("01", strings.ToUpper(person.UPN)),
		file("02", id),
		file("03", person.SID),
		file("04", person.Mail),
		evidence("alert-before"), evidence("alert-waits"),
	}, person
}

// aliasTrace begins what traces calls the keyed hash of a name.
const aliasTrace = "the keyed hash of "

// traces is how a person may be written down.
func traces(key *vault.Key, name string, person normalise.Actor) map[string][]byte {
	found := map[string][]byte{"the name": []byte(name), "the object id": []byte(person.ObjectID), "the SID": []byte(person.SID)}
	for _, alias := range append(person.Aliases(), person.Key()) {
		user := key.Pseudonym(alias)
		kind, _, _ := strings.Cut(alias, ":")
		found["the pseudonym of "+kind+", shown"] = []byte(user.String())
		found[aliasTrace+kind] = bytes.Clone(user[:])
	}
	return found
}

// Of people who are out of scope nothing is stored: neither their names nor any
// pseudonym of theirs are anywhere in Kafka's internal topics, in what opens of
// the evidence and identities there, in Redis, in the log or in the metrics,
// though they come by all their names, and though evidence of theirs waited for
// its alert when the scope changed. Redis alone keeps keyed hashes of their other
// names, to know them by; what these lead to is nobody's pseudonym. Their colleague
// is as ever, and of them there is a count.
func TestNormaliser_scopeStoresNothing(t *testing.T) {
	_, reach := newCluster(t)
	server := miniredis.RunT(t)
	store := openRedis(t, server.Addr())
	sealing, vaultKey := newSealing(t)
	key := testKey(t)
	options := normalise.Options{Hash: key.Hash}
	var log lockedBuffer
	run := func(scope *Scope) *prometheus.Registry {
		t.Helper()
		metrics := prometheus.NewRegistry()
		n, err := NewNormaliser(NormaliserConfig{Source: schemas.SourceFile, BatchRecords: 5}, NormaliserDeps{
			Input: reach, Output: reach, Mapper: func() Mapper { return normalise.New(options) }, Events: newCodecs(t).events,
			Resolver: newResolver(t, store.Names(), func(d *ResolverDeps) { d.Scope, d.Activity = scope, normalise.DetectionActivity }),
			Sealing:  sealing, Version: "test", Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), Metrics: metrics,
		})
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, n.Run)
		eventually(t, func() error { return committedAll(t, reach, "riskpipe-normalise-file", "raw.file") })
		s.end(t)
		return metrics
	}
	info := func(alert string) string {
		return fmt.Sprintf(`{"records":[{"time":"2026-03-02T09:20:00Z","category":"AdvancedHunting-AlertInfo","properties":{"Timestamp":"2026-03-02T09:20:00Z","AlertId":%q,"Title":"Odd","Category":"Exfiltration","Severity":"High"}}]}`, alert)
	}
	secret, secretPerson := scopeTenant("zyxomma", 41)
	open, openPerson := scopeTenant("benedicta", 42)
	forbidden, wanted := traces(key, "zyxomma", secretPerson), key.Pseudonym("upn:"+openPerson.UPN)
	herself := key.Pseudonym("upn:" + secretPerson.UPN)
	groups := map[string][]string{secretPerson.UPN: {"works_council"}}
	scope := NewScope(ScopeConfig{Exclude: []ScopeRule{{Groups: []string{"works_council"}}}}, key, groups)

	// Evidence of hers waits in Redis since before there was a scope. What went to
	// the topics then is not looked at: it was in scope.
	value := waitingValue(t, secretPerson, openPerson)
	waitingKey := key.Pseudonym("waiting:alert-before")
	if _, err := store.Names().Learn(t.Context(), []Name{{Key: waitingKey, Value: value, For: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	for i := range secret {
		publish(t, reach, secret[i]) // on one partition, in this order
		publish(t, reach, open[i])
	}
	publish(t, reach, info("alert-before"))
	publish(t, reach, info("alert-waits"))
	metrics := run(scope)

	places := map[string][]byte{"the log": log.bytes(), "the metrics": gathered(t, metrics)}
	places["redis' keys"], places["redis' values"] = redisDump(t, server.Addr())
	client := newClient(t, reach)
	topics, err := kadm.NewClient(client).ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics.Names() {
		if strings.HasPrefix(topic, "raw.") {
			continue
		}
		for _, r := range readAll(t, reach, topic) {
			places["topic "+topic] = append(append(places["topic "+topic], r.Key...), r.Value...)
			for _, h := range r.Headers {
				places["topic "+topic] = append(places["topic "+topic], h.Value...)
			}
		}
	}
	places["opened"] = openAll(t, reach, sealing, newRing(t, vaultKey))
	if !bytes.Contains(places["redis' keys"], wanted[:]) || !bytes.Contains(places["redis' values"], wanted[:]) || !bytes.Contains(places["topic events"], wanted[:]) {
		t.Error("the search does not find the colleague, either")
	}
	if !bytes.Contains(places["opened"], []byte("benedicta.xlsx")) || !bytes.Contains(places["opened"], []byte(openPerson.UPN)) {
		t.Error("what opens does not hold the colleague's evidence and identity")
	}
	for place, data := range places {
		lower := bytes.ToLower(data)
		for what, trace := range forbidden {
			if place == "redis' keys" && strings.HasPrefix(what, aliasTrace) && !bytes.Equal(trace, herself[:]) {
				continue
			}
			if bytes.Contains(data, trace) || bytes.Contains(lower, bytes.ToLower(trace)) {
				t.Errorf("%s of somebody out of scope is in %s", what, place)
			}
		}
	}
	for _, want := range []string{
		`riskpipe_normalise_out_of_scope_total reason="excluded",source="file"`, `reason="unknown_person"`, `riskpipe_normalise_scope_info`, scope.Digest().String(),
	} {
		if !bytes.Contains(places["the metrics"], []byte(want)) {
			t.Errorf("no %s in the metrics:\n%s", want, places["the metrics"])
		}
	}
	var activities []string
	for _, e := range eventsOf(t, readAll(t, reach, "events")) {
		if e.User == wanted {
			activities = append(activities, e.Activity)
		}
	}
	slices.Sort(activities)
	// By UPN, object id, SID and mail address; both alerts, both completed; not the
	// first, since nobody knew then whose it was.
	want := "detection.alert detection.alert detection.exfiltration detection.exfiltration file.downloaded file.downloaded file.downloaded file.downloaded"
	if got := strings.Join(activities, " "); got != want {
		t.Errorf("the colleague's activities: %s", got)
	}
}

// waitingValue is what Redis holds of evidence that waits, as it is without a
// scope.
func waitingValue(t *testing.T, people ...normalise.Actor) []byte {
	t.Helper()
	names := NewMemoryNames()
	result := normalise.Result{}
	for i, person := range people {
		e := tinyEvent(0, int64(i))
		e.Source, e.Activity, e.Detection = schemas.SourceDefender, "detection.alert", &schemas.Detection{Severity: "low"}
		result.Events = append(result.Events, &normalise.Event{Event: e, Actor: person, Finding: "alert-before"})
	}
	var out Batch
	if err := NewBatchNormaliser(scripted{"": result}, newResolver(t, names, nil)).Process(t.Context(), schemas.SourceDefender, []normalise.Raw{{}}, &out); err != nil {
		t.Fatal(err)
	}
	values, err := names.Lookup(t.Context(), []schemas.Pseudonym{testKey(t).Pseudonym("waiting:alert-before")})
	if err != nil || len(values[0]) == 0 {
		t.Fatalf("nothing waits: %v", err)
	}
	return values[0]
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.buffer.Bytes())
}

// gathered is a registry in text: name, labels and value.
func gathered(t *testing.T, r *prometheus.Registry) []byte {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, label := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", label.GetName(), label.GetValue()))
			}
			fmt.Fprintln(&b, family.GetName(), strings.Join(labels, ","), m.GetCounter().GetValue()+m.GetGauge().GetValue())
		}
	}
	return b.Bytes()
}

// redisDump is all keys and all values.
func redisDump(t *testing.T, address string) (keys, values []byte) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: address})
	defer client.Close()
	all, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range all {
		value, err := client.Get(t.Context(), key).Bytes()
		if err != nil {
			t.Fatal(err)
		}
		keys, values = append(keys, key...), append(values, value...)
	}
	return keys, values
}

// openAll is what the vault opens of evidence and identities.
func openAll(t *testing.T, reach []kgo.Opt, sealing *Sealing, ring *vault.Keyring) []byte {
	t.Helper()
	var all []byte
	keys, opener := dataKeys(t, reach, sealing.Keys), vault.NewEvidenceOpener(ring)
	for _, e := range eventsOf(t, readAll(t, reach, "events")) {
		if e.Evidence == nil {
			continue
		}
		key := keys[e.EvidenceKey]
		clear, err := opener.Open(t.Context(), &key, e.User, e.ID, e.Evidence)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, clear...)
	}
	for _, r := range readAll(t, reach, "identities") {
		var sealed schemas.Identity
		if err := sealing.Identities.Decode(r.Value, &sealed); err != nil {
			t.Fatal(err)
		}
		identity, err := vault.OpenIdentity(t.Context(), ring, &sealed)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(identity)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return all
}
