package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// label says what is true of somebody: a line of labels.ndjson. Other keys are
// left alone.
type label struct {
	// User is the name in clear, in lower case.
	User string `json:"user"`
	// Kind is theft, misuse or benign.
	Kind     string `json:"kind"`
	Scenario string `json:"scenario"`
	Story    string `json:"story"`
	// From is when the story begins: what alerts told before is none of it. 0
	// when not said.
	From schemas.Time `json:"from"`
}

// due tells whether an alert should tell of the person.
func (l label) due() bool { return l.Kind != labelBenign }

// labelBenign is the kind of those who only look like the others.
const labelBenign = "benign"

// readLabels reads a file of labels.
func readLabels(path string) ([]label, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading labels: %w", err)
	}
	defer f.Close()
	var labels []label
	number := 0
	for lines := bufio.NewScanner(f); ; {
		if !lines.Scan() {
			if err := lines.Err(); err != nil {
				return nil, fmt.Errorf("reading labels %s: %w", path, err)
			}
			return labels, nil
		}
		number++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var l label
		if err := json.Unmarshal(line, &l); err != nil {
			return nil, fmt.Errorf("reading labels %s, line %d: %w", path, number, err)
		}
		if l.User == "" || l.Kind == "" {
			return nil, fmt.Errorf("reading labels %s, line %d: want user and kind, as riskpipe generate --labels writes them", path, number)
		}
		l.User = strings.ToLower(l.User)
		labels = append(labels, l)
	}
}
