package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/riskpipe/riskpipe/schemas"
	"github.com/riskpipe/riskpipe/vault"
	"github.com/riskpipe/riskpipe/vault/server"
)

type composeFile struct {
	Services map[string]composeService `yaml:"services"`
	Volumes  map[string]any            `yaml:"volumes"`
	Configs  map[string]struct {
		Content string `yaml:"content"`
	} `yaml:"configs"`
}

type composeService struct {
	Image       string                    `yaml:"image"`
	Build       map[string]string         `yaml:"build"`
	Command     []string                  `yaml:"command"`
	Environment map[string]any            `yaml:"environment"`
	Volumes     []string                  `yaml:"volumes"`
	Ports       []string                  `yaml:"ports"`
	DependsOn   map[string]map[string]any `yaml:"depends_on"`
	Healthcheck map[string]any            `yaml:"healthcheck"`
	Profiles    []string                  `yaml:"profiles"`
}

func compose(t *testing.T) composeFile {
	t.Helper()
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file composeFile
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.AllowDuplicateMapKey()); err != nil {
		t.Fatal(err)
	}
	return file
}

// Every riskpipe service in the compose file runs a command that exists, with
// flags that exist, and settings that exist and are valid.
func TestCompose_commandsAndSettings(t *testing.T) {
	file := compose(t)
	root := newRootCommand()
	run := map[string]bool{}
	for name, service := range file.Services {
		if service.Image != "riskpipe:local" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			checkCommand(t, root, service.Command)
			for key, value := range service.Environment {
				if strings.HasPrefix(key, envPrefix+"_") {
					t.Setenv(key, composeValue(value))
				}
				if !slices.Contains(environmentKeys(t), key) {
					t.Errorf("%s is no setting of riskpipe", key)
				}
			}
			if _, err := LoadConfig(""); err != nil {
				t.Errorf("its settings are not valid: %v", err)
			}
		})
		run[strings.Join(service.Command, " ")] = true
	}
	for _, want := range []string{"normalise signin", "normalise email", "normalise file", "normalise defender", "normalise hr", "score --allow-unsigned", "sink", "migrate", "vault serve"} {
		if !run[want] {
			t.Errorf("no service runs %q", want)
		}
	}
}

// checkCommand finds the command and parses its flags without running it.
func checkCommand(t *testing.T, root *cobra.Command, line []string) {
	t.Helper()
	c, rest, err := root.Find(line)
	if err != nil || c == root {
		t.Errorf("%q is no command of riskpipe (%v)", line, err)
		return
	}
	if err := c.ParseFlags(rest); err != nil {
		t.Errorf("%q: %v", line, err)
	}
	if err := c.ValidateArgs(c.Flags().Args()); err != nil {
		t.Errorf("%q: %v", line, err)
	}
	c.Flags().VisitAll(func(f *pflag.Flag) { _ = f.Value.Set(f.DefValue) })
}

var composeDefault = regexp.MustCompile(`\$\{[A-Z_]+:-([^}]*)\}`)

// composeValue is a value with the defaults of its variables.
func composeValue(value any) string {
	text, _ := value.(string)
	return composeDefault.ReplaceAllString(text, "$1")
}

// environmentKeys lists the variables that reach a setting.
func environmentKeys(t *testing.T) []string {
	t.Helper()
	v, err := readSettings("")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, key := range v.AllKeys() {
		keys = append(keys, envPrefix+"_"+strings.ToUpper(strings.ReplaceAll(key, ".", "_")))
	}
	return keys
}

// Images are pinned, ports are bound to loopback, dependencies and volumes
// exist, waiting for health is waiting for a health check, and addresses in
// settings are services of the file at ports that they listen on.
func TestCompose_structure(t *testing.T) {
	file := compose(t)
	listens := map[string]bool{
		"kafka:9092": true, "schema-registry:8081": true, "redis:6379": true, "clickhouse:9000": true,
	}
	address := regexp.MustCompile(`^(?:http://)?([a-z-]+:\d+)$`)
	for name, service := range file.Services {
		if image := service.Image; service.Build == nil && (!strings.Contains(image, ":") || strings.HasSuffix(image, ":latest")) {
			t.Errorf("%s: image %q is not pinned", name, image)
		}
		for _, port := range service.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: port %s is open to the network", name, port)
			}
		}
		for other, how := range service.DependsOn {
			target, found := file.Services[other]
			if !found {
				t.Errorf("%s depends on %s, which is no service", name, other)
			}
			if how["condition"] == "service_healthy" && target.Healthcheck["test"] == nil {
				t.Errorf("%s waits for the health of %s, which has no check", name, other)
			}
		}
		for _, volume := range service.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if strings.HasPrefix(source, "./") {
				if _, err := os.Stat("../../" + source); err != nil {
					t.Errorf("%s mounts %s: %v", name, source, err)
				}
			} else if _, found := file.Volumes[source]; !found {
				t.Errorf("%s mounts %s, which is no volume", name, source)
			}
		}
		for key, value := range service.Environment {
			if m := address.FindStringSubmatch(composeValue(value)); m != nil && strings.HasPrefix(key, envPrefix) && !listens[m[1]] {
				t.Errorf("%s: %s is %s, where nothing listens", name, key, m[1])
			}
		}
	}
}

// All normalisers seal, and nobody but the vault, and what draws its keys, sees
// the volume with the private key.
func TestCompose_vault(t *testing.T) {
	file := compose(t)
	holders := []string{"key", "audit-key", "vault"}
	for name, service := range file.Services {
		mounts := slices.ContainsFunc(service.Volumes, func(v string) bool { return strings.HasPrefix(v, "vault:") })
		if mounts != slices.Contains(holders, name) {
			t.Errorf("%s: that it sees the vault's keys is %t", name, mounts)
		}
		for key := range service.Environment {
			if strings.HasPrefix(key, "RISKPIPE_VAULT_PRIVATE") && name != "vault" {
				t.Errorf("%s has %s", name, key)
			}
		}
		if strings.HasPrefix(name, "normalise-") && composeValue(service.Environment["RISKPIPE_VAULT_PUBLIC_KEY_FILE"]) != "/keys/vault.pub" {
			t.Errorf("%s seals nothing", name)
		}
	}
	// The tokens are those that the comment names, of people who can decide.
	var tokens []server.Token
	if err := yaml.Unmarshal([]byte(file.Configs["tokens"].Content), &tokens); err != nil {
		t.Fatal(err)
	}
	key, _, err := vault.GenerateKey(1)
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := server.NewTokens(tokens, key.Pseudonym)
	if err != nil {
		t.Fatal(err)
	}
	for token, role := range map[string]vault.Role{
		"local-investigator": vault.RoleInvestigator, "local-hr": vault.RoleHRApprover, "local-legal": vault.RoleLegalApprover,
	} {
		actor, err := accounts.Authenticate(t.Context(), token)
		if err != nil || !slices.Contains(actor.Roles, role) || actor.User == (schemas.Pseudonym{}) {
			t.Errorf("%s: %+v, %v", token, actor, err)
		}
	}
}
