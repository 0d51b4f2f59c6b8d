package servertest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
)

const (
	kafkaImage      = "apache/kafka-native:4.1.0"
	redisImage      = "redis:7.4-alpine"
	clickHouseImage = "clickhouse/clickhouse-server:25.8"
)

// dockerAnswers dials the engine instead of asking a client library, which looks for
// contexts, credentials and other places for seconds before it gives up.
var dockerAnswers = sync.OnceValue(func() bool {
	scheme, addr := "unix", "/var/run/docker.sock"
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		u, err := url.Parse(host)
		if err != nil {
			return false
		}
		if scheme, addr = u.Scheme, u.Host; u.Scheme == "unix" {
			addr = u.Path
		}
	}
	conn, err := net.DialTimeout(scheme, addr, 300*time.Millisecond)
	if err != nil {
		return false
	}
	conn.Close()
	return true
})

// Each container is started once in a test binary and shared. It is removed by
// testcontainers' reaper when the binary ends.
var (
	startKafka = sync.OnceValues(func() (string, error) {
		// The broker tells clients where it is, so its port must be known before it starts.
		port, err := freePort(context.Background())
		if err != nil {
			return "", err
		}
		addr := fmt.Sprintf("127.0.0.1:%d", port)
		_, err = start(kafkaImage,
			testcontainers.WithExposedPorts("9092/tcp"),
			testcontainers.WithHostConfigModifier(func(c *container.HostConfig) {
				c.PortBindings = network.PortMap{network.MustParsePort("9092/tcp"): {{HostPort: strconv.Itoa(port)}}}
			}),
			testcontainers.WithEnv(map[string]string{
				"KAFKA_NODE_ID":                                  "1",
				"KAFKA_PROCESS_ROLES":                            "broker,controller",
				"KAFKA_LISTENERS":                                "PLAINTEXT://:9092,CONTROLLER://:9093",
				"KAFKA_ADVERTISED_LISTENERS":                     "PLAINTEXT://" + addr,
				"KAFKA_CONTROLLER_LISTENER_NAMES":                "CONTROLLER",
				"KAFKA_LISTENER_SECURITY_PROTOCOL_MAP":           "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
				"KAFKA_CONTROLLER_QUORUM_VOTERS":                 "1@localhost:9093",
				"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR":         "1",
				"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
				"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR":            "1",
				"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS":         "0",
				"KAFKA_NUM_PARTITIONS":                           "8",
				"KAFKA_MESSAGE_MAX_BYTES":                        "16777216",
			}),
			testcontainers.WithWaitStrategyAndDeadline(2*time.Minute, wait.ForLog("Kafka Server started")))
		return addr, err
	})
	startRedis = sync.OnceValues(func() (string, error) {
		c, err := start(redisImage, testcontainers.WithExposedPorts("6379/tcp"),
			testcontainers.WithWaitStrategyAndDeadline(time.Minute, wait.ForLog("Ready to accept connections")))
		if err != nil {
			return "", err
		}
		return c.PortEndpoint(context.Background(), "6379/tcp", "")
	})
	startClickHouse = sync.OnceValues(func() (string, error) {
		c, err := start(clickHouseImage, testcontainers.WithExposedPorts("8123/tcp"),
			testcontainers.WithEnv(map[string]string{"CLICKHOUSE_SKIP_USER_SETUP": "1"}), // default without a password
			testcontainers.WithWaitStrategyAndDeadline(2*time.Minute, wait.ForHTTP("/ping").WithPort("8123/tcp")))
		if err != nil {
			return "", err
		}
		return c.PortEndpoint(context.Background(), "8123/tcp", "")
	})
)

func start(image string, opts ...testcontainers.ContainerCustomizer) (*testcontainers.DockerContainer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // pulls the image the first time
	defer cancel()
	c, err := testcontainers.Run(ctx, image, opts...)
	if err != nil {
		return nil, fmt.Errorf("starting a container of %s: %w", image, err)
	}
	return c, nil
}

func kafkaContainer(tb testing.TB) (string, bool)      { return shared(tb, startKafka) }
func redisContainer(tb testing.TB) (string, bool)      { return shared(tb, startRedis) }
func clickHouseContainer(tb testing.TB) (string, bool) { return shared(tb, startClickHouse) }

// shared does not fall back on a fake when Docker is there and fails: a test that
// silently changes its server hides the failure.
func shared(tb testing.TB, start func() (string, error)) (string, bool) {
	tb.Helper()
	if !dockerAnswers() {
		return "", false
	}
	addr, err := start()
	if err != nil {
		tb.Fatal(err)
	}
	return addr, true
}

func freePort(ctx context.Context) (int, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil //nolint:errcheck // a TCP listener has a TCP address
}
