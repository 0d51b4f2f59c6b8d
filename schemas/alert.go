package schemas

// Severity is the band of an alert's score.
type Severity string

// The severities, lowest first.
const (
	SeverityNone   Severity = "none"
	SeverityLow    Severity = "low"
	SeverityMedium Severity = "medium"
	SeverityHigh   Severity = "high"
)

// AlertStatus says whether an alert still accrues evidence.
type AlertStatus string

// The alert statuses.
const (
	AlertOpen   AlertStatus = "open"
	AlertClosed AlertStatus = "closed"
)

// Level is the band of a person's risk score, for enforcement systems.
type Level string

// The levels, lowest first.
const (
	LevelNone     Level = "none"
	LevelMinor    Level = "minor"
	LevelModerate Level = "moderate"
	LevelElevated Level = "elevated"
)

// Alert is one version of one alert; alert.avsc says what each field means.
type Alert struct {
	ID              UUID             `avro:"alert_id" json:"alert_id"`
	Version         int32            `avro:"version" json:"version"`
	User            Pseudonym        `avro:"user" json:"user"`
	Policy          string           `avro:"policy" json:"policy"`
	PolicyVersion   int32            `avro:"policy_version" json:"policy_version"`
	PolicyHash      Hash             `avro:"policy_hash" json:"policy_hash"`
	Status          AlertStatus      `avro:"status" json:"status"`
	Severity        Severity         `avro:"severity" json:"severity"`
	Score           Points           `avro:"score" json:"score"`
	OpenedAt        Time             `avro:"opened_at" json:"opened_at"`
	UpdatedAt       Time             `avro:"updated_at" json:"updated_at"`
	ObservedTime    Time             `avro:"observed_time" json:"observed_time"`
	Contributions   []Contribution   `avro:"contributions" json:"contributions"`
	Counterfactuals []Counterfactual `avro:"counterfactuals" json:"counterfactuals"`
	EventIDs        []UUID           `avro:"event_ids" json:"event_ids"`
	Change          string           `avro:"change" json:"change"`
	Trigger         string           `avro:"trigger" json:"trigger"`
	Hold            string           `avro:"hold" json:"hold,omitempty"`
	HoldReason      string           `avro:"hold_reason" json:"hold_reason,omitempty"`
	HoldUntil       Time             `avro:"hold_until" json:"hold_until,omitempty"`
	QuietAt         Time             `avro:"quiet_at" json:"quiet_at"`
}

// Contribution is one line of a ledger; a ledger's points sum to its score.
type Contribution struct {
	Kind   string `avro:"kind" json:"kind"`
	Name   string `avro:"name" json:"name"`
	Points Points `avro:"points" json:"points"`
	Detail string `avro:"detail" json:"detail"`
}

// The kinds of contribution.
const (
	KindIndicator  = "indicator"
	KindSequence   = "sequence"
	KindCumulative = "cumulative"
	KindBooster    = "booster"
	KindModifier   = "modifier"
)

// The changes that a version of an alert can be.
const (
	ChangeOpened      = "opened"
	ChangeUpdated     = "updated"
	ChangeEscalated   = "escalated"
	ChangeDeescalated = "deescalated"
	ChangeClosed      = "closed"
	ChangeReopened    = "reopened"
)

// The reasons to hold an alert.
const (
	HoldThrottled  = "throttled"
	HoldSuppressed = "suppressed"
)

// Counterfactual is the score without one factor.
type Counterfactual struct {
	Without string `avro:"without" json:"without"`
	Score   Points `avro:"score" json:"score"`
}

// Risk is a change of one person's risk score; risk.avsc says what each field
// means.
type Risk struct {
	User            Pseudonym        `avro:"user" json:"user"`
	Time            Time             `avro:"time" json:"time"`
	Score           Points           `avro:"score" json:"score"`
	Level           Level            `avro:"level" json:"level"`
	Policy          string           `avro:"policy" json:"policy"`
	PolicyVersion   int32            `avro:"policy_version" json:"policy_version"`
	Cause           UUID             `avro:"cause" json:"cause"`
	Contributions   []Contribution   `avro:"contributions" json:"contributions"`
	Delta           Points           `avro:"delta" json:"delta"`
	Late            bool             `avro:"late" json:"late,omitempty"`
	Expires         Time             `avro:"expires" json:"expires"`
	Counterfactuals []Counterfactual `avro:"counterfactuals" json:"counterfactuals"`
	Sequence        int64            `avro:"sequence" json:"sequence"`
}

// Newer tells whether r is a later change of its user's score than other, for
// readers of a topic where a record can arrive behind a newer one. Times never go
// back from change to change, and unlike sequences they still compare when a
// state was made anew from a log whose beginning is gone.
func (r *Risk) Newer(other *Risk) bool {
	if r.Time != other.Time {
		return r.Time > other.Time
	}
	return r.Sequence > other.Sequence
}

// Identity is the escrow of one identity; identity.avsc says what each field
// means.
type Identity struct {
	User        Pseudonym `avro:"user" json:"user"`
	KeyVersion  int32     `avro:"key_version" json:"key_version"`
	UpdatedTime Time      `avro:"updated_time" json:"updated_time"`
	Sealed      []byte    `avro:"sealed" json:"sealed"`
	SealingKey  string    `avro:"sealing_key" json:"sealing_key"`
}

// EvidenceKey is a data key that is sealed to the vault; evidence_key.avsc says
// what each field means.
type EvidenceKey struct {
	ID       string `avro:"key_id" json:"key_id"`
	VaultKey string `avro:"vault_key" json:"vault_key"`
	Hour     Time   `avro:"hour" json:"hour"`
	Format   int32  `avro:"format" json:"format"`
	Wrapped  []byte `avro:"wrapped" json:"wrapped"`
}
