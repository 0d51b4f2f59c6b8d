package sink

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// Config says what the sink reads and how it cuts blocks. A zero value stands for the default
// named with each field.
type Config struct {
	// Database holds the tables; Migrate makes it. There is no default.
	Database string
	// IdentityDatabase holds sealed identities and evidence keys; Database and _identities.
	IdentityDatabase string
	Topics           schemas.Topics
	// Group is the consumer group; riskpipe-sink.
	Group string

	// A block is written when it has BatchRows rows (50,000), when all waiting records have
	// BatchBytes (64 MiB), or when its oldest record waited FlushInterval (250 ms). Each partition
	// is a block of its own, so partitions / FlushInterval is the most inserts a second that a
	// trickle of records causes. In memory are at most three times BatchBytes and what one poll brings.
	BatchRows     int
	BatchBytes    int
	FlushInterval time.Duration

	// Inserts is how many blocks are written at once; 2.
	Inserts int
	// InsertTimeout bounds one attempt; 30 s. It must stay below the rebalance timeout of 60 s,
	// since a rebalance waits for the attempt.
	InsertTimeout time.Duration
	// RetryMax is the longest wait between attempts while ClickHouse or Kafka do not answer; 30 s.
	RetryMax time.Duration

	// PoisonPercent stops the sink when so many of a block's records (at least 100) are malformed:
	// that is a schema that changed, not a bad record; 50. 100 never stops it.
	PoisonPercent int
}

// maxInsertTimeout leaves time to commit and to leave within kgo's rebalance timeout.
const maxInsertTimeout = 50 * time.Second

// databaseName is what needs no quoting in any statement.
var databaseName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

func (c Config) withDefaults() Config {
	c.IdentityDatabase = IdentityDatabase(c.Database, c.IdentityDatabase)
	c.Group = orDefault(c.Group, "riskpipe-sink")
	c.BatchRows = orDefault(c.BatchRows, 50_000)
	c.BatchBytes = orDefault(c.BatchBytes, 64<<20)
	c.FlushInterval = orDefault(c.FlushInterval, 250*time.Millisecond)
	c.Inserts = orDefault(c.Inserts, 2)
	c.InsertTimeout = orDefault(c.InsertTimeout, 30*time.Second)
	c.RetryMax = orDefault(c.RetryMax, 30*time.Second)
	c.PoisonPercent = orDefault(c.PoisonPercent, 50)
	return c
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// Validate reports everything that is wrong with c, joined.
func (c Config) Validate() error {
	c = c.withDefaults()
	var problems []error
	wrong := func(field string, value any, want string) {
		problems = append(problems, fmt.Errorf("sink.%s is %v: want %s", field, value, want))
	}
	if err := validDatabases(c.Database, c.IdentityDatabase); err != nil {
		problems = append(problems, err)
	}
	if c.BatchRows < 1 || c.BatchRows > 1_000_000 {
		wrong("batch_rows", c.BatchRows, "1 to 1000000")
	}
	if c.BatchBytes < 1<<10 {
		wrong("batch_bytes", c.BatchBytes, "at least 1024")
	}
	if c.FlushInterval < 10*time.Millisecond || c.FlushInterval > time.Minute {
		wrong("flush_interval", c.FlushInterval, "10ms to 1m")
	}
	if c.Inserts < 1 || c.Inserts > 64 {
		wrong("inserts", c.Inserts, "1 to 64")
	}
	if c.InsertTimeout < time.Second || c.InsertTimeout > maxInsertTimeout {
		wrong("insert_timeout", c.InsertTimeout, "1s to "+maxInsertTimeout.String())
	}
	if c.RetryMax < 10*time.Millisecond {
		wrong("retry_max", c.RetryMax, "at least 10ms")
	}
	if c.PoisonPercent < 1 || c.PoisonPercent > 100 {
		wrong("poison_percent", c.PoisonPercent, "1 to 100")
	}
	return errors.Join(problems...)
}

// IdentityDatabase is the name of the database of sealed identities: the one that was
// configured, else that of the other tables and _identities.
func IdentityDatabase(database, configured string) string {
	return orDefault(configured, database+"_identities")
}

// validDatabases: one database for both would open the identities to every reader.
func validDatabases(database, identities string) error {
	err := validDatabase(database)
	switch {
	case err != nil:
		return err
	case !databaseName.MatchString(identities):
		return fmt.Errorf("clickhouse.identity_database is %q: want letters, digits and underscores, not beginning with a digit, at most 63", identities)
	case identities == database:
		return fmt.Errorf("clickhouse.identity_database is %q, as clickhouse.database: want another, which nobody but the vault reads", identities)
	}
	return nil
}

func validDatabase(name string) error {
	if !databaseName.MatchString(name) {
		return fmt.Errorf("clickhouse.database is %q: want letters, digits and underscores, not beginning with a digit, at most 63", name)
	}
	return nil
}
