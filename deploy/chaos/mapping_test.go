package chaos

import (
	"os/exec"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/riskpipe/riskpipe/pipeline/normalise"
)

// mapping are the options that the services' mappers have: riskpipe's defaults,
// as it prints them, and the company's own domain.
func (in *installation) mapping(t *testing.T) normalise.Options {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), in.settings.binary, "config", "defaults").Output()
	if err != nil {
		t.Fatalf("asking for the defaults: %v", err)
	}
	var defaults struct {
		Normalise struct {
			MaxRecordBytes int `yaml:"max_record_bytes"`
			Domains        []struct {
				Class   string
				Domains []string
			}
			SiteCategories []struct {
				Category string
				Domains  []string
			} `yaml:"site_categories"`
			ContentRules []normalise.ContentRule `yaml:"content_rules"`
		}
	}
	if err := yaml.Unmarshal(text, &defaults); err != nil {
		t.Fatalf("reading the defaults: %v", err)
	}
	d := &defaults.Normalise
	lists := map[string][]string{normalise.ClassInternal: {domain}}
	for _, list := range d.Domains {
		lists[list.Class] = append(lists[list.Class], list.Domains...)
	}
	categories := map[string][]string{}
	for _, list := range d.SiteCategories {
		categories[list.Category] = append(categories[list.Category], list.Domains...)
	}
	if len(d.Domains) == 0 || len(d.ContentRules) == 0 || len(d.ContentRules[0].Paths) == 0 {
		t.Fatal("reading the defaults: there are no domains or content rules in them")
	}
	return normalise.Options{
		Hash: in.key.Hash, Domains: normalise.NewDomains(lists), Categories: categories, Content: d.ContentRules, Limits: normalise.Limits{Bytes: d.MaxRecordBytes},
	}
}
