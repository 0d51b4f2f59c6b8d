package pipeline

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

// normaliserWorker normalises one partition of a raw topic.
type normaliserWorker struct {
	service *Normaliser
	mapper  Mapper
	next    int64 // behind the last record that is done with
}

// claim has nothing to claim: the position is Kafka's commit, and what a
// predecessor still writes has the same ids as what is written here.
func (w *normaliserWorker) claim(context.Context, func(int64) error) (int64, error) {
	return w.next, nil
}

func (w *normaliserWorker) drop() {}

func (w *normaliserWorker) process(ctx context.Context, records []*kgo.Record) (int64, error) {
	w.next = records[0].Offset
	for len(records) > 0 && ctx.Err() == nil {
		chunk := w.chunk(records)
		if err := w.service.normalise(ctx, w.mapper, records[:chunk]); err != nil {
			return w.next, err
		}
		w.next = records[chunk-1].Offset + 1
		records = records[chunk:]
	}
	return w.next, nil
}

// chunk is how many of the records make one batch: at least one.
func (w *normaliserWorker) chunk(records []*kgo.Record) int {
	size := 0
	for i, r := range records {
		size += len(r.Value)
		if i > 0 && (i == w.service.config.BatchRecords || size > w.service.config.BatchBytes) {
			return i
		}
	}
	return len(records)
}
