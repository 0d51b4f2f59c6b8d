package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/riskpipe/riskpipe/deploy/embedded"
)

// newBrokersCommand is the process in which the embedded Kafka and Redis run, so that
// their CPU time is not that of the bench.
func newBrokersCommand() *cobra.Command {
	var withoutKafka, withoutRedis bool
	c := &cobra.Command{
		Use:    "brokers",
		Short:  "Run the embedded Kafka and Redis until standard input ends",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signal.Ignore(os.Interrupt, syscall.SIGTERM) // the parent stops us when it is done with us
			stack, err := embedded.Start(cmd.Context(), embedded.Options{
				WithoutClickHouse: true, WithoutKafka: withoutKafka, WithoutRedis: withoutRedis,
			})
			if err != nil {
				return err
			}
			var at brokerAddresses
			if stack.Kafka != nil {
				at.Kafka = stack.Kafka.Addrs()
			}
			if stack.Redis != nil {
				at.Redis = stack.Redis.Addr()
			}
			if err := json.NewEncoder(cmd.OutOrStdout()).Encode(at); err != nil {
				return errors.Join(err, stack.Close())
			}
			_, err = io.Copy(io.Discard, cmd.InOrStdin())
			return errors.Join(err, stack.Close())
		},
	}
	c.Flags().BoolVar(&withoutKafka, "without-kafka", false, "no Kafka")
	c.Flags().BoolVar(&withoutRedis, "without-redis", false, "no Redis")
	return c
}

// brokerAddresses is what brokers says when they are up.
type brokerAddresses struct {
	Kafka []string `json:"kafka,omitempty"`
	Redis string   `json:"redis,omitempty"`
}

// benchServers are the servers of a bench: real ones, or embedded ones in processes
// of their own.
type benchServers struct {
	config  Config
	sealed  bool
	kinds   map[string]string // server: what it is
	log     *slog.Logger
	brokers *exec.Cmd
	stdin   io.Closer
	stack   *embedded.Stack
}

func startBenchServers(ctx context.Context, config Config, o benchOptions, talk io.Writer) (_ *benchServers, err error) {
	s := &benchServers{config: config, sealed: !o.unsealed, kinds: map[string]string{}, log: newLogger(talk, LogConfig{Level: "warn", Format: "text"})}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	there := func(server string, addresses []string) bool {
		found := !o.embedded && answers(ctx, addresses)
		s.kinds[server] = "embedded"
		if found {
			s.kinds[server] = strings.Join(addresses, ",")
		}
		fmt.Fprintf(talk, "%s: %s\n", server, s.kinds[server])
		return found
	}
	kafka, redis := there("kafka", config.Kafka.Brokers), there("redis", config.Redis.Addresses)
	clickhouse := there("clickhouse", config.ClickHouse.Addresses)
	if !kafka || !redis {
		if err := s.startBrokers(kafka, redis); err != nil {
			return nil, fmt.Errorf("starting the embedded servers: %w", err)
		}
	}
	if !clickhouse {
		if s.stack, err = embedded.Start(ctx, embedded.Options{
			WithoutKafka: true, WithoutRedis: true, EngineCommand: []string{"engine"}, Progress: talk, Log: s.log,
		}); err != nil {
			return nil, err
		}
		s.config.ClickHouse = ClickHouseConfig{Addresses: []string{s.stack.Engine.Addr()}, Protocol: "http", Username: "default", Compression: "none"}
	}
	s.config.RawKafka = KafkaConfig{}
	s.config.Registry = RegistryConfig{}
	return s, nil
}

// answers tells whether somebody listens at one of the addresses.
func answers(ctx context.Context, addresses []string) bool {
	dialer := net.Dialer{Timeout: time.Second}
	for _, address := range addresses {
		if conn, err := dialer.DialContext(ctx, "tcp", address); err == nil {
			conn.Close()
			return true
		}
	}
	return false
}

func (s *benchServers) startBrokers(realKafka, realRedis bool) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	s.brokers = exec.Command(program, "brokers", //nolint:noctx // ended through its standard input
		fmt.Sprintf("--without-kafka=%t", realKafka), fmt.Sprintf("--without-redis=%t", realRedis))
	s.brokers.Stderr = os.Stderr
	if s.stdin, err = s.brokers.StdinPipe(); err != nil {
		return err
	}
	out, err := s.brokers.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.brokers.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("waiting for them: %w", err)
	}
	var at brokerAddresses
	if err := json.Unmarshal(line, &at); err != nil {
		return fmt.Errorf("reading their addresses: %w", err)
	}
	if !realKafka {
		s.config.Kafka = KafkaConfig{Brokers: at.Kafka}
	}
	if !realRedis {
		s.config.Redis = RedisConfig{Addresses: []string{at.Redis}}
	}
	return nil
}

func (s *benchServers) close() error {
	var problems []error
	if s.stack != nil {
		problems = append(problems, s.stack.Close())
	}
	if s.brokers != nil && s.stdin != nil {
		problems = append(problems, s.stdin.Close())
		if s.brokers.Process != nil {
			problems = append(problems, s.brokers.Wait())
		}
	}
	return errors.Join(problems...)
}
