package schemas

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/twmb/avro"
	"pgregory.net/rapid"
)

// byLibrary decodes as the codec does where there is no direct reading.
func byLibrary(t testing.TB) *Codec[Event] {
	t.Helper()
	c := codec[Event](t, EventSchema)
	c.directRead = nil
	return c
}

// lent returns an event with a body, a list and a boolean of every kind, all full.
func lent() Event {
	full := func() []string { return []string{"of", "before"} }
	return Event{
		Activity: "before", Groups: full(), Marks: full(), Evidence: []byte("before"), Device: &Device{OS: "before", Managed: new(true)},
		SourceIP: &SourceIP{Country: "before"}, Destination: &Destination{Class: "before"}, SignIn: &SignIn{RiskTypes: full()},
		Email: &Email{Extensions: full(), AttachmentNames: []Hash{7, 8}}, File: &File{SensitiveTypes: full()},
		Detection: &Detection{Techniques: full(), SensitiveTypes: full()}, HR: &HR{Active: new(true)}, Health: &Health{Record: 9},
	}
}

// readsAlike decodes b in each way by the codec and by the library. They accept the
// same, make the same of it, and give the same errors.
func readsAlike(t interface {
	Helper()
	Fatalf(string, ...any)
}, c, library *Codec[Event], b []byte,
) {
	t.Helper()
	before := bytes.Clone(b)
	for _, way := range []struct {
		name   string
		decode func(c *Codec[Event], v *Event) error
		into   func() Event
	}{
		{"Decode", func(c *Codec[Event], v *Event) error { return c.Decode(b, v) }, lent},
		{"DecodeShared", func(c *Codec[Event], v *Event) error { return c.DecodeShared(b, v) }, lent},
		{"DecodeShared into nothing", func(c *Codec[Event], v *Event) error { return c.DecodeShared(b, v) }, func() Event { return Event{} }},
	} {
		want, got := way.into(), way.into()
		wantErr, err := way.decode(library, &want), way.decode(c, &got)
		if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Fatalf("%s of %x: the error is %v, and the library's %v", way.name, b, err, wantErr)
		}
		if err == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("%s of %x:\ngot  %+v\nwant %+v", way.name, b, got, want)
		}
	}
	if !bytes.Equal(b, before) {
		t.Fatalf("%x was written to", before)
	}
}

func drawEvent(t *rapid.T) (e Event) {
	fill(t, reflect.ValueOf(&e).Elem(), "event")
	e.Source = rapid.SampledFrom(sourceSymbols).Draw(t, "source")
	e.ActorType = rapid.SampledFrom(actorTypeSymbols).Draw(t, "actor type")
	e.Outcome = rapid.SampledFrom(outcomeSymbols).Draw(t, "outcome")
	return e
}

// Whatever is in an event, it is read without the library, and as the library does.
func TestReadEvent(t *testing.T) {
	c, library := codec[Event](t, EventSchema), byLibrary(t)
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		body, err := c.schema.AppendEncode(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		if !readEvent(body, new(Event)) {
			t.Fatalf("%x was refused", body)
		}
		readsAlike(t, c, library, append(bytes.Clone(c.header), body...))
	})
}

