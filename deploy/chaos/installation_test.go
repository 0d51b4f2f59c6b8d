package chaos

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
)

// How the installation is laid out. Two normalisers of each feed share three
// partitions, three scorers six.
const (
	rawPartitions   = 3
	eventPartitions = 6
	domain          = "contoso.example"
	redisPrefix     = "riskpipe:"
	database        = "riskpipe"

	// What a service may use: the soft limit that the Go runtime is given, and
	// the hard one that its resident size must never pass.
	memoryLimit = "192MiB"
	memoryBound = 320 << 20
)

// installation is the servers with the services on them.
type installation struct {
	settings   settings
	topics     schemas.Topics
	key        *vault.Key
	private    *vault.PrivateKey
	groups     map[string][]string
	kafka      *kafkaServer
	redis      *redisPair
	clickHouse *clickHouse
	services   []*service
	env        []string
	ports      map[int]bool
	forgot     bool      // Redis has lost acknowledged writes, alerts that waited among them
	quietSince time.Time // when drain found everything read
}

// service is a process of riskpipe's.
type service struct {
	*process
	kind  string // normalise, score or sink
	admin string // address of its metrics
	meter meter
}

// install starts the servers, makes topics and tables, and starts no service.
func install(t *testing.T, s settings, company *tenant.Tenant) *installation {
	t.Helper()
	in := &installation{settings: s, ports: map[int]bool{}, groups: company.Groups()}
	keyText := keyOf(s.seed)
	var err error
	if in.key, err = vault.ParseKey(keyText); err != nil {
		t.Fatal(err)
	}
	if in.private, _, err = vault.GeneratePrivateKey(); err != nil {
		t.Fatal(err)
	}
	network := newNetwork()
	in.kafka = startKafka(t, s, network, in.ports)
	in.redis = startRedis(t, s, network, in.ports)
	in.clickHouse = startClickHouse(t, s, network, in.ports)

	type group struct {
		Name  string   `json:"name"`
		Users []string `json:"users"`
	}
	var groups []group
	for _, name := range slices.Sorted(maps.Keys(in.groups)) {
		groups = append(groups, group{name, in.groups[name]})
	}
	list, err := json.Marshal(groups)
	if err != nil {
		t.Fatal(err)
	}
	in.env = []string{
		"GOMEMLIMIT=" + memoryLimit,
		"RISKPIPE_LOG_LEVEL=info",
		"RISKPIPE_KAFKA_BROKERS=" + in.kafka.link.address(),
		"RISKPIPE_REDIS_ADDRESSES=" + in.redis.link.address(),
		"RISKPIPE_REDIS_PREFIX=" + redisPrefix,
		"RISKPIPE_CLICKHOUSE_ADDRESSES=" + in.clickHouse.link.address(),
		"RISKPIPE_CLICKHOUSE_PROTOCOL=http",
		"RISKPIPE_CLICKHOUSE_DATABASE=" + database,
		"RISKPIPE_PSEUDONYM_KEY=" + keyText,
		"RISKPIPE_VAULT_PUBLIC_KEY=" + in.private.Public().String(),
		"RISKPIPE_TOPICS_PARTITIONS=" + strconv.Itoa(eventPartitions),
		"RISKPIPE_NORMALISE_INTERNAL_DOMAINS=" + domain,
		"RISKPIPE_NORMALISE_GROUPS=" + string(list),
		// The company's days are fixed ones, for a seed to mean the same tomorrow.
		"RISKPIPE_SINK_ACTIVITY_DAYS=3660", "RISKPIPE_SINK_ALERT_DAYS=3660", "RISKPIPE_SINK_RISK_DAYS=3660",
		"RISKPIPE_SINK_IDENTITY_DAYS=3660", "RISKPIPE_SINK_EVIDENCE_DAYS=3660",
	}
	in.run(t, nil, "topics", "--apply")
	in.run(t, nil, "migrate")
	forGood := "-1"
	for _, source := range schemas.Sources() {
		configs := map[string]*string{"retention.ms": &forGood}
		if _, err := in.kafka.admin.CreateTopic(t.Context(), rawPartitions, 1, configs, in.topics.Raw(source)); err != nil {
			t.Fatalf("making topic %s: %v", in.topics.Raw(source), err)
		}
	}
	return in
}

