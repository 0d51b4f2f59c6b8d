package sink

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// partition is an assigned partition, with the records that wait to be written.
type partition struct {
	topic   string
	id      int32
	records []*kgo.Record
	bytes   int
	since   time.Time // when the first of records was read
	// announced is the range that a commit says is being written: the next block must be it,
	// since it may stand in ClickHouse already. None is zero.
	announced span
	forgets   bool // a record without a value tells to forget its user
	// erased is drawn for every erasure that was written. When a partition is read again from before
	// one, blocks behind it were seen by ClickHouse and their rows deleted: they must be written again.
	erased    string
	end       int64 // the partition's high watermark, as last heard
	committed int64 // next offset to be read by who continues here; -1 when not known
	// failures counts the attempts at the next block so far. Until it is written, no more is read.
	failures int
	retryAt  time.Time
}

// span is a range of offsets, both ends included. No range ends at 0 and begins after it, so the
// zero span is told by set.
type span struct {
	first, last int64
	set         bool
}

// waitForAnnounced bounds how long a partition waits for the rest of its announced range, which
// compaction or retention may have removed.
const waitForAnnounced = 10 * time.Second

// continues takes up where the last owner committed, and what it announced there.
func (p *partition) continues(committed int64, metadata string) {
	p.committed = committed
	p.announced = announcedSpan(metadata, committed)
}

func (p *partition) add(r *kgo.Record, now time.Time) {
	if len(p.records) == 0 {
		p.since = now
	}
	p.records = append(p.records, r)
	p.bytes += size(r)
}

// size is what a record holds in memory, roughly.
func size(r *kgo.Record) int { return len(r.Key) + len(r.Value) + 200 }

// dueIn is how long the partition's next block can wait, or has to after a failure: 0 when it is complete,
// and for ever (negative) when there is nothing to write.
func (p *partition) dueIn(c *Config, now time.Time) time.Duration {
	if len(p.records) == 0 {
		return -1
	}
	if p.failures > 0 {
		return max(0, p.retryAt.Sub(now))
	}
	wait := c.FlushInterval
	if p.announced.set {
		if p.complete() {
			return 0
		}
		wait = waitForAnnounced
	} else if len(p.records) >= c.BatchRows || p.bytes >= c.BatchBytes {
		return 0
	}
	return max(0, wait-now.Sub(p.since))
}

// complete says whether all that is left of the announced range was read.
func (p *partition) complete() bool {
	return len(p.records) > 0 && p.records[len(p.records)-1].Offset >= p.announced.last
}

// erasure says whether the record tells to forget a user.
func (p *partition) erasure(r *kgo.Record) bool { return p.forgets && r.Value == nil }

// next cuts the next block off, without taking its records away. There must be records.
//
// An erasure ends its block: all that the block holds of the user lies before it then, so that
// writing the block and deleting the user's rows can be repeated in that order.
func (p *partition) next(c *Config) block {
	if p.announced.set && p.records[0].Offset > p.announced.last {
		p.announced = span{} // nothing is left of it
	}
	n, bytes := 0, 0
	for n < len(p.records) {
		r := p.records[n]
		if p.announced.set {
			if r.Offset > p.announced.last {
				break
			}
		} else if n > 0 && (n >= c.BatchRows || bytes+size(r) > c.BatchBytes) {
			break
		}
		bytes += size(r)
		n++
		if p.erasure(r) {
			break
		}
	}
	b := block{partition: p, records: p.records[:n:n], bytes: bytes}
	b.span = span{first: p.records[0].Offset, last: p.records[n-1].Offset, set: true}
	whole := n == len(p.records) || p.records[n].Offset > p.announced.last
	if p.announced.set && p.complete() && whole {
		b.span.last = p.announced.last // the record itself may have been compacted away
	}
	return b
}

// failed makes the partition's block wait, the longer the more often it failed.
func (p *partition) failed(c *Config, now time.Time) {
	p.retryAt = now.Add(backoff(p.failures, c.RetryMax))
	p.failures++
}

// done takes the records of a block away, once they are written and committed.
func (p *partition) done(b block, now time.Time) {
	if p.erasure(b.records[len(b.records)-1]) {
		p.erased = "/" + rand.Text()
	}
	rest := copy(p.records, p.records[len(b.records):])
	clear(p.records[rest:])
	p.records = p.records[:rest]
	p.bytes -= b.bytes
	p.since = now
	p.announced = span{}
	p.committed = b.span.last + 1
	p.failures = 0
}

// block is a contiguous range of one partition: what one insert writes.
type block struct {
	partition *partition
	records   []*kgo.Record
	bytes     int
	span      span
}

// token names the block for ClickHouse, which leaves out a block whose token it has seen. The
// times tell blocks apart when a topic was made anew and its offsets began again.
func (b block) token() string {
	return fmt.Sprintf("%s/%d/%d-%d/%d-%d%s", b.partition.topic, b.partition.id, b.span.first, b.span.last,
		b.records[0].Timestamp.UnixMilli(), b.records[len(b.records)-1].Timestamp.UnixMilli(), b.partition.erased)
}

// announcement is the metadata of a commit that comes before a write.
type announcement struct {
	Pending [2]int64 `json:"pending"`
}

func (s span) metadata() string {
	return fmt.Sprintf(`{"pending":[%d,%d]}`, s.first, s.last)
}

// announcedSpan reads metadata. It is none of ours, or of no use, when it does not begin at the
// committed offset.
func announcedSpan(metadata string, committed int64) span {
	var a announcement
	if json.Unmarshal([]byte(metadata), &a) != nil || a.Pending[0] != committed || a.Pending[1] < a.Pending[0] {
		return span{}
	}
	return span{first: a.Pending[0], last: a.Pending[1], set: true}
}
