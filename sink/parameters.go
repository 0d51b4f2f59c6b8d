package sink

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// WithParameters gives the values of {name:Type} in the queries that are run
// with the returned context.
func WithParameters(ctx context.Context, values map[string]string) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithParameters(values))
}