// keyOf is the pseudonym key of a seed, as it is configured.
func keyOf(seed uint64) string {
	seeded := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("pseudonyms"), seed))
	return "v1:" + base64.StdEncoding.EncodeToString(seeded[:])
}

// run runs a command of riskpipe's to its end.
func (in *installation) run(t *testing.T, env []string, args ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), in.settings.binary, args...)
	command.Env = append(append(os.Environ(), in.env...), env...)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("riskpipe %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// unreachable is the exit status of a command that finds a server down when it
// starts; whoever keeps services running starts it again.
const unreachable = 4

// service makes a service's process, which is not started yet.
func (in *installation) service(t *testing.T, name string, env []string, args ...string) *service {
	t.Helper()
	admin := local(freePort(t, in.ports))
	p := &process{
		name: name, path: in.settings.binary, args: args, log: filepath.Join(in.settings.dir, name+".log"),
		env:    append(append(slices.Clip(in.env), "RISKPIPE_ADMIN_LISTEN="+admin), env...),
		mayEnd: func(code int) bool { return code == unreachable },
	}
	t.Cleanup(p.kill)
	return &service{process: p, kind: args[0], admin: admin}
}

// startServices starts two normalisers of each feed, three scorers and two
// sinks.
func (in *installation) startServices(t *testing.T) {
	t.Helper()
	for _, source := range schemas.Sources() {
		for i := range 2 {
			in.services = append(in.services, in.service(t, fmt.Sprintf("normalise-%s-%d", source, i+1), nil, "normalise", string(source)))
		}
	}
	for i := range 3 {
		in.services = append(in.services, in.service(t, fmt.Sprintf("score-%d", i+1), nil, "score", "--allow-unsigned"))
	}
	for i := range 2 {
		in.services = append(in.services, in.service(t, fmt.Sprintf("sink-%d", i+1), nil, "sink"))
	}
	for _, s := range in.services {
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range in.services {
		if err := s.ready(t.Context(), 90*time.Second); err != nil {
			t.Fatal(err)
		}
	}
}

// ready waits until the service does its work.
func (s *service) ready(ctx context.Context, patience time.Duration) error {
	return eventually(ctx, s.name+" is ready", patience, func(ctx context.Context) error {
		if err := s.failed(); err != nil {
			return err
		}
		_, err := get(ctx, "http://"+s.admin+"/readyz")
		return err
	})
}

// of returns the services of a kind, all for none.
func (in *installation) of(kind string) []*service {
	return slices.DeleteFunc(slices.Clone(in.services), func(s *service) bool { return kind != "" && s.kind != kind })
}

// failed tells which process ended by itself.
func (in *installation) failed() error {
	for _, s := range in.services {
		if err := s.failed(); err != nil {
			return err
		}
	}
	for _, p := range []*process{in.kafka.process, in.redis.servers[0].process, in.redis.servers[1].process, in.clickHouse.process} {
		if err := p.failed(); err != nil {
			return err
		}
	}
	return nil
}

// rawTopics are the topics of all feeds.
func (in *installation) rawTopics() []string {
	var topics []string
	for _, source := range schemas.Sources() {
		topics = append(topics, in.topics.Raw(source))
	}
	return topics
}

// sinkTopics are what the sink reads.
func (in *installation) sinkTopics() []string {
	return []string{in.topics.Events(), in.topics.Alerts(), in.topics.Risk(), in.topics.Identities(), in.topics.EvidenceKeys(), in.topics.Audit()}
}

// get returns the body of a page.
func get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s: %s", url, response.Status, text)
	}
	return string(text), nil
}
