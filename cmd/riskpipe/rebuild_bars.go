package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/riskpipe/riskpipe/pipeline"
)

// partitionBars shows how far partitions are: a bar for each that is not done on
// a terminal, one plain line for all of them every few seconds elsewhere.
type partitionBars struct {
	w        io.Writer
	name     string
	terminal bool
	drawn    int // lines that stand on the terminal
	told     time.Time
	began    map[int32]barStart
	now      func() time.Time
}

// barStart is when and where a partition stood last before it moved.
type barStart struct {
	at   time.Time
	done int64
}

// partitionBar is one partition of those shown.
type partitionBar struct {
	partition   int32
	done, total int64
	note        string
}

const (
	barsShown = 16 // on one screen; the others follow as these are done
	barWidth  = 24
	barsEvery = 100 * time.Millisecond
)

func newPartitionBars(w io.Writer, name string) *partitionBars {
	return &partitionBars{w: w, name: name, terminal: isTerminal(w), told: time.Now(), began: map[int32]barStart{}, now: time.Now}
}

// rebuild shows a rebuild's progress.
func (b *partitionBars) rebuild(all []pipeline.RebuildProgress) {
	bars := make([]partitionBar, len(all))
	for i, p := range all {
		bars[i] = partitionBar{partition: p.Partition, done: min(max(p.Next, p.Start), p.End) - p.Start, total: p.End - p.Start}
		if !p.Here && !p.Done() {
			bars[i].note = "by a scorer"
		}
	}
	b.show(bars)
}

// verify shows the one partition that is being verified.
func (b *partitionBars) verify(partition int32, folded, total int64) {
	b.show([]partitionBar{{partition: partition, done: folded, total: total}})
}

func (b *partitionBars) show(bars []partitionBar) {
	every := plainEvery
	if b.terminal {
		every = barsEvery
	}
	now := b.now()
	for _, bar := range append(bars, sumOf(bars)) {
		if start, found := b.began[bar.partition]; !found || bar.done == start.done {
			b.began[bar.partition] = barStart{now, bar.done}
		}
	}
	if now.Sub(b.told) < every {
		return
	}
	b.told = now
	if !b.terminal {
		b.plain(bars)
		return
	}
	b.erase()
	lines, left := 0, 0
	for _, bar := range bars {
		switch {
		case bar.done >= bar.total:
		case lines < barsShown:
			filled := int(bar.done * barWidth / bar.total)
			fmt.Fprintf(b.w, "%s partition %-4d [%s%s] %3d%%  %d of %d  %s %s\n", b.name, bar.partition, strings.Repeat("#", filled),
				strings.Repeat(" ", barWidth-filled), 100*bar.done/bar.total, bar.done, bar.total, b.remaining(bar), bar.note)
			lines++
		default:
			left++
		}
	}
	if left > 0 {
		fmt.Fprintf(b.w, "and %d more partitions\n", left)
		lines++
	}
	b.drawn = lines
}

// plain sums the partitions up.
func (b *partitionBars) plain(bars []partitionBar) {
	all := sumOf(bars)
	what := fmt.Sprintf("partition %d", all.partition)
	if len(bars) != 1 {
		ready := 0
		for _, bar := range bars {
			if bar.done >= bar.total {
				ready++
			}
		}
		what = fmt.Sprintf("%d of %d partitions are done", ready, len(bars))
	}
	fmt.Fprintln(b.w, strings.TrimSpace(fmt.Sprintf("%s: %d of %d records, %s %s", b.name, all.done, all.total, what, b.remaining(all))))
}

// allPartitions stands for their sum.
const allPartitions = -1

// sumOf is the one partition, or the sum of several.
func sumOf(bars []partitionBar) partitionBar {
	if len(bars) == 1 {
		return bars[0]
	}
	all := partitionBar{partition: allPartitions}
	for _, bar := range bars {
		all.done, all.total = all.done+bar.done, all.total+bar.total
	}
	return all
}

// remaining estimates by the rate since the partition began to move.
func (b *partitionBars) remaining(bar partitionBar) string {
	start := b.began[bar.partition]
	moved := bar.done - start.done
	if moved <= 0 {
		return ""
	}
	left := float64(b.now().Sub(start.at)) * float64(bar.total-bar.done) / float64(moved)
	return "ETA " + time.Duration(left).Round(time.Second).String()
}

func (b *partitionBars) erase() {
	if b.drawn > 0 {
		fmt.Fprintf(b.w, "\x1b[%dA\x1b[J", b.drawn)
		b.drawn = 0
	}
}

// done takes the bars off the terminal.
func (b *partitionBars) done() { b.erase() }
