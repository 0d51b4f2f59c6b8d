package embedded

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/twmb/franz-go/pkg/kgo"
)

// The broker creates topics on first use, takes a 10 MB message, and serves a group.
func TestKafka_behavesLikeABroker(t *testing.T) {
	kafka, err := StartKafka(KafkaOptions{Partitions: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer kafka.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.Addrs()...), kgo.AllowAutoTopicCreation(), kgo.ProducerBatchMaxBytes(12<<20),
		kgo.ConsumerGroup("g"), kgo.ConsumeTopics("raw.file"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	big := bytes.Repeat([]byte("0123456789"), 1<<20)
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "raw.file", Value: big}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	fetches := client.PollFetches(ctx)
	if err := fetches.Err(); err != nil || fetches.NumRecords() != 1 || !bytes.Equal(fetches.Records()[0].Value, big) {
		t.Fatalf("%d records, %v", fetches.NumRecords(), err)
	}
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatal(err)
	}
}

// Keys expire by themselves, as on a real server.
func TestRedis_expires(t *testing.T) {
	server, err := StartRedis("")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	if err := client.Set(t.Context(), "k", "v", 100*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	if got, err := client.Get(t.Context(), "k").Result(); got != "v" {
		t.Fatalf("%q %v", got, err)
	}
	for range 100 {
		time.Sleep(20 * time.Millisecond)
		if errors.Is(client.Get(t.Context(), "k").Err(), redis.Nil) {
			return
		}
	}
	t.Error("the key does not expire")
}

// A stack starts on the addresses it is given, keeps ClickHouse's tables in its folder
// across restarts, and leaves nothing listening behind.
func TestStack_fixedPortsAndData(t *testing.T) {
	o := Options{KafkaAddr: freeAddr(t), RedisAddr: freeAddr(t), ClickHouseAddr: freeAddr(t), Data: t.TempDir()}
	for round := range 2 {
		stack, err := Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if k, r, c := stack.Kafka.Addrs()[0], stack.Redis.Addr(), stack.Engine.Addr(); k != o.KafkaAddr || r != o.RedisAddr || c != o.ClickHouseAddr {
			t.Errorf("got %s %s %s, want %s %s %s", k, r, c, o.KafkaAddr, o.RedisAddr, o.ClickHouseAddr)
		}
		if round == 0 {
			mustAt(t, o.ClickHouseAddr, "CREATE DATABASE kept")
			mustAt(t, o.ClickHouseAddr, "CREATE TABLE kept.t (a Int8) ENGINE = MergeTree ORDER BY a")
			mustAt(t, o.ClickHouseAddr, "CREATE TABLE t (a Int8) ENGINE = MergeTree ORDER BY a")
			mustAt(t, o.ClickHouseAddr, "INSERT INTO kept.t VALUES (1)")
			mustAt(t, o.ClickHouseAddr, "INSERT INTO t SELECT * FROM kept.t")
		} else if got := mustAt(t, o.ClickHouseAddr, "SELECT (SELECT sum(a) FROM kept.t) + (SELECT sum(a) FROM default.t)"); got != "2\n" {
			t.Errorf("after a restart: %q, want 2", got)
		}
		if err := stack.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, addr := range []string{o.KafkaAddr, o.RedisAddr, o.ClickHouseAddr} {
		if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			conn.Close()
			t.Errorf("%s still listens", addr)
		}
	}
}

// A port that is taken is an error at once, and stops what had started before it.
func TestStack_portInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	taken, kafka := listener.Addr().String(), freeAddr(t)
	for _, o := range []Options{
		{KafkaAddr: taken},
		{KafkaAddr: kafka, RedisAddr: taken},
		{KafkaAddr: kafka, ClickHouseAddr: taken},
		{WithoutKafka: true, WithoutRedis: true, ClickHouseAddr: "0.0.0.0:0"},
	} {
		if stack, err := Start(t.Context(), o); err == nil {
			stack.Close()
			t.Errorf("%+v started", o)
		} else if !strings.Contains(err.Error(), "address already in use") && !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%v does not say what is wrong", err)
		}
	}
	if conn, err := net.Dial("tcp", kafka); err == nil {
		conn.Close()
		t.Error("Kafka was left running")
	}
}

// The engine ends when its parent is killed, and takes its temporary folder with it.
func TestEngine_diesWithItsParent(t *testing.T) {
	if os.Getenv("EMBEDDED_TEST_PARENT") != "" {
		engine, err := StartEngine(t.Context(), EngineOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = os.Stdout.WriteString("\nchild " + strconv.Itoa(engine.cmd.Process.Pid) + "\n")
		select {}
	}
	temp := t.TempDir()
	parent := exec.Command(os.Args[0], "-test.run=^TestEngine_diesWithItsParent$")
	parent.Env = append(os.Environ(), "EMBEDDED_TEST_PARENT=1", "TMPDIR="+temp)
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	var said strings.Builder
	for buf := make([]byte, 1024); pid == 0; {
		n, err := stdout.Read(buf)
		said.Write(buf[:n])
		if _, rest, ok := strings.Cut(said.String(), "\nchild "); ok && strings.Contains(rest, "\n") {
			pid, _ = strconv.Atoi(strings.Fields(rest)[0])
		} else if err != nil {
			t.Fatalf("the parent said %q: %v", said.String(), err)
		}
	}
	_ = parent.Process.Kill()
	_ = parent.Wait()
	for range 100 {
		left, _ := filepath.Glob(filepath.Join(temp, "riskpipe-engine-*"))
		if syscall.Kill(pid, 0) == syscall.ESRCH && len(left) <= 1 { // one is of the parent's TestMain, see below
			for _, dir := range left {
				if strings.Contains(dir, tempPrefix(pid)) {
					t.Errorf("%s was left behind", dir)
				}
			}
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	t.Error("the engine outlived its parent")
}

// A program that does not know how to be the child is told so, not run twice for ever.
func TestStartEngine_wrongCommand(t *testing.T) {
	_, err := StartEngine(t.Context(), EngineOptions{Command: []string{"-test.run=^$"}})
	if err == nil || !strings.Contains(err.Error(), "ServeEngine") {
		t.Errorf("got %v", err)
	}
	t.Setenv(childEnv, "1")
	if _, err := StartEngine(t.Context(), EngineOptions{}); err == nil || !strings.Contains(err.Error(), "RunEngineIfChild") {
		t.Errorf("got %v", err)
	}
}

// A path that does not exist is named, instead of a download being tried.
func TestLocate_wrongPath(t *testing.T) {
	t.Setenv(LibraryEnv, "/nowhere/libchdb.so")
	if _, err := Ensure(t.Context(), nil); err == nil || !strings.Contains(err.Error(), LibraryEnv) {
		t.Errorf("got %v", err)
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func mustAt(t *testing.T, addr, sql string) string {
	t.Helper()
	before := engineAddr
	engineAddr = addr
	defer func() { engineAddr = before }()
	return must(t, sql)
}
