package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

const adaKey = "upn:ada@contoso.com"

// escrowed opens the records of an escrow: what each says, by fact, in order.
func escrowed(t testing.TB, sealing *Sealing, opener vault.Opener, records []*kgo.Record) []string {
	t.Helper()
	var list []string
	for _, r := range records {
		var sealed schemas.Identity
		if err := sealing.Identities.Decode(r.Value, &sealed); err != nil {
			t.Fatal(err)
		}
		got, err := vault.OpenIdentity(t.Context(), opener, &sealed)
		if err != nil {
			t.Fatal(err)
		}
		if links := []vault.LinkRecord{vault.Link(sealing.Previous, "upn:"+got.UPN)}; got.UPN != "" && !slices.Equal(got.Previous, links) {
			t.Errorf("links %v", got.Previous)
		}
		parts := strings.SplitN(string(r.Key), "/", 3)
		name, _, _ := strings.Cut(parts[2], "-")
		if parts[0] != sealed.User.String() || parts[1] != "signin" {
			t.Errorf("key %s", r.Key)
		}
		list = append(list, name+" "+strings.Join(append(got.Aliases, got.UPN+got.ObjectID+got.EmployeeID+got.DisplayName+got.Department+got.Manager+got.Title), ""))
	}
	return list
}

// A fact is told once, again when it was not acknowledged, and again when a
// directory says otherwise or still says it a day later; a name that is known is
// not replaced, its other spellings are aliases.
func TestEscrow(t *testing.T) {
	sealing, vaultKey := newSealing(t)
	previous, _, err := vault.GenerateKey(7)
	if err != nil {
		t.Fatal(err)
	}
	sealing.Previous, sealing.CachedIdentities = previous, 2
	key, ring, met := testKey(t), newRing(t, vaultKey), newKnownActors(100)
	e := newEscrow(schemas.Topics{}, schemas.SourceSignIn, sealing, key)
	tell := func(confirm bool, user string, at schemas.Time, actors ...normalise.Event) []string {
		t.Helper()
		out := &Batch{}
		for _, actor := range actors {
			actor.ObservedTime = at
			if user != "" {
				actor.User = key.Pseudonym(user)
			}
			if actor.Actor.Type == "" {
				actor.Actor.Type = schemas.ActorPerson
			}
			out.add(&actor, provenance{actor: met.of(key, &actor.Actor)})
		}
		n := e.collect(out)
		records, err := e.seal(n)
		if err != nil {
			t.Fatal(err)
		}
		if confirm {
			e.confirm(n)
		}
		return escrowed(t, sealing, ring, records)
	}
	ada := func(a normalise.Actor, display string, source schemas.Source) normalise.Event {
		if a.UPN == "" && a.Mail == "" {
			a.UPN = "ada@contoso.com"
		}
		return normalise.Event{Event: schemas.Event{Source: source}, Actor: a, Clear: schemas.Evidence{DisplayName: display}}
	}
	says := func(p normalise.Profile) []normalise.Event {
		return []normalise.Event{ada(normalise.Actor{Profile: &p}, "", schemas.SourceHR)}
	}
	for i, step := range []struct {
		confirm bool
		user    string
		at      schemas.Time
		events  []normalise.Event
		want    []string
	}{
		{false, adaKey, 5, []normalise.Event{ada(normalise.Actor{}, "", "")}, []string{"upn ada@contoso.com"}},
		{true, adaKey, 5, []normalise.Event{ada(normalise.Actor{}, "", "")}, []string{"upn ada@contoso.com"}},
		{true, adaKey, 5, []normalise.Event{ada(normalise.Actor{}, "Somebody", schemas.SourceEmail)}, nil},
		{
			true, adaKey, 5,
			[]normalise.Event{ada(normalise.Actor{ObjectID: adaID}, "", ""), ada(normalise.Actor{}, "Ada", schemas.SourceSignIn)},
			[]string{"object_id " + adaID, "display_name Ada"},
		},
		{
			true, adaKey, 5,
			[]normalise.Event{ada(normalise.Actor{Mail: "a@contoso.com", ObjectID: benID}, "A. L.", schemas.SourceSignIn)},
			[]string{"alias a@contoso.com", "alias " + benID, "alias A. L."},
		},
		{true, adaKey, 5, []normalise.Event{ada(normalise.Actor{ObjectID: benID}, "A. L.", schemas.SourceSignIn), ada(normalise.Actor{ObjectID: adaID}, "Ada", schemas.SourceSignIn)}, nil},
		{true, adaKey, 5, []normalise.Event{{}}, nil},                                                              // completes earlier evidence
		{true, "", 5, []normalise.Event{ada(normalise.Actor{}, "", "")}, nil},                                      // nobody's
		{true, "app:x", 5, []normalise.Event{{Actor: normalise.Actor{Type: schemas.ActorService, App: "x"}}}, nil}, // a machine's
		{
			true, "oid:" + benID, 5,
			[]normalise.Event{{Actor: normalise.Actor{ObjectID: benID, Account: `contoso\ben`}}},
			[]string{"object_id " + benID, `alias contoso\ben`},
		},
		// Of a profile the newest counts, whatever order it comes in.
		{true, adaKey, 20, says(normalise.Profile{Department: "Research", Title: "Analyst"}), []string{"department Research", "title Analyst"}},
		{true, adaKey, 21, says(normalise.Profile{Department: "Research"}), nil},
		{true, adaKey, 19, says(normalise.Profile{Department: "Sales"}), nil},
		{true, adaKey, 22, says(normalise.Profile{Department: "Design", Manager: "Boss"}), []string{"department Design", "manager Boss"}},
		{true, adaKey, 22 + toldAgain, says(normalise.Profile{Department: "Design"}), []string{"department Design"}},
		{true, adaKey, 23 + toldAgain, says(normalise.Profile{DisplayName: "Ada King"}), []string{"display_name Ada King", "alias Ada"}},
		{true, adaKey, 24 + toldAgain, says(normalise.Profile{Title: strings.Repeat("x", maxIdentityText+1), Manager: " "}), nil},
	} {
		if d := cmp.Diff(step.want, tell(step.confirm, step.user, step.at, step.events...)); d != "" {
			t.Errorf("step %d: %s", i, d)
		}
	}
	for i := range 2 * maxAliases {
		tell(true, adaKey, 5, ada(normalise.Actor{Account: fmt.Sprint("account", i)}, "", ""))
	}
	if known, _ := e.told.get(key.Pseudonym(adaKey)); len(known.Aliases) != maxAliases {
		t.Errorf("%d aliases", len(known.Aliases))
	}
	for i := range 3 {
		tell(true, fmt.Sprint("upn:", i), 5, normalise.Event{Actor: normalise.Actor{UPN: fmt.Sprint(i)}})
	}
	if e.told.len() != 2 {
		t.Errorf("%d people are remembered", e.told.len())
	}
}

