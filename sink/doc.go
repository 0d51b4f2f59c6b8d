// Package sink carries events, alerts, risk scores and sealed identities from Kafka into ClickHouse, and owns
// ClickHouse's tables and the views that dashboards read.
//
// It guarantees that
//
//   - an offset is committed only after its row was written: what ClickHouse did not take is
//     read again, so ClickHouse being down means lag, not loss;
//   - a row written twice is seen once. A block is one contiguous range of one partition. Its
//     range is noted in the commit's metadata before it is written under a token made of the
//     range, so that whoever continues after a crash forms the same block again, which
//     ClickHouse then leaves out. Where that cannot work (the token's window has passed, the
//     table is not replicated and its log was lost), the tables' sorting keys are the rows'
//     identities, and the views show one copy;
//   - a record that is no valid record goes to its dead-letter topic, unchanged, and the
//     others go on;
//   - Run ends only with its context, or with an error that people have to mend.
//
// DESIGN.md says what follows when each step fails.
//
// It may import schemas, and later vault; never pipeline.
package sink
