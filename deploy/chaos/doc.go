// Package chaos breaks a whole installation on purpose and compares what is left
// with what must be: real Kafka, Redis and ClickHouse, the services as processes
// of their own, faults by a schedule that a seed decides. It holds tests alone,
// which run by `make chaos`, `make overload` and `make soak`; README.md says what
// they prove.
package chaos
