package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Options say what Start starts. The zero value starts everything on free ports.
type Options struct {
	// Addresses host:port on loopback, for whoever wants to find the servers again;
	// "" is a free port.
	KafkaAddr, RedisAddr, ClickHouseAddr string
	// Servers not to start, because real ones are used.
	WithoutKafka, WithoutRedis, WithoutClickHouse bool

	Partitions    int          // of automatically created topics; 0 is 8
	Data          string       // folder of ClickHouse's tables; "" is a temporary one
	EngineCommand []string     // see EngineOptions.Command
	Progress      io.Writer    // told about a download; nil is os.Stderr
	Log           *slog.Logger // nil discards
}

// Stack is the set of servers riskpipe needs. What was left out is nil.
type Stack struct {
	Kafka  *Kafka
	Redis  *Redis
	Engine *Engine
}

// Start starts the servers. On an error, none is left running. ctx bounds the start;
// the servers run until Close.
func Start(ctx context.Context, o Options) (*Stack, error) {
	s := &Stack{}
	var err error
	if !o.WithoutKafka {
		s.Kafka, err = StartKafka(KafkaOptions{Addr: o.KafkaAddr, Partitions: o.Partitions})
	}
	if err == nil && !o.WithoutRedis {
		s.Redis, err = StartRedis(o.RedisAddr)
	}
	if err == nil && !o.WithoutClickHouse {
		s.Engine, err = StartEngine(ctx, EngineOptions{
			Command: o.EngineCommand, Listen: o.ClickHouseAddr, Data: o.Data, Progress: o.Progress, Log: o.Log,
		})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting the embedded servers: %w", err), s.Close())
	}
	return s, nil
}

// Close stops the servers in the reverse order of their start.
func (s *Stack) Close() error {
	var errs []error
	if s.Engine != nil {
		errs = append(errs, s.Engine.Close())
	}
	if s.Redis != nil {
		errs = append(errs, s.Redis.Close())
		s.Redis = nil
	}
	if s.Kafka != nil {
		errs = append(errs, s.Kafka.Close())
		s.Kafka = nil
	}
	return errors.Join(errs...)
}
