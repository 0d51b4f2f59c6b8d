package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/riskpipe/riskpipe/sink"
)

func newDoctorCommand() *cobra.Command {
	var ready, format string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check everything that riskpipe depends on, and say what to do",
		Long: `doctor looks at the configuration, both Kafka clusters and their topics, the schema
registry, Redis, ClickHouse, the pseudonym key, the vault's keys and who has them,
whether evidence is sealed, the policies and the lag of every service, and says of
each finding what to do. It changes nothing. Run it with the configuration of each
service: a private key is right where the vault is served, and wrong elsewhere.

With --ready it only asks a running service's /readyz, for health checks.

Exit status: 0 when all is well, 1 when something is wrong, 3 when the
configuration is not valid.`,
		Example: `  riskpipe doctor --config riskpipe.yaml
  riskpipe doctor --ready 127.0.0.1:9464`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if ready != "" {
				return askReady(cmd.Context(), ready)
			}
			config, _, err := load(cmd)
			if err != nil {
				return err
			}
			d := doctor{config: config}
			d.run(cmd.Context())
			if err := d.print(cmd.OutOrStdout(), format); err != nil {
				return err
			}
			if d.failed {
				return &exitError{exitFailure, errors.New("something is wrong, see above")}
			}
			return nil
		},
	}
	c.Flags().StringVar(&ready, "ready", "", "ask the service with this admin `address` whether it is ready")
	c.Flags().StringVarP(&format, "output", "o", "table", "`format`: table or json")
	return c
}

func askReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return &exitError{exitRejects, fmt.Errorf("--ready %q: %w", address, err)}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking the service: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
		return fmt.Errorf("the service is not ready: %s", strings.TrimSpace(string(text)))
	}
	return nil
}

// finding is one line of the doctor's report.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"` // ok, warning or wrong
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"`
}

// doctor collects findings; checks never stop each other.
type doctor struct {
	config   Config
	findings []finding
	failed   bool
}

// patience bounds each check.
const patience = 10 * time.Second

func (d *doctor) run(ctx context.Context) {
	d.ok("configuration", "valid")
	for _, check := range []func(context.Context){d.key, d.vault, d.certificates, d.policies, d.kafka, d.registry, d.redis, d.clickHouse, d.lag} {
		ctx, cancel := context.WithTimeout(ctx, patience)
		check(ctx)
		cancel()
	}
}

func (d *doctor) ok(check, detail string) {
	d.findings = append(d.findings, finding{check, "ok", detail, ""})
}

func (d *doctor) warn(check, detail, advice string) {
	d.findings = append(d.findings, finding{check, "warning", detail, advice})
}

func (d *doctor) wrong(check, detail, advice string) {
	d.failed = true
	d.findings = append(d.findings, finding{check, "wrong", detail, advice})
}

func (d *doctor) policies(context.Context) {
	engine, err := d.config.Score.engine()
	if err != nil {
		d.wrong("policies", err.Error(), "mend the policy files in score.policies")
		return
	}
	hash, _ := engine.Hash().MarshalText() // a hash always has a text
	d.ok("policies", "set "+string(hash))
}

func (d *doctor) kafka(ctx context.Context) {
	states, err := ensureTopics(ctx, d.config, true, true)
	if err != nil {
		d.wrong("Kafka", err.Error(), "check kafka.brokers, TLS and SASL; the principal needs Describe on the cluster")
		return
	}
	d.ok("Kafka", strings.Join(d.config.Kafka.Brokers, ", "))
	for _, s := range states {
		raw := strings.HasPrefix(s.Name, d.config.Topics.Prefix+"raw.")
		switch {
		case !s.Exists && raw:
			d.warn("topic "+s.Name, "missing", "nobody publishes this feed yet; its publisher makes the topic")
		case !s.Exists:
			d.wrong("topic "+s.Name, "missing", "riskpipe topics --apply")
		case s.Name == d.config.Topics.names().Audit() && losesRecords(s.Differences):
			d.wrong("topic "+s.Name, strings.Join(s.Differences, "; "), "alter the topic: what it loses of the audit trail, riskpipe audit verify cannot tell from tampering")
		case !raw && len(s.Differences) > 0:
			d.warn("topic "+s.Name, strings.Join(s.Differences, "; "), "alter the topic, or topics.* in the configuration")
		default:
			d.ok("topic "+s.Name, fmt.Sprintf("%d partitions", s.Partitions))
		}
	}
}

// losesRecords says whether a topic that is to be kept for good is not.
func losesRecords(differences []string) bool {
	return slices.ContainsFunc(differences, func(difference string) bool {
		return strings.HasPrefix(difference, "cleanup.policy ") || strings.HasPrefix(difference, "retention.")
	})
}

