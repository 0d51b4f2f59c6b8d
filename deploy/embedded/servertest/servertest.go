// Package servertest hands servers to tests: the real ones a developer or CI points to,
// else containers, else the embedded ones.
//
// It guarantees that a test which asks for a server gets one or fails: nothing here
// skips. With RISKPIPE_REQUIRE_REAL=1, fakes are refused; the embedded ClickHouse engine
// is ClickHouse itself and passes. Servers may be shared by tests and by runs, so a test
// names what it creates with Unique.
//
// It may import package embedded, testcontainers and testing. Only tests may import it.
package servertest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/deploy/embedded"
)

// Addresses of servers to use, host:port; Kafka takes several, separated by commas.
// ClickHouse's is that of its HTTP interface.
const (
	KafkaEnv      = "RISKPIPE_TEST_KAFKA"
	RedisEnv      = "RISKPIPE_TEST_REDIS"
	ClickHouseEnv = "RISKPIPE_TEST_CLICKHOUSE"

	// RequireRealEnv set to 1 makes a test fail rather than run on a fake.
	RequireRealEnv = "RISKPIPE_REQUIRE_REAL"
)

// Main is the body of TestMain in packages whose tests use TestClickHouse:
//
//	func TestMain(m *testing.M) { servertest.Main(m) }
//
// The engine is this test binary started a second time, which has to be told apart.
func Main(m *testing.M) {
	embedded.RunEngineIfChild()
	os.Exit(m.Run()) //nolint:forbidigo // the body of TestMain
}

// TestKafka returns the seed addresses of a Kafka cluster.
func TestKafka(tb testing.TB) []string {
	tb.Helper()
	if addrs := os.Getenv(KafkaEnv); addrs != "" {
		return strings.Split(addrs, ",")
	}
	if addr, ok := kafkaContainer(tb); ok {
		return []string{addr}
	}
	refuseFake(tb, "Kafka", KafkaEnv)
	kafka, err := embedded.StartKafka(embedded.KafkaOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { kafka.Close() })
	return kafka.Addrs()
}

// TestRedis returns the address of a Redis server.
func TestRedis(tb testing.TB) string {
	tb.Helper()
	if addr := os.Getenv(RedisEnv); addr != "" {
		return addr
	}
	if addr, ok := redisContainer(tb); ok {
		return addr
	}
	refuseFake(tb, "Redis", RedisEnv)
	redis, err := embedded.StartRedis("")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { redis.Close() })
	return redis.Addr()
}

// The engine is started once in a test binary and ends with it: a start costs half a
// second, and libchdb serves one data folder a process.
var sharedEngine = sync.OnceValues(func() (string, error) {
	// Long enough for the download, which happens once on a machine.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	engine, err := embedded.StartEngine(ctx, embedded.EngineOptions{})
	if err != nil {
		return "", err
	}
	return engine.Addr(), nil
})

// TestClickHouse returns host:port of ClickHouse's HTTP interface. Databases separate
// tests: see Database.
func TestClickHouse(tb testing.TB) string {
	tb.Helper()
	if addr := os.Getenv(ClickHouseEnv); addr != "" {
		return addr
	}
	if addr, ok := clickHouseContainer(tb); ok {
		return addr
	}
	addr, err := sharedEngine()
	if err != nil {
		tb.Fatalf("%v\nname a server's HTTP interface in %s to do without the engine", err, ClickHouseEnv)
	}
	return addr
}

// Database returns TestClickHouse's address and a new, empty database on it, which is
// dropped when the test ends, with the one for identities that the sink makes beside it.
func Database(tb testing.TB) (addr, name string) {
	tb.Helper()
	addr, name = TestClickHouse(tb), Unique(tb)
	if err := run(addr, "CREATE DATABASE "+name); err != nil {
		tb.Fatalf("creating database %s: %v", name, err)
	}
	tb.Cleanup(func() {
		for _, database := range []string{name, name + "_identities"} {
			if err := run(addr, "DROP DATABASE IF EXISTS "+database); err != nil {
				tb.Errorf("dropping database %s: %v", database, err)
			}
		}
	})
	return addr, name
}

// run needs no driver: package sink alone may import one.
func run(addr, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/", strings.NewReader(sql))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d: %s", res.StatusCode, text)
	}
	return err
}

func refuseFake(tb testing.TB, server, env string) {
	tb.Helper()
	if os.Getenv(RequireRealEnv) == "1" {
		tb.Fatalf("a real %s is required (%s=1): name one in %s, or start Docker", server, RequireRealEnv, env)
	}
}
