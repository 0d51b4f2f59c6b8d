package schemas

// Audit is one record of the audit trail; audit.avsc says what each field means.
type Audit struct {
	Writer   string `avro:"writer" json:"writer"`
	Sequence int64  `avro:"sequence" json:"sequence"`
	Time     Time   `avro:"time" json:"time"`
	Actor    string `avro:"actor" json:"actor"`
	Action   string `avro:"action" json:"action"`
	Subject  string `avro:"subject" json:"subject"`
	Case     string `avro:"case" json:"case"`
	Detail   string `avro:"detail" json:"detail"`
	Previous Digest `avro:"previous" json:"previous"`
	Hash     Digest `avro:"hash" json:"hash"`
}