// A record that is cut anywhere, or goes on behind its end, is refused with the library's words.
func TestReadEvent_length(t *testing.T) {
	c, library := codec[Event](t, EventSchema), byLibrary(t)
	for _, e := range []Event{fileEvent(), signInEvent(), markedEvent(), emailEvent(), healthEvent(), employeeEvent()} {
		sound, err := c.Append(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		for n := range sound {
			if err := c.Decode(sound[:n], new(Event)); !errors.Is(err, ErrMalformed) {
				t.Fatalf("%d of %d bytes: %v", n, len(sound), err)
			}
			readsAlike(t, c, library, sound[:n])
		}
		for _, behind := range [][]byte{{0}, {2}, {0xFF}, sound} {
			long := append(bytes.Clone(sound), behind...)
			if err := c.Decode(long, new(Event)); !errors.Is(err, ErrMalformed) {
				t.Fatalf("with %x behind: %v", behind, err)
			}
			readsAlike(t, c, library, long)
		}
	}
}

// What writers may spell otherwise than riskpipe does is read all the same: blocks of arrays,
// with their sizes or without, and numbers with more bytes than they need.
func TestReadEvent_spellings(t *testing.T) {
	c, library := codec[Event](t, EventSchema), byLibrary(t)
	long := func(n int64) []byte { return appendLong(nil, n) }
	text := func(s string) []byte { return appendText(nil, s) }
	const most, least = 1<<63 - 1, -1 << 63
	minus := func(n int64) []byte { return long(-n) }
	for name, spelt := range map[string]struct {
		groups, device []byte // an array of strings; a union of null and Device
		accepted       bool
	}{
		"none":                         {groups: long(0), device: long(0), accepted: true},
		"blocks":                       {groups: join(long(1), text("a"), long(2), text("b"), text(""), long(0)), device: long(0), accepted: true},
		"a block with its size":        {groups: join(minus(2), long(4), text("a"), text("b"), long(0)), device: long(0), accepted: true},
		"a block with a wrong size":    {groups: join(minus(1), long(most), text("a"), long(0)), device: long(0), accepted: true},
		"a block with a negative size": {groups: join(minus(1), long(-5), text("a"), long(0)), device: long(0), accepted: true},
		"a size without a block":       {groups: join(minus(1), long(0)), device: long(0)},
		"a huge block":                 {groups: join(long(most), text("a"), long(0)), device: long(0)},
		"a huge block with its size":   {groups: join(minus(most), long(1), text("a"), long(0)), device: long(0)},
		"the least number":             {groups: join(long(least), long(1), text("a"), long(0)), device: long(0)},
		"a huge text":                  {groups: join(long(1), long(most), text("a"), long(0)), device: long(0)},
		"a negative text":              {groups: join(long(1), long(-1), long(0)), device: long(0)},
		"a long zero":                  {groups: []byte{0x80, 0x80, 0x00}, device: long(0), accepted: true},
		"a long null":                  {groups: long(0), device: []byte{0x80, 0x00}, accepted: true},
		"a long branch":                {groups: long(0), device: join([]byte{0x82, 0x00}, long(5), text("os"), long(1), []byte{7}), accepted: true},
		"a branch of five bytes":       {groups: long(0), device: []byte{0x80, 0x80, 0x80, 0x80, 0x00}, accepted: true},
		"a branch of six bytes":        {groups: long(0), device: []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x00}},
		"another branch":               {groups: long(0), device: long(2)},
		"a negative branch":            {groups: long(0), device: long(-1)},
		"a number of eleven bytes":     {groups: append(bytes.Repeat([]byte{0x80}, 10), 0), device: long(0)},
		"a number over 64 bits":        {groups: append(bytes.Repeat([]byte{0x80}, 9), 2), device: long(0)},
	} {
		t.Run(name, func(t *testing.T) {
			e := Event{Source: SourceHR, ActorType: ActorPerson, Outcome: OutcomeSuccess, KeyVersion: 1}
			b := slices.Clone(c.header)
			b = append(b, e.ID[:]...)
			b = append(b, join(long(5), text(""), text(""), long(0), long(0), e.User[:], long(1), long(1), long(1))...)
			b = append(b, join(spelt.device, long(0), long(0))...)                   // source_ip, destination
			b = append(b, join(text(""), long(0), long(0), long(0))...)              // origin
			b = append(b, join(long(0), text(""), spelt.groups, make([]byte, 7))...) // evidence, evidence_key; the rest
			if err := library.Decode(b, &e); (err == nil) != spelt.accepted {
				t.Errorf("the library says %v", err)
			}
			readsAlike(t, c, library, b)
		})
	}
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// Numbers that do not fit, or are too long for their type, symbols that there are not, and whatever stands for true.
func TestReadEvent_bounds(t *testing.T) {
	c, library := codec[Event](t, EventSchema), byLibrary(t)
	e := fileEvent()
	sound, err := c.Append(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	for at := len(c.header); at < len(sound); at++ {
		for _, with := range [][]byte{
			{0},
			{1},
			{2},
			{3},
			{7},
			{12},
			{0x7F},
			{0x80},
			{0xFF},
			appendLong(nil, 1<<31), appendLong(nil, -1<<31-1), appendLong(nil, -1<<31), appendLong(nil, 1<<62),
			{0x82, 0x80, 0x80, 0x80, 0},
			{0x82, 0x80, 0x80, 0x80, 0x80, 0}, // 1 in five bytes, of which an int has no more
		} {
			readsAlike(t, c, library, join(sound[:at], with, sound[at+1:]))
		}
	}
}

// What Decode returns is the caller's; what DecodeShared returns lies in the record.
func TestReadEvent_memory(t *testing.T) {
	c := codec[Event](t, EventSchema)
	e := markedEvent()
	b, err := c.Append(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	var own, shared Event
	if err := errors.Join(c.Decode(b, &own), c.DecodeShared(b, &shared)); err != nil {
		t.Fatal(err)
	}
	clear(b)
	if d := diff(e, own); d != "" {
		t.Errorf("changed with the record (-want +got):\n%s", d)
	}
	if shared.Activity == e.Activity || bytes.Equal(shared.Evidence, e.Evidence) || shared.Groups[0] == e.Groups[0] {
		t.Error("did not change with the record")
	}
	_ = append(own.Evidence, "over what lies behind"...)
	if d := diff(e, own); d != "" {
		t.Errorf("evidence has room that is not its own (-want +got):\n%s", d)
	}
}

func TestReadEvent_allocations(t *testing.T) {
	c := codec[Event](t, EventSchema)
	for _, e := range []Event{fileEvent(), signInEvent(), markedEvent(), emailEvent(), healthEvent(), employeeEvent()} {
		b, err := c.Append(nil, &e)
		if err != nil {
			t.Fatal(err)
		}
		into, bodies := lent(), lent()
		managed, active := bodies.Device.Managed, bodies.HR.Active
		if n := testing.AllocsPerRun(100, func() {
			into.Device, into.SourceIP, into.Destination, into.SignIn = bodies.Device, bodies.SourceIP, bodies.Destination, bodies.SignIn
			into.Email, into.File, into.HR, into.Health = bodies.Email, bodies.File, bodies.HR, bodies.Health
			into.Device.Managed, into.HR.Active = managed, active
			if err := c.DecodeShared(b, &into); err != nil {
				t.Fatal(err)
			}
		}); n > 0 {
			t.Errorf("%s: %v allocations", e.Activity, n)
		}
	}
}

// A hostile record makes nothing larger than some multiple of itself.
func TestReadEvent_hostileLengths(t *testing.T) {
	for _, n := range []int64{1 << 62, 1 << 40, 1000, -1 << 62} {
		c := &cursor{b: append(appendLong(nil, n), make([]byte, 100)...)}
		if list := c.texts(nil); !c.refused || cap(list) > 0 {
			t.Errorf("%d texts in 100 bytes: room for %d", n, cap(list))
		}
		c = &cursor{b: append(appendLong(nil, n), make([]byte, 100)...)}
		if list := c.hashes(nil); !c.refused || cap(list) > 0 {
			t.Errorf("%d hashes in 100 bytes: room for %d", n, cap(list))
		}
	}
}

// What an equal schema wrote is read directly, under whichever header; what another wrote is not.
func TestCodec_directly(t *testing.T) {
	c := codec[Event](t, EventSchema)
	texts := map[uint32]string{1: EventSchema, 2: string(avro.MustParse(EventSchema).Canonical())}
	older, err := released(c.schema)
	if err != nil {
		t.Fatal(err)
	}
	texts[3] = older[0]
	c.lookup = func(id uint32) (string, error) { return texts[id], nil }
	reads := 0
	c.directRead = func(b []byte, v *Event) bool {
		reads++
		return readEvent(b, v)
	}
	e := fileEvent()
	current, err := c.Append(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	old, err := codec[Event](t, older[0]).Append(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	registered := func(id byte, b []byte) []byte { return join([]byte{0, 0, 0, 0, id}, b[len(c.header):]) }
	for _, test := range []struct {
		name   string
		b      []byte
		direct bool
	}{
		{"fingerprint in force", current, true},
		{"released fingerprint", old, false},
		{"registered schema in force", registered(1, current), true},
		{"the same without its docs", registered(2, current), true},
		{"a registered older schema", registered(3, old), false},
	} {
		reads = 0
		var got Event
		if err := c.Decode(test.b, &got); err != nil || got.ID != e.ID || got.File == nil || (reads > 0) != test.direct {
			t.Errorf("%s: read directly %d times (%v)", test.name, reads, err)
		}
	}
}

// Whatever the bytes, the direct reading is the library's.
func FuzzReadEvent(f *testing.F) {
	c, library := codec[Event](f, EventSchema), byLibrary(f)
	for _, e := range []Event{fileEvent(), signInEvent(), markedEvent(), emailEvent(), healthEvent(), employeeEvent(), {Source: SourceHR, ActorType: ActorPerson, Outcome: OutcomeSuccess}} {
		b, err := c.Append(nil, &e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[len(c.header):])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		readsAlike(t, c, library, join(c.header, body))
	})
}