// What is remembered of a person keeps no Kafka record in memory, whose part the
// names of an event are.
func TestEscrow_memory(t *testing.T) {
	sealing, _ := newSealing(t)
	key := testKey(t)
	e := newEscrow(schemas.Topics{}, schemas.SourceHR, sealing, key)
	user := key.Pseudonym(adaKey)
	actor := normalise.Actor{
		UPN: "ada@contoso.com", Mail: "ada.l@contoso.com", ObjectID: adaID, EmployeeID: "E17", WorkerID: "W1", SID: "S-1-5-21-1", Account: `contoso\ada`,
		Profile: &normalise.Profile{DisplayName: "Ada", Department: "Research", Manager: "Ben", Title: "Analyst"},
	}
	event := &normalise.Event{Event: schemas.Event{User: user, ActorType: schemas.ActorPerson}, Actor: actor}
	out := &Batch{}
	out.add(event, provenance{actor: newKnownActor(key, &actor)})
	e.confirm(e.collect(out))
	known, _ := e.told.get(user)
	texts := append([]string{
		known.UPN, known.ObjectID, known.EmployeeID, known.DisplayName, known.Department, known.Manager, known.Title,
	}, known.Aliases...)
	if slices.Contains(texts, "") || len(known.Aliases) != 4 {
		t.Fatalf("something was not told: %q", texts)
	}
	for _, given := range []string{
		actor.UPN, actor.Mail, actor.ObjectID, actor.EmployeeID, actor.WorkerID, actor.SID, actor.Account,
		actor.Profile.DisplayName, actor.Profile.Department, actor.Profile.Manager, actor.Profile.Title,
	} {
		if slices.ContainsFunc(texts, func(text string) bool { return unsafe.StringData(text) == unsafe.StringData(given) }) {
			t.Errorf("%q is remembered as it was given", given)
		}
	}
}

