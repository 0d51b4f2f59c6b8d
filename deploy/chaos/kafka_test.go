package chaos

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// kafkaServer is one broker. Services reach it by the link, which is what it
// tells them its address is; the harness has a listener of its own.
type kafkaServer struct {
	process *process
	link    *link
	direct  string
	client  *kgo.Client
	admin   *kadm.Client
}

const jars = "../local/jars"

func startKafka(t *testing.T, s settings, n *network, ports map[int]bool) *kafkaServer {
	t.Helper()
	if _, err := os.Stat(jars); err != nil {
		t.Fatalf("Kafka's jars are missing: run deploy/local/install: %v", err)
	}
	linked, behind, direct, controller := freePort(t, ports), freePort(t, ports), freePort(t, ports), freePort(t, ports)
	dir := folder(t, s.dir, "kafka")
	common, err := os.ReadFile("../local/kafka.properties")
	if err != nil {
		t.Fatal(err)
	}
	properties := filepath.Join(dir, "server.properties")
	text := fmt.Sprintf(`%s
listeners=PLAINTEXT://%[2]s,DIRECT://%[3]s,CONTROLLER://%[4]s
advertised.listeners=PLAINTEXT://%[5]s,DIRECT://%[3]s
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,DIRECT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=DIRECT
controller.quorum.voters=1@%[4]s
log.dirs=%[6]s
`, common, local(behind), local(direct), local(controller), local(linked), filepath.Join(dir, "data"))
	if err := os.WriteFile(properties, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs(jars)
	if err != nil {
		t.Fatal(err)
	}
	logging, err := filepath.Abs("../local/log4j2.properties")
	if err != nil {
		t.Fatal(err)
	}
	format := exec.CommandContext(t.Context(), "java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", path+"/*",
		"kafka.tools.StorageTool", "format", "--cluster-id", "cmlza3BpcGUtY2hhb3MtMQ", "--config", properties)
	if out, err := format.CombinedOutput(); err != nil {
		t.Fatalf("formatting Kafka's folder: %v\n%s", err, out)
	}
	k := &kafkaServer{
		direct: local(direct),
		link:   n.link(t, "kafka", linked, local(behind)),
		process: &process{
			name: "kafka", path: "java", log: filepath.Join(s.dir, "kafka.log"),
			args: []string{"-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-Dlog4j2.configurationFile=" + logging, "-cp", path + "/*", "kafka.Kafka", properties},
		},
	}
	if k.client, err = kgo.NewClient(kgo.SeedBrokers(k.direct), kgo.RetryTimeout(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.client.Close)
	k.admin = kadm.NewClient(k.client)
	t.Cleanup(k.process.kill)
	if err := k.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return k
}

func (k *kafkaServer) start(ctx context.Context) error {
	if err := k.process.start(); err != nil {
		return err
	}
	return eventually(ctx, "Kafka answers", 90*time.Second, func(ctx context.Context) error {
		limited, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return k.client.Ping(limited)
	})
}

// setTopic changes configurations of a topic.
func (k *kafkaServer) setTopic(ctx context.Context, topic string, configs map[string]string) error {
	alter := make([]kadm.AlterConfig, 0, len(configs))
	for name, value := range configs {
		alter = append(alter, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
	}
	responses, err := k.admin.AlterTopicConfigs(ctx, alter, topic)
	if err != nil {
		return fmt.Errorf("changing topic %s: %w", topic, err)
	}
	for _, r := range responses {
		if r.Err != nil {
			return fmt.Errorf("changing topic %s: %w", topic, r.Err)
		}
	}
	return nil
}

// records reads partitions of a topic as they are now, in their order.
func (k *kafkaServer) records(ctx context.Context, topic string) (map[int32][]*kgo.Record, error) {
	starts, err := k.admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("reading topic %s: %w", topic, err)
	}
	ends, err := k.admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("reading topic %s: %w", topic, err)
	}
	from := map[int32]kgo.Offset{}
	left := 0
	ends.Each(func(end kadm.ListedOffset) {
		start, _ := starts.Lookup(topic, end.Partition)
		if end.Offset > start.Offset {
			from[end.Partition] = kgo.NewOffset().At(start.Offset)
			left++
		}
	})
	if err := ends.Error(); err != nil {
		return nil, fmt.Errorf("reading topic %s: %w", topic, err)
	}
	all := map[int32][]*kgo.Record{}
	if left == 0 {
		return all, nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(k.direct), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	if err != nil {
		return nil, fmt.Errorf("reading topic %s: %w", topic, err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for left > 0 {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("reading topic %s, with %d partitions left: %w", topic, left, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end, _ := ends.Lookup(topic, r.Partition)
			if r.Offset < end.Offset {
				all[r.Partition] = append(all[r.Partition], r)
			}
			if r.Offset == end.Offset-1 {
				left--
			}
		})
	}
	return all, nil
}

// ends are the offsets behind the last records of a topic, by partition.
func (k *kafkaServer) ends(ctx context.Context, topic string) (map[int32]int64, error) {
	listed, err := k.admin.ListEndOffsets(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("asking where topic %s ends: %w", topic, err)
	}
	ends := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends, nil
}
