// Package prometheus holds alerting rules for Prometheus; its tests hold them to the code's metrics.
package prometheus

import (
	"errors"
	"log/slog"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	client "github.com/prometheus/client_golang/prometheus"

	"github.com/riskpipe/riskpipe/deploy/embedded/servertest"
	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/sink"
	"github.com/riskpipe/riskpipe/vault"
)

func TestMain(m *testing.M) { servertest.Main(m) }

type rules struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			For         string            `yaml:"for"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

// registered notes the names and labels of what is registered.
type registered struct {
	client.Registerer
	descriptions string
}

func (r *registered) Register(c client.Collector) error {
	found := make(chan *client.Desc, 16)
	go func() {
		c.Describe(found)
		close(found)
	}()
	for d := range found {
		r.descriptions += d.String() + "\n"
	}
	return nil
}

// Rules are complete, and speak of metrics and labels that the sink and the vault have.
func TestRules(t *testing.T) {
	text, err := os.ReadFile("rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var parsed rules
	if err := yaml.UnmarshalWithOptions(text, &parsed, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	have := sinkMetrics(t) + auditMetrics(t)
	alerts := map[string]bool{}
	for _, group := range parsed.Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" || alerts[rule.Alert] || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%+v: a name, severity, summary or description is missing, or the name is taken", rule)
			}
			alerts[rule.Alert] = true
			if url := rule.Annotations["runbook_url"]; !regexp.MustCompile(`^deploy/README\.md#[a-z-]+$`).MatchString(url) || path.IsAbs(url) {
				t.Errorf("%s: runbook_url is %q", rule.Alert, url)
			}
			for _, bracket := range []string{"()", "[]", "{}"} {
				if strings.Count(rule.Expr, bracket[:1]) != strings.Count(rule.Expr, bracket[1:]) {
					t.Errorf("%s: brackets of %s", rule.Alert, rule.Expr)
				}
			}
			for _, name := range regexp.MustCompile(`\briskpipe_(?:sink|audit)_[a-z_]+`).FindAllString(rule.Expr, -1) {
				if !strings.Contains(have, `"`+strings.TrimSuffix(name, "_bucket")+`"`) {
					t.Errorf("%s: there is no metric %s", rule.Alert, name)
				}
			}
			for _, pattern := range regexp.MustCompile(`__name__=~"([^"]+)"`).FindAllStringSubmatch(rule.Expr, -1) {
				if !regexp.MustCompile(`"` + pattern[1] + `"`).MatchString(have) {
					t.Errorf("%s: no metric is like %s", rule.Alert, pattern[1])
				}
			}
		}
	}
	if len(alerts) < 5 {
		t.Errorf("only %d alerts", len(alerts))
	}
}

// auditMetrics describes the metrics of what watches over the audit trail, one a line.
func auditMetrics(t *testing.T) string {
	t.Helper()
	r := &registered{}
	deps := pipeline.AuditWatcherDeps{Watch: &vault.AuditWatch{}, Log: slog.New(slog.DiscardHandler), Metrics: r}
	if _, err := pipeline.NewAuditWatcher(deps); err != nil {
		t.Fatal(err)
	}
	return r.descriptions
}

// sinkMetrics describes the sink's metrics, one a line.
func sinkMetrics(t *testing.T) string {
	t.Helper()
	addr := servertest.TestClickHouse(t)
	conn, err := sink.Open(t.Context(), sink.ClickHouseConfig{Addresses: []string{addr}, Protocol: "http"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	events, err1 := schemas.NewCodec[schemas.Event](schemas.EventSchema)
	alerts, err2 := schemas.NewCodec[schemas.Alert](schemas.AlertSchema)
	risks, err3 := schemas.NewCodec[schemas.Risk](schemas.RiskSchema)
	identities, err4 := schemas.NewCodec[schemas.Identity](schemas.IdentitySchema)
	keys, err5 := schemas.NewCodec[schemas.EvidenceKey](schemas.EvidenceKeySchema)
	audits, err6 := schemas.NewCodec[schemas.Audit](schemas.AuditSchema)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	r := &registered{}
	_, err = sink.New(sink.Config{Database: "riskpipe"}, sink.Deps{
		Logger: slog.New(slog.DiscardHandler), Conn: conn, Events: events, Alerts: alerts, Risks: risks,
		Identities: identities, EvidenceKeys: keys, Audits: audits, Registerer: r,
	})
	if err != nil {
		t.Fatal(err)
	}
	return r.descriptions
}
