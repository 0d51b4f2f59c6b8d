package embedded

import (
	"fmt"
	"net"
	"strconv"

	"github.com/twmb/franz-go/pkg/kfake"
)

// KafkaOptions say how StartKafka runs the broker. The zero value is right for tests.
type KafkaOptions struct {
	// Addr is host:port to listen on; the host must be 127.0.0.1. "" is a free port.
	Addr string
	// Partitions of a topic that is created without saying how many; 0 is 8.
	Partitions int
	// Data is a folder in which topics and offsets outlive the process; "" keeps them
	// in memory.
	Data string
	// Extra goes to kfake as it is, after everything above.
	Extra []kfake.Opt
}

// maxMessageBytes admits what the pipeline may send: an upstream envelope of the Event
// Hubs premium size, 8 MiB, and the overhead of its batch.
const maxMessageBytes = 16 << 20

// Kafka is a Kafka broker in this process.
type Kafka struct {
	cluster *kfake.Cluster
}

// StartKafka starts one broker that behaves like a fresh development broker: topics are
// created on first use, big messages are accepted, groups may have short sessions.
func StartKafka(o KafkaOptions) (*Kafka, error) {
	if o.Partitions == 0 {
		o.Partitions = 8
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ClusterID("riskpipe-embedded"),
		kfake.AllowAutoTopicCreation(),
		kfake.DefaultNumPartitions(o.Partitions),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": strconv.Itoa(maxMessageBytes)}),
	}
	if o.Addr != "" {
		if err := onLoopback(o.Addr); err != nil {
			return nil, fmt.Errorf("starting Kafka: %w", err)
		}
		_, text, _ := net.SplitHostPort(o.Addr)
		port, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("starting Kafka: reading the port of %q: %w", o.Addr, err)
		}
		if port != 0 {
			opts = append(opts, kfake.Ports(port))
		}
	}
	if o.Data != "" {
		opts = append(opts, kfake.DataDir(o.Data))
	}
	cluster, err := kfake.NewCluster(append(opts, o.Extra...)...)
	if err != nil {
		return nil, fmt.Errorf("starting Kafka: %w; is the port in use?", err)
	}
	return &Kafka{cluster: cluster}, nil
}

// Addrs returns the broker's address as clients take it for a seed.
func (k *Kafka) Addrs() []string { return k.cluster.ListenAddrs() }

// Cluster gives tests kfake's own controls, such as faults.
func (k *Kafka) Cluster() *kfake.Cluster { return k.cluster }

// Close stops the broker. Without a data folder, its topics are gone.
func (k *Kafka) Close() error {
	k.cluster.Close()
	return nil
}
