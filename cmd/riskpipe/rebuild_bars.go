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

// barStart is when and where a partition was seen to begin to move.
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
	for _, bar := range bars {
		if _, found := b.began[bar.partition]; !found {
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

// plain sums the partitions up; the one that takes longest is the estimate.
func (b *partitionBars) plain(bars []partitionBar) {
	var done, total int64
	ready := 0
	slowest := ""
	var longest time.Duration
	for _, bar := range bars {
		done, total = done+bar.done, total+bar.total
		if bar.done >= bar.total {
			ready++
		} else if left, known := b.left(bar); known && left > longest {
			longest, slowest = left, b.remaining(bar)
		}
	}
	what := fmt.Sprintf("%d of %d partitions are done", ready, len(bars))
	if len(bars) == 1 {
		what = fmt.Sprintf("partition %d", bars[0].partition)
	}
	fmt.Fprintln(b.w, strings.TrimSpace(fmt.Sprintf("%s: %d of %d records, %s %s", b.name, done, total, what, slowest)))
}

// left estimates by the rate since the partition was seen first.
func (b *partitionBars) left(bar partitionBar) (time.Duration, bool) {
	start := b.began[bar.partition]
	moved := bar.done - start.done
	if moved <= 0 {
		return 0, false
	}
	elapsed := b.now().Sub(start.at)
	return time.Duration(float64(elapsed) * float64(bar.total-bar.done) / float64(moved)), true
}

func (b *partitionBars) remaining(bar partitionBar) string {
	left, known := b.left(bar)
	if !known {
		return ""
	}
	return "ETA " + left.Round(time.Second).String()
}

func (b *partitionBars) erase() {
	if b.drawn > 0 {
		fmt.Fprintf(b.w, "\x1b[%dA\x1b[J", b.drawn)
		b.drawn = 0
	}
}

// done takes the bars off the terminal.
func (b *partitionBars) done() { b.erase() }
