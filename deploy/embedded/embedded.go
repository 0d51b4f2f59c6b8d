// Package embedded runs the servers riskpipe needs without installing any: Kafka
// (kfake) and Redis (miniredis) in this process, and the real ClickHouse engine in
// a child process. The demo and the tests stand on it; production never does.
//
// It guarantees that
//
//   - what it starts listens on loopback only, and is gone when the process is gone,
//     however that ends: the engine's child lives no longer than its parent;
//   - the engine is ClickHouse itself (libchdb), not an imitation: SQL, types, merges,
//     deduplication tokens and errors are those of the server of that version. What it
//     lacks is the server around it: users, roles, clusters, and the native protocol;
//   - nothing is downloaded but the one pinned npm package, checked against the lock
//     file of this folder, and only when the engine is asked for and not found.
//
// It may import the fakes, purego and ch-go's compression. It must not import
// clickhouse-go (package sink owns it) nor any other riskpipe package.
//
// The engine needs Linux on x86-64 with glibc. Calling a shared library makes the whole
// binary depend on glibc's loader, even with CGO_ENABLED=0; an image without glibc
// builds with the tag riskpipe_noengine, which leaves the engine out and the rest in.
package embedded
