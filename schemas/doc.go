// Package schemas is the wire: the Avro schemas of every record that crosses a
// Kafka topic of riskpipe and of the evidence sealed in it, the Go structs that mirror
// them, and their codecs.
//
// It guarantees that what one version writes every later version reads (golden
// bytes of each released version are tested), that decoding never trusts its
// input, and that the same value always encodes to the same bytes.
//
// It imports nothing else of riskpipe. The .avsc files are the reference for
// what a field means; the structs repeat only names.
package schemas