func (d *doctor) registry(ctx context.Context) {
	client, err := d.config.Registry.client()
	if err != nil {
		d.wrong("schema registry", err.Error(), "check registry.*")
		return
	}
	if client == nil {
		d.ok("schema registry", "none: records carry single-object encoding")
		return
	}
	if _, err := client.Subjects(ctx); err != nil {
		d.wrong("schema registry", err.Error(), "check registry.url and the credentials")
		return
	}
	d.ok("schema registry", plainURL(d.config.Registry.URL))
}

func (d *doctor) redis(ctx context.Context) {
	redis, err := d.config.Redis.open()
	if err != nil {
		d.wrong("Redis", err.Error(), "check redis.*")
		return
	}
	defer redis.Close()
	facts, err := redis.Facts(ctx)
	switch {
	case err != nil:
		d.wrong("Redis", err.Error(), "check redis.addresses, TLS and the ACL user")
	case facts.Eviction != "" && facts.Eviction != "noeviction":
		d.wrong("Redis", "maxmemory-policy is "+facts.Eviction, "set it to noeviction: evicted states are lost silently")
	case facts.Version == "":
		d.warn("Redis", "it answers, but does not tell its settings", "make sure of maxmemory-policy noeviction and appendonly yes")
	case !facts.AppendOnly:
		d.warn("Redis", "version "+facts.Version+" without an append-only file", "set appendonly yes: a restart loses all states, and they must be rebuilt from Kafka")
	default:
		d.ok("Redis", "version "+facts.Version)
	}
}

func (d *doctor) clickHouse(ctx context.Context) {
	conn, err := d.config.ClickHouse.open(ctx, "")
	if err != nil {
		d.wrong("ClickHouse", err.Error(), "check clickhouse.*; the native protocol listens on 9000 (TLS 9440), http on 8123 (TLS 8443)")
		return
	}
	defer conn.Close()
	server, err := conn.ServerVersion()
	if err != nil {
		d.wrong("ClickHouse", err.Error(), "check that the server is ClickHouse 24.8 or newer")
		return
	}
	d.ok("ClickHouse", "version "+server.Version.String())
	pending, err := sink.Migrate(ctx, conn, d.config.ClickHouse.Database, d.config.migration(true))
	switch {
	case err != nil:
		d.wrong("ClickHouse tables", err.Error(), "see the error; an edited migration must be restored")
	case len(pending) > 0:
		d.wrong("ClickHouse tables", fmt.Sprintf("%d migrations have not run", len(pending)), "riskpipe migrate")
	default:
		d.ok("ClickHouse tables", "up to date in database "+d.config.ClickHouse.Database)
		d.evidence(ctx, conn)
		d.identities(ctx, conn)
	}
}

// identities tries what should be refused.
func (d *doctor) identities(ctx context.Context, conn sink.Conn) {
	const check = "ClickHouse identities"
	c := d.config.ClickHouse
	reads, err := sink.ReadsIdentities(ctx, conn, c.Database, c.IdentityDatabase)
	switch {
	case err != nil:
		d.warn(check, err.Error(), "see the error: it is not known whether "+c.Username+" may read sealed identities")
	case reads:
		d.warn(check, c.Username+" may read sealed identities", "riskpipe migrate --roles, and a user with roles for each service and for the dashboards")
	default:
		d.ok(check, c.Username+" may not read them")
	}
}

// lag reports how far behind every consumer group is.
func (d *doctor) lag(ctx context.Context) {
	d.groupLag(ctx, d.config.rawKafka(), d.config.Topics.normaliserGroups())
	d.groupLag(ctx, d.config.Kafka, []string{d.config.Topics.group("score"), d.config.Topics.group("sink")})
}

func (d *doctor) groupLag(ctx context.Context, kafka KafkaConfig, groups []string) {
	client, err := kafka.connect()
	if err != nil {
		return // reported by kafka
	}
	defer client.Close()
	lags, err := kadm.NewClient(client).Lag(ctx, groups...)
	if err != nil {
		return
	}
	for _, group := range groups {
		lag, found := lags[group]
		switch {
		case !found || lag.Error() != nil || lag.State == "Dead" || lag.State == "":
			d.warn("group "+group, "never seen", "the service has not run yet")
		case lag.State == "Empty":
			d.warn("group "+group, fmt.Sprintf("nobody runs; %d records behind", lag.Lag.Total()), "start the service")
		default:
			d.ok("group "+group, fmt.Sprintf("%d members, %d records behind", len(lag.Members), lag.Lag.Total()))
		}
	}
}

func (d *doctor) print(out io.Writer, format string) error {
	switch format {
	case "json":
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(d.findings)
	case "table":
	default:
		return &exitError{exitRejects, fmt.Errorf("-o is %q: want table or json", format)}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range d.findings {
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Status, f.Check, strings.ReplaceAll(f.Detail, "\n", "; "))
		if f.Advice != "" {
			fmt.Fprintf(w, "\t\t→ %s\n", f.Advice)
		}
	}
	return w.Flush()
}