// A record that only joins names of somebody tells the vault, too: else it would
// not know the name of a person whose other feeds have nothing but a number.
func TestEscrow_links(t *testing.T) {
	sealing, _ := newSealing(t)
	e := newEscrow(schemas.Topics{}, schemas.SourceDefender, sealing, testKey(t))
	resolver := newResolver(t, NewMemoryNames(), nil)
	var out Batch
	normaliser := NewBatchNormaliser(linking{}, resolver)
	if err := normaliser.Process(t.Context(), schemas.SourceDefender, []normalise.Raw{{Time: 7}}, &out); err != nil {
		t.Fatal(err)
	}
	n := e.collect(&out)
	want := vault.Identity{UPN: "ada@contoso.com", ObjectID: adaID, EmployeeID: "E17", Department: "Research"}
	if d := cmp.Diff(want, n.told[testKey(t).Pseudonym(adaKey)].Identity); d != "" || len(n.told) != 1 || len(n.facts) != 4 || n.facts[0].observed != 7 {
		t.Errorf("%v: %s", n.facts, d)
	}
	if err := normaliser.Process(t.Context(), schemas.SourceDefender, nil, &out); err != nil || len(out.Links) != 0 {
		t.Errorf("%d links of nothing, %v", len(out.Links), err)
	}
}

// linking maps every record to names without an event.
type linking struct{}

func (linking) Map(_ schemas.Source, _ normalise.Raw, out *normalise.Result) {
	*out = normalise.Result{Records: 1, Links: []normalise.Actor{{
		Type: schemas.ActorPerson, UPN: "ada@contoso.com", ObjectID: adaID, EmployeeID: "E17", Profile: &normalise.Profile{Department: "Research"},
	}}}
}

// compactedIdentities is what compaction leaves of the topic of identities.
type compactedIdentities struct {
	codec   *schemas.Codec[schemas.Identity]
	records map[string][]byte
}

func (c compactedIdentities) Identities(context.Context, schemas.Pseudonym) ([]schemas.Identity, error) {
	var list []schemas.Identity
	for _, key := range slices.Sorted(maps.Keys(c.records)) {
		var sealed schemas.Identity
		if err := c.codec.Decode(c.records[key], &sealed); err != nil {
			return nil, err
		}
		list = append(list, sealed)
	}
	return list, nil
}

