package sink

import (
	"fmt"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// A change of risk that a scorer without its partition wrote late, behind newer ones, is history and nothing else:
// wherever it stands on the topic, and also when it is of the same event time or by the same event.
func TestSink_staleRisk(t *testing.T) {
	ahead, corrected := fullRisk(0), fullRisk(1) // at one time, by different events
	corrected.Time = ahead.Time
	again := fullRisk(2) // by the same event as the one before it, published again with other content
	again.Time, again.Cause = corrected.Time, corrected.Cause
	later := fullRisk(3)
	uncounted := fullRisk(4) // from before changes were counted
	uncounted.Time, uncounted.Sequence = ahead.Time, 0
	anew := fullRisk(5) // of a state that was made anew from a log whose beginning is gone
	anew.Sequence = 1
	tests := []struct {
		name   string
		topic  []schemas.Risk
		latest schemas.Risk
	}{
		{"in order", []schemas.Risk{ahead, corrected}, corrected},
		{"stale of the same time", []schemas.Risk{ahead, corrected, ahead}, corrected},
		{"stale by the same event", []schemas.Risk{ahead, corrected, again, corrected}, again},
		{"stale of an earlier time", []schemas.Risk{ahead, corrected, later, corrected, ahead}, later},
		{"stale and not counted", []schemas.Risk{uncounted, ahead, uncounted}, ahead},
		{"counted anew", []schemas.Risk{later, anew, later}, anew},
	}
	w := newWorld(t)
	w.config.BatchRows = 1 // a stale row comes in an insert of its own
	for i, tt := range tests {
		for _, r := range tt.topic {
			r.User = schemas.Pseudonym{byte(i + 1)}
			w.publish(w.config.Topics.Risk(), r.User, encode(t, w.risks, r))
		}
	}
	w.run(w.conn)
	w.waitForCommits()
	for i, tt := range tests {
		newest, different := tt.topic[0], map[int64]bool{}
		for _, r := range tt.topic {
			different[r.Sequence] = true
			if r.Newer(&newest) {
				newest = r
			}
		}
		if newest.Sequence != tt.latest.Sequence {
			t.Errorf("%s: readers of the topic keep %+v", tt.name, newest)
		}
		of := " WHERE user = '" + schemas.Pseudonym{byte(i + 1)}.String() + "'"
		if n := count(t, w.conn, "SELECT count() FROM "+w.config.Database+".soc_risk_history"+of); n != uint64(len(different)) {
			t.Errorf("%s: %d changes in the history, want %d", tt.name, n, len(different))
		}
		want := fmt.Sprintf("%d %d %d", tt.latest.Score, tt.latest.Sequence, len(different))
		if got := text(t, w.conn, "SELECT concat(toString(toUInt64(score * 1000)), ' ', toString(sequence), ' ', toString(changes)) FROM "+
			w.config.Database+".soc_user_risk"+of); got != want {
			t.Errorf("%s: score, sequence and changes are %s, want %s", tt.name, got, want)
		}
	}
}
