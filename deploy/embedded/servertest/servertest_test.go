package servertest

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

// Each kind of server answers, and the engine is the same for all tests of a binary.
func TestServers(t *testing.T) {
	if len(TestKafka(t)) == 0 || TestRedis(t) == "" {
		t.Error("no address")
	}
	addr, db := Database(t)
	if err := run(addr, "CREATE TABLE "+db+".t (a Int8) ENGINE = MergeTree ORDER BY a"); err != nil {
		t.Error(err)
	}
	if again := TestClickHouse(t); again != addr {
		t.Errorf("a second engine at %s, the first is at %s", again, addr)
	}
}

// Names are safe everywhere and never repeat.
func TestUnique(t *testing.T) {
	t.Run("Ünsafe/näme with-everything and a great deal more than fits", func(t *testing.T) {
		a, b := Unique(t), Unique(t)
		if a == b || !regexp.MustCompile(`^t_[a-z0-9_]{1,58}$`).MatchString(a) {
			t.Errorf("%s and %s", a, b)
		}
	})
}

// Where real servers are required, a fake is a failure, not a skip; the engine is real.
func TestRequireReal(t *testing.T) {
	if os.Getenv("SERVERTEST_INNER") != "" {
		TestClickHouse(t)
		switch os.Getenv("SERVERTEST_INNER") {
		case "kafka":
			TestKafka(t)
		case "redis":
			TestRedis(t)
		}
		return
	}
	if dockerAnswers() {
		t.Log("Docker answers, so nothing falls back on a fake")
		return
	}
	for inner, ok := range map[string]bool{"clickhouse": true, "kafka": false, "redis": false} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRequireReal$")
		cmd.Env = append(os.Environ(), "SERVERTEST_INNER="+inner, RequireRealEnv+"=1", KafkaEnv+"=", RedisEnv+"=")
		output, err := cmd.CombinedOutput()
		if (err == nil) != ok || !ok && !strings.Contains(string(output), "is required") {
			t.Errorf("%s: %v\n%s", inner, err, output)
		}
	}
}
