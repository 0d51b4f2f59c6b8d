package main

import (
	"github.com/riskpipe/riskpipe/pipeline"
	"github.com/riskpipe/riskpipe/schemas"
)

// replaySummary is summary.json. It holds nothing that depends on when or where
// replay ran.
type replaySummary struct {
	KafkaRecords int                          `json:"kafka_records"`
	OtherTopics  int                          `json:"records_of_other_topics"`
	Records      int                          `json:"records"`
	Events       int                          `json:"events"`
	BySource     map[schemas.Source]int       `json:"events_by_source"`
	Rejects      map[string]int               `json:"rejects"`
	Skips        map[string]int               `json:"skips"`
	OutOfScope   map[pipeline.ScopeReason]int `json:"events_out_of_scope"`
	Unresolved   int                          `json:"unresolved_identities"`
	Conflicts    int                          `json:"identity_conflicts"`
	Users        int                          `json:"users_with_state"`
	Scored       int                          `json:"events_scored"`
	Duplicates   int                          `json:"events_known_before"`
	Late         int                          `json:"events_too_late"`
	Excluded     int                          `json:"events_excluded"`
	Exclusions   map[string]int               `json:"exclusions"`
	Alerts       int                          `json:"alerts"`
	Versions     int                          `json:"alert_versions"`
	BySeverity   map[string]int               `json:"alerts_by_severity"`
	RiskChanges  int                          `json:"risk_changes"`
	Policies     schemas.Hash                 `json:"policy_set"`
	From         schemas.Time                 `json:"first_event"`
	To           schemas.Time                 `json:"last_event"`
	Detection    *detection                   `json:"detection,omitempty"`
}
