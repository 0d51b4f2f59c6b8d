package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/deploy/embedded"
)

// clickHouse is the ClickHouse engine in a process of its own.
type clickHouse struct {
	process *process
	link    *link
	direct  string
}

func startClickHouse(t *testing.T, s settings, n *network, ports map[int]bool) *clickHouse {
	t.Helper()
	library, err := embedded.Locate()
	if err != nil {
		t.Fatalf("%v: run deploy/local/install engine", err)
	}
	linked, direct := freePort(t, ports), freePort(t, ports)
	c := &clickHouse{
		direct: local(direct), link: n.link(t, "clickhouse", linked, local(direct)),
		process: &process{
			name: "clickhouse", path: s.binary, log: filepath.Join(s.dir, "clickhouse.log"),
			args: []string{"engine", "--listen", local(direct), "--data", filepath.Join(folder(t, s.dir, "clickhouse"), "data")},
			env:  []string{embedded.LibraryEnv + "=" + library, "TMPDIR=" + s.dir}, // what it leaves behind when it is killed
		},
	}
	t.Cleanup(c.process.kill)
	if err := c.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *clickHouse) start(ctx context.Context) error {
	if err := c.process.start(); err != nil {
		return err
	}
	return eventually(ctx, "ClickHouse answers", time.Minute, func(ctx context.Context) error {
		_, err := c.query(ctx, "SELECT 1")
		return err
	})
}

// query returns the rows as JSON objects, numbers as they are written.
func (c *clickHouse) query(ctx context.Context, sql string) ([]map[string]any, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.direct+"/", strings.NewReader(sql+" FORMAT JSONEachRow"))
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking ClickHouse: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, err := io.ReadAll(response.Body)
		return nil, fmt.Errorf("asking ClickHouse: %s: %s (%w)", sql, text, err)
	}
	var rows []map[string]any
	decoder := json.NewDecoder(bufio.NewReader(response.Body))
	decoder.UseNumber()
	for decoder.More() {
		var row map[string]any
		if err := decoder.Decode(&row); err != nil {
			return nil, fmt.Errorf("asking ClickHouse: %s: %w", sql, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}
