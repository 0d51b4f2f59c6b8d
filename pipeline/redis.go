package pipeline

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisConfig says how to reach Redis or Valkey.
type RedisConfig struct {
	// Addresses are host:port of one server, or of some nodes of a cluster.
	Addresses []string
	// Cluster says that the servers form a Redis Cluster.
	Cluster bool
	// Username and Password are those of an ACL user; a password alone is that
	// of the default user.
	Username string
	Password string
	// Database is the number of the database, 0 in a cluster.
	Database int
	// TLS is used when it is not nil.
	TLS *tls.Config
	// Prefix begins every key, so that installations can share a server.
	Prefix string
	// Timeout bounds one command. 0 means 3 seconds.
	Timeout time.Duration
}

// Validate reports every problem at once.
func (c RedisConfig) Validate() error {
	var problems []error
	if len(c.Addresses) == 0 {
		problems = append(problems, errors.New("redis.addresses is empty: name at least one host:port"))
	}
	for _, address := range c.Addresses {
		if _, _, err := net.SplitHostPort(address); err != nil {
			problems = append(problems, fmt.Errorf("redis.addresses: %q is not host:port: %w", address, err))
		}
	}
	if len(c.Addresses) > 1 && !c.Cluster {
		problems = append(problems, errors.New("redis.addresses names several servers: set redis.cluster, or name one"))
	}
	if c.Database < 0 || c.Cluster && c.Database != 0 {
		problems = append(problems, fmt.Errorf("redis.database is %d: must be 0 in a cluster and 0 or more elsewhere", c.Database))
	}
	if c.Username != "" && c.Password == "" {
		problems = append(problems, errors.New("redis.username is set without redis.password"))
	}
	if c.Timeout < 0 {
		problems = append(problems, fmt.Errorf("redis.timeout is %s: must not be negative", c.Timeout))
	}
	return errors.Join(problems...)
}

// Redis is a connection to Redis and what riskpipe keeps there.
type Redis struct {
	client  redis.UniversalClient
	prefix  string
	servers *servers
}

// NewRedis returns a client; it connects on first use.
func NewRedis(c RedisConfig) (*Redis, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 3 * time.Second
	}
	r := &Redis{prefix: c.Prefix, servers: &servers{known: map[string]bool{}}}
	r.client = redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: c.Addresses, IsClusterMode: c.Cluster,
		Username: c.Username, Password: c.Password, DB: c.Database, TLSConfig: c.TLS,
		ClientName:  "riskpipe",
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout,
		ContextTimeoutEnabled: true,
		// One retry mends a connection that the server closed while it was idle.
		// A transaction that is sent twice cannot be applied twice: it watches
		// the fence which it replaces.
		MaxRetries: 1,
		OnConnect:  r.servers.meet,
	})
	return r, nil
}

// Close closes the connections.
func (r *Redis) Close() error {
	if err := r.client.Close(); err != nil {
		return fmt.Errorf("closing redis: %w", err)
	}
	return nil
}
