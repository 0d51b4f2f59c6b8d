package main

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/sink"
)

//go:embed sql/*.sql
var queries embed.FS

func query(name string) string {
	text, err := queries.ReadFile("sql/" + name + ".sql")
	if err != nil {
		return "" // the files are in the binary; a wrong name fails in every test of demo
	}
	return string(text)
}

// demoReport tells what the demo found, from ClickHouse, as an analyst would.
type demoReport struct {
	servers *demoServers
	company *tenant.Tenant
	out     io.Writer
	first   string // user of the first alert; empty when there is none
}

// demoAlert is a row of demo_alerts.sql.
type demoAlert struct {
	ID        string    `ch:"alert_id"`
	User      string    `ch:"user"`
	UserShort string    `ch:"user_short"`
	Severity  string    `ch:"severity"`
	Points    string    `ch:"points"`
	OpenedAt  time.Time `ch:"opened_at"`
	Status    string    `ch:"status"`
	TopReason string    `ch:"top_reason"`
}

func (r *demoReport) print(ctx context.Context, published int, took time.Duration, since time.Time) error {
	var alerts []demoAlert
	if err := r.servers.conn.Select(ctx, &alerts, query("demo_alerts")); err != nil {
		return fmt.Errorf("reading the alerts: %w", err)
	}
	stories := r.stories()
	fmt.Fprintf(r.out, "\nAlerts (view soc_alerts; the last column is known to the demo alone)\n\n")
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "USER\tSEVERITY\tSCORE\tOPENED\tSTATUS\tTOP REASON\tSTORY")
	for _, a := range alerts {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.UserShort, a.Severity, a.Points, a.OpenedAt.Format("2006-01-02 15:04"), a.Status, clip(a.TopReason, r.room(90)), stories[a.User])
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(alerts) == 0 {
		fmt.Fprintln(r.out, "none")
	} else if err := r.reasons(ctx, alerts[0]); err != nil {
		return err
	} else {
		r.first = alerts[0].User
	}
	return r.figures(ctx, published, took, since)
}

// stories tells by pseudonym what the made-up people were made up to do.
func (r demoReport) stories() map[string]string {
	stories := map[string]string{}
	for _, l := range r.company.Labels() {
		stories[r.servers.key.Pseudonym("upn:"+strings.ToLower(l.User)).String()] = l.Kind + ": " + l.Story
	}
	return stories
}

// reasons prints the ledger of one alert.
func (r demoReport) reasons(ctx context.Context, a demoAlert) error {
	var lines []struct {
		Kind    string `ch:"kind"`
		Name    string `ch:"name"`
		Share   string `ch:"share"`
		Detail  string `ch:"detail"`
		Without string `ch:"without"`
	}
	if err := r.servers.conn.Select(sink.WithParameters(ctx, map[string]string{"alert": a.ID}), &lines, query("demo_reasons")); err != nil {
		return fmt.Errorf("reading the reasons: %w", err)
	}
	fmt.Fprintf(r.out, "\nWhy %s has %s points (view soc_alert_contributions; the points sum to the score)\n\n", a.UserShort, a.Points)
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "POINTS\tREASON\tSCORE WITHOUT IT\tDETAIL")
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Share, l.Name, l.Without, clip(l.Detail, r.room(55)))
	}
	return w.Flush()
}

func (r demoReport) figures(ctx context.Context, published int, took time.Duration, since time.Time) error {
	var activities, users, scored uint64
	if err := r.servers.conn.QueryRow(ctx, query("demo_rows")).Scan(&activities, &users, &scored); err != nil {
		return fmt.Errorf("counting rows: %w", err)
	}
	fmt.Fprintf(r.out, "\n%d Kafka records became %d activities of %d actors in %.1f s: %.0f activities a second through the whole chain\n",
		published, activities, users, took.Seconds(), float64(activities)/took.Seconds())
	var written uint64
	var median, slowest int64
	live := sink.WithParameters(ctx, map[string]string{"since": fmt.Sprint(since.UnixMilli())})
	if err := r.servers.conn.QueryRow(live, query("demo_latency")).Scan(&written, &median, &slowest); err != nil {
		return fmt.Errorf("measuring the latency: %w", err)
	}
	if written > 0 {
		fmt.Fprintf(r.out, "from publication to a row in ClickHouse: median %d ms, 99 %% within %d ms (%d activities, published one by one)\n", median, slowest, written)
	}
	return nil
}

// whose says how a name would be revealed.
func (r demoReport) whose() {
	fmt.Fprintf(r.out, `
Names and evidence are sealed; the vault opens one when HR and Legal agree (riskpipe reveal approve), to whom asked:
  riskpipe reveal request --user %s --case C-1 --field upn,department,title --reason '…'
`, cmp.Or(r.first, "ANON-…"))
}

// reveal says how a name is revealed while the vault is served.
func (r demoReport) reveal() {
	v := r.servers.vault
	as := func(name string) string {
		return "RISKPIPE_REVEAL_TOKEN_FILE=" + v.path(name+".token") + " riskpipe reveal "
	}
	fmt.Fprintf(r.out, `
Whose a pseudonym is, once HR and Legal agree (ID is what the first command prints):
  export RISKPIPE_REVEAL_URL=http://%s
  %srequest --user %s --case C-1 --field upn,department,title --reason 'looking around'
  %sapprove ID
  %sapprove ID
  %sopen ID
`, v.address, as("investigator"), cmp.Or(r.first, "ANON-…"), as("hr"), as("legal"), as("investigator"))
}

// addresses says how to look around.
func (r demoReport) addresses() {
	clickhouse := r.servers.stack.Engine.Addr()
	fmt.Fprintf(r.out, `
Everything is up until Ctrl-C:
  ClickHouse  http://%s   database riskpipe, views soc_*
  Kafka       %s
  Redis       %s

  curl 'http://%s/?database=riskpipe&default_format=PrettyCompact' --data 'SELECT user_short, severity, score, top_reason FROM soc_alerts'
  RISKPIPE_KAFKA_BROKERS=%s riskpipe cat --topic alerts -n 1
`, clickhouse, strings.Join(r.servers.stack.Kafka.Addrs(), ","), r.servers.stack.Redis.Addr(), clickhouse, strings.Join(r.servers.stack.Kafka.Addrs(), ","))
	r.reveal()
}

// room is how wide a column may be beside others that take used characters: the
// rest of a terminal's line, any width elsewhere.
func (r demoReport) room(used int) int {
	if !isTerminal(r.out) {
		return 1 << 20
	}
	return max(terminalWidth(r.out)-used, 30)
}

func clip(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}
