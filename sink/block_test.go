package sink

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// However records arrive, with whatever gaps, and wherever a writer crashes: blocks follow each
// other without gap or overlap, and one that was announced is formed again exactly.
func TestPartition_blocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := Config{
			BatchRows:  rapid.IntRange(1, 20).Draw(t, "rows"),
			BatchBytes: rapid.IntRange(1, 6000).Draw(t, "bytes"),
		}.withDefaults()
		var log []*kgo.Record
		offset := int64(0)
		for range rapid.IntRange(1, 100).Draw(t, "records") {
			offset += rapid.Int64Range(1, 3).Draw(t, "gap")
			r := &kgo.Record{Offset: offset, Value: make([]byte, rapid.IntRange(0, 500).Draw(t, "size"))}
			if rapid.IntRange(0, 9).Draw(t, "erasure") == 0 {
				r.Value = nil
			}
			log = append(log, r)
		}
		now := time.Unix(0, 0)
		written := 0 // records of the log that stand in blocks
		p := &partition{topic: "events", committed: -1, forgets: true}
		read := 0
		for written < len(log) {
			for n := rapid.IntRange(0, 30).Draw(t, "poll"); n > 0 && read < len(log); n-- {
				p.add(log[read], now)
				read++
			}
			if len(p.records) == 0 || p.announced.set && !p.complete() {
				continue
			}
			b := p.next(&config)
			if len(b.records) == 0 || b.records[0] != log[written] || b.records[len(b.records)-1] != log[written+len(b.records)-1] {
				t.Fatalf("block %+v does not follow", b.span)
			}
			if len(b.records) > config.BatchRows {
				t.Fatalf("%d rows", len(b.records))
			}
			for _, r := range b.records[:len(b.records)-1] {
				if r.Value == nil {
					t.Fatal("a block goes on behind an erasure")
				}
			}
			if rapid.Bool().Draw(t, "crash") {
				// Another owner begins at the committed offset, knows the announcement, and reads anew.
				p.erased = "" // of this owner alone
				metadata, token := b.span.metadata(), b.token()
				p = &partition{topic: "events", forgets: true, committed: b.span.first, announced: announcedSpan(metadata, b.span.first)}
				for _, r := range log[written:] {
					p.add(r, now)
					if p.complete() && rapid.Bool().Draw(t, "enough") {
						break
					}
				}
				read = written + len(p.records)
				if b = p.next(&config); b.token() != token {
					t.Fatalf("%s became %s", token, b.token())
				}
			}
			written += len(b.records)
			p.done(b, now)
			if p.committed != b.span.last+1 || len(p.records) != read-written {
				t.Fatalf("after block %+v: %d records, committed %d", b.span, len(p.records), p.committed)
			}
			bytes := 0
			for _, r := range p.records {
				bytes += size(r)
			}
			if p.bytes != bytes {
				t.Fatalf("%d bytes are counted, %d wait", p.bytes, bytes)
			}
		}
	})
}

// When part of an announced range is gone and the rest does not come, what is there is written, and
// no offset that was not read is passed over.
func TestPartition_announcedIncomplete(t *testing.T) {
	config := Config{}.withDefaults()
	now := time.Unix(0, 0)
	p := &partition{announced: span{first: 5, last: 9, set: true}}
	if p.dueIn(&config, now) >= 0 {
		t.Error("nothing to write, and due")
	}
	p.add(&kgo.Record{Offset: 5}, now)
	p.add(&kgo.Record{Offset: 7}, now)
	if d := p.dueIn(&config, now.Add(config.FlushInterval)); d <= 0 {
		t.Errorf("due in %v", d)
	}
	if d := p.dueIn(&config, now.Add(waitForAnnounced)); d != 0 {
		t.Errorf("due in %v", d)
	}
	if b := p.next(&config); b.span != (span{first: 5, last: 7, set: true}) {
		t.Errorf("%+v", b.span)
	}
	// The end of the range was compacted away: what comes behind it proves that.
	p.add(&kgo.Record{Offset: 10}, now)
	if b := p.next(&config); b.span != (span{first: 5, last: 9, set: true}) || len(b.records) != 2 {
		t.Errorf("%+v", b.span)
	}
	// All of it was.
	p = &partition{announced: span{first: 5, last: 9, set: true}}
	p.add(&kgo.Record{Offset: 10}, now)
	if b := p.next(&config); b.span != (span{first: 10, last: 10, set: true}) {
		t.Errorf("%+v", b.span)
	}
}

// Metadata of others, and metadata that does not belong to the commit, announces nothing.
func TestAnnouncedSpan(t *testing.T) {
	for _, tt := range []struct {
		metadata string
		want     span
	}{
		{"", span{}},
		{"kgo-member-1", span{}},
		{"{}", span{}},
		{`{"pending":[7]}`, span{}},
		{`{"pending":[6,9]}`, span{}},
		{`{"pending":[7,6]}`, span{}},
		{`{"pending":[7,7]}`, span{first: 7, last: 7, set: true}},
		{`{"pending":[7,9]}`, span{first: 7, last: 9, set: true}},
	} {
		if got := announcedSpan(tt.metadata, 7); got != tt.want {
			t.Errorf("%s: %+v", tt.metadata, got)
		}
	}
}

// A range that was announced across an erasure is cut behind it all the same, and no record is
// passed over.
func TestPartition_announcedErasure(t *testing.T) {
	config := Config{}.withDefaults()
	now := time.Unix(0, 0)
	p := &partition{forgets: true, announced: span{first: 5, last: 7, set: true}}
	for _, r := range []*kgo.Record{{Offset: 5, Value: []byte("a")}, {Offset: 6}, {Offset: 7, Value: []byte("b")}} {
		p.add(r, now)
	}
	for _, want := range []span{{5, 6, true}, {7, 7, true}} {
		b := p.next(&config)
		if b.span != want {
			t.Fatalf("block %+v, want %+v", b.span, want)
		}
		p.done(b, now)
	}
}
