package sink

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/riskpipe/riskpipe/schemas"
)

// An erasure takes a user's rows from before it, and theirs alone; what comes behind it stays. Who
// reads the topics again from the beginning ends up with the same.
func TestSink_forgets(t *testing.T) {
	w := newWorld(t)
	db := w.config.Database
	// Deleting is a kind of merge.
	if err := w.conn.Exec(t.Context(), "SYSTEM START MERGES "+db+".activity"); err != nil {
		t.Fatal(err)
	}
	other := schemas.Pseudonym{0xee}
	topics := w.config.Topics
	events := manyEvents(30)
	for i := range events {
		events[i].User = somebody
		if i%3 == 0 {
			events[i].User = other
		}
	}
	alert, foreign := fullAlert(1), fullAlert(2)
	foreign.User, foreign.ID = other, schemas.UUID{9}
	risk, theirs := fullRisk(0), fullRisk(1)
	theirs.User = other
	// Blocks behind the erasure are the same when they are read again, so that ClickHouse knows them.
	w.config.BatchRows = 1
	w.publishEvents(events[:20]...)
	w.publish(topics.Alerts(), alert.User, encode(t, w.alerts, alert))
	w.publish(topics.Alerts(), other, encode(t, w.alerts, foreign))
	w.publish(topics.Risk(), risk.User, encode(t, w.risks, risk))
	w.publish(topics.Risk(), other, encode(t, w.risks, theirs))
	for _, topic := range []string{topics.Events(), topics.Alerts(), topics.Risk()} {
		w.publish(topic, somebody, nil)
	}
	w.publishEvents(events[20:]...)
	left := func() {
		t.Helper()
		w.waitFor(10, "SELECT count() FROM "+db+".activity FINAL WHERE user = '"+other.String()+"'")
		w.waitFor(7, "SELECT count() FROM "+db+".activity FINAL WHERE user = '"+somebody.String()+"'")
		for _, table := range []string{"alerts", "alert_history", "risk"} {
			w.waitFor(1, "SELECT count() FROM "+db+"."+table+" FINAL")
			w.waitFor(1, "SELECT count() FROM "+db+"."+table+" FINAL WHERE user = '"+other.String()+"'")
		}
	}
	stop := w.run(w.conn)
	w.waitForCommits()
	left()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	w.config.Group += "-again"
	w.run(w.conn)
	w.waitForCommits()
	left()
}

// A record without a value whose key is nobody's is set aside.
func TestSink_forgetsNobody(t *testing.T) {
	w := newWorld(t)
	w.publishKeyed(w.config.Topics.Events(), "ada@contoso.example", noon.UTC(), nil)
	w.run(w.conn)
	w.waitForCommits()
	letters := 0
	reader, err := kgo.NewClient(kgo.SeedBrokers(w.seeds...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeTopics(w.config.Topics.DeadLetter(w.config.Topics.Events())))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	for letters == 0 && ctx.Err() == nil {
		letters += len(reader.PollFetches(ctx).Records())
	}
	if letters != 1 {
		t.Errorf("%d dead letters", letters)
	}
}
