package pipeline

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/twmb/franz-go/pkg/kadm"
)

// Who takes over from one that was killed between storing a batch and committing
// its offset tells Kafka how far the states are, though no record comes any more:
// else a lag would be shown for ever.
func TestScorer_tellsWhereItStarts(t *testing.T) {
	t.Parallel()
	_, reach := newCluster(t)
	states := openRedis(t, miniredis.RunT(t).Addr()).States("1")
	produceEvents(t, reach, rand.New(rand.NewPCG(3, 4)), 0, 200)
	first := start(t, newTestScorer(t, reach, states).Run)
	eventually(t, func() error { return scoredAll(t, reach, states) })
	first.end(t)

	const group = "riskpipe-score"
	admin := kadm.NewClient(newClient(t, reach))
	var before kadm.Offsets
	for partition := range int32(testPartitions) {
		before.AddOffset("events", partition, 1, -1)
	}
	if err := admin.CommitAllOffsets(t.Context(), group, before); err != nil {
		t.Fatal(err)
	}
	second := start(t, newTestScorer(t, reach, states).Run)
	eventually(t, func() error {
		lags, err := admin.Lag(t.Context(), group)
		if err != nil {
			return err
		}
		lag := lags[group]
		if err := lag.Error(); err != nil {
			return err
		}
		if n := lag.Lag.Total(); n != 0 {
			return fmt.Errorf("the group seems to be %d records behind", n)
		}
		return nil
	})
	second.end(t)
}