// However records and restarts follow one another in several processes of several
// feeds, what the compacted topic holds opens to the newest that was told of each
// attribute and to all names; the topic never shows any of it.
func TestEscrow_nothingIsWiped(t *testing.T) {
	sealing, vaultKey := newSealing(t)
	ring, key := newRing(t, vaultKey), testKey(t)
	user := key.Pseudonym(adaKey)
	rapid.Check(t, func(r *rapid.T) {
		feeds := []schemas.Source{schemas.SourceHR, schemas.SourceHR, schemas.SourceDefender}
		processes := make([]*escrow, len(feeds))
		topic := compactedIdentities{sealing.Identities, map[string][]byte{}}
		want := vault.Identity{UPN: "ada@contoso.com"}
		known := map[string]bool{}
		name := rapid.SampledFrom([]string{"", "", "XALPHA", "XBETA", "XGAMMA"})
		for at := range schemas.Time(rapid.IntRange(1, 12).Draw(r, "records")) {
			i := rapid.IntRange(0, len(feeds)-1).Draw(r, "process")
			if processes[i] == nil || rapid.IntRange(0, 3).Draw(r, "restart") == 0 {
				processes[i] = newEscrow(schemas.Topics{}, feeds[i], sealing, key)
			}
			profile := normalise.Profile{Department: name.Draw(r, "department"), Manager: name.Draw(r, "manager"), Title: name.Draw(r, "title")}
			actor := normalise.Actor{Type: schemas.ActorPerson, UPN: "ada@contoso.com", Account: name.Draw(r, "account"), SID: name.Draw(r, "sid"), Profile: &profile}
			// A day apart, since within one a process does not repeat itself.
			out := &Batch{Links: []Link{{User: user, Actor: actor, Observed: (at + 1) * toldAgain}}}
			n := processes[i].collect(out)
			records, err := processes[i].seal(n)
			if err != nil {
				r.Fatal(err)
			}
			processes[i].confirm(n)
			for _, record := range records {
				if strings.Contains(string(record.Key)+string(record.Value), "XALPHA") || strings.Contains(string(record.Key)+string(record.Value), "ada@") {
					r.Fatalf("it shows in %q", record.Key)
				}
				topic.records[string(record.Key)] = record.Value
			}
			for into, value := range map[*string]string{&want.Department: profile.Department, &want.Manager: profile.Manager, &want.Title: profile.Title} {
				if value != "" {
					*into = value
				}
			}
			for _, alias := range []string{actor.Account, actor.SID} {
				if alias != "" {
					known[alias] = true
				}
			}
		}
		got, err := vault.NewSealedIdentities(topic, ring).OpenIdentity(r.Context(), user)
		if err != nil {
			r.Fatal(err)
		}
		slices.Sort(got.Aliases)
		want.Aliases = slices.Sorted(maps.Keys(known))
		if d := cmp.Diff(want, got); d != "" {
			r.Fatal(d)
		}
	})
}

// Partitions that meet the same people at once tell each fact once; what could not
// be written, the next one tells.
func TestEscrow_turns(t *testing.T) {
	sealing, _ := newSealing(t)
	key := testKey(t)
	e := newEscrow(schemas.Topics{}, schemas.SourceSignIn, sealing, key)
	var (
		mu     sync.Mutex
		facts  = map[string]int{}
		broken = errors.New("away")
		fails  = 3
	)
	produce := func(_ context.Context, records []*kgo.Record) error {
		mu.Lock()
		defer mu.Unlock()
		if fails > 0 {
			fails--
			return broken
		}
		for _, r := range records {
			facts[string(r.Key)]++
		}
		return nil
	}
	const people = 50
	var workers errgroup.Group
	for range 16 {
		workers.Go(func() error {
			out := &Batch{}
			for i := range people {
				upn := fmt.Sprintf("user%d@contoso.com", i)
				out.Links = append(out.Links, Link{User: key.Pseudonym(upnPrefix + upn), Actor: normalise.Actor{Type: schemas.ActorPerson, UPN: upn}})
			}
			for {
				if _, err := e.tell(t.Context(), out, produce); !errors.Is(err, broken) {
					return err
				}
			}
		})
	}
	if err := workers.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(facts) != people {
		t.Errorf("%d facts", len(facts))
	}
	for fact, times := range facts {
		if times != 1 {
			t.Errorf("%s is told %d times", fact, times)
		}
	}
	// Whoever waits for a turn gives up when the time of its batch is up.
	e.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stranger := &Batch{Links: []Link{{User: key.Pseudonym(adaKey), Actor: normalise.Actor{Type: schemas.ActorPerson, UPN: "ada@contoso.com"}}}}
	if _, err := e.tell(ctx, stranger, produce); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting: %v", err)
	}
}
