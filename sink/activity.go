package sink

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/riskpipe/riskpipe/schemas"
)

// activity is an event laid out as a row of the table: bodies it does not have are zero.
type activity struct {
	*schemas.Event
	device      *schemas.Device
	sourceIP    *schemas.SourceIP
	destination *schemas.Destination
	signIn      *schemas.SignIn
	email       *schemas.Email
	file        *schemas.File
	detection   *schemas.Detection
	hr          *schemas.HR
	health      *schemas.Health
}

// bodiesLender returns what gives an event bodies to be decoded into, the same ones every time.
func bodiesLender() func(*schemas.Event) {
	own := schemas.Event{
		Device: &schemas.Device{}, SourceIP: &schemas.SourceIP{}, Destination: &schemas.Destination{}, SignIn: &schemas.SignIn{},
		Email: &schemas.Email{}, File: &schemas.File{}, Detection: &schemas.Detection{}, HR: &schemas.HR{}, Health: &schemas.Health{},
	}
	managed, active := new(bool), new(bool)
	return func(e *schemas.Event) {
		own.Device.Managed, own.HR.Active = managed, active
		e.Device, e.SourceIP, e.Destination, e.SignIn = own.Device, own.SourceIP, own.Destination, own.SignIn
		e.Email, e.File, e.Detection, e.HR, e.Health = own.Email, own.File, own.Detection, own.HR, own.Health
	}
}

// eventFlattener returns what lays events out as rows. It fails for an event that has no place in
// the table.
func eventFlattener() func(*schemas.Event) (activity, error) {
	// What stands for the bodies that an event does not have, and is never written to.
	none := activity{
		device: &schemas.Device{}, sourceIP: &schemas.SourceIP{}, destination: &schemas.Destination{}, signIn: &schemas.SignIn{},
		email: &schemas.Email{}, file: &schemas.File{}, detection: &schemas.Detection{}, hr: &schemas.HR{}, health: &schemas.Health{},
	}
	return func(e *schemas.Event) (activity, error) {
		if err := validTime("time", e.Time); err != nil {
			return activity{}, err
		}
		return activity{
			Event:       e,
			device:      cmp.Or(e.Device, none.device),
			sourceIP:    cmp.Or(e.SourceIP, none.sourceIP),
			destination: cmp.Or(e.Destination, none.destination),
			signIn:      cmp.Or(e.SignIn, none.signIn),
			email:       cmp.Or(e.Email, none.email),
			file:        cmp.Or(e.File, none.file),
			detection:   cmp.Or(e.Detection, none.detection),
			hr:          cmp.Or(e.HR, none.hr),
			health:      cmp.Or(e.Health, none.health),
		}, nil
	}
}

func activityColumns() []column[activity] { return allColumns(activityBodies()) }

func activityBodies() []body[activity] {
	var (
		instant = func(get func(*activity) schemas.Time) cells[activity] {
			return from(func(a *activity) int64 { return clampTime(get(a)) })
		}
		date = func(get func(*activity) schemas.Time) cells[activity] {
			return from(func(a *activity) *int64 { return knownTime(get(a)) })
		}
		hash = func(get func(*activity) schemas.Hash) cells[activity] {
			return from(func(a *activity) uint64 { return uint64(get(a)) })
		}
	)
	return []body[activity]{{columns: []column[activity]{
		{"event_id", "UUID", from(func(a *activity) uuid.UUID { return uuid.UUID(a.ID) })},
		{"source", categoryType, from(func(a *activity) string { return string(a.Source) })},
		{"activity", categoryType, from(func(a *activity) string { return a.Activity })},
		{"operation", categoryType, from(func(a *activity) string { return a.Operation })},
		{"time", timeType, instant(func(a *activity) schemas.Time { return a.Time })},
		{"observed_time", timeType, instant(func(a *activity) schemas.Time { return a.ObservedTime })},
		{"user", "String", from(func(a *activity) schemas.Pseudonym { return a.User })},
		{"key_version", "UInt32", from(func(a *activity) uint32 { return uint32(a.KeyVersion) })},
		{"actor_type", categoryType, from(func(a *activity) string { return string(a.ActorType) })},
		{"outcome", categoryType, from(func(a *activity) string { return string(a.Outcome) })},
		{"groups", categoriesType, from(func(a *activity) []string { return a.Groups })},
		{"marks", categoriesType, from(func(a *activity) []string { return a.Marks })},
	}}, {of: func(a *activity) bool { return a.Device != nil }, columns: []column[activity]{
		{"device_id", "UInt64", hash(func(a *activity) schemas.Hash { return a.device.ID })},
		{"device_os", categoryType, from(func(a *activity) string { return a.device.OS })},
		{"device_managed", "Nullable(Bool)", from(func(a *activity) *bool { return a.device.Managed })},
	}}, {of: func(a *activity) bool { return a.SourceIP != nil }, columns: []column[activity]{
		{"source_ip_id", "UInt64", hash(func(a *activity) schemas.Hash { return a.sourceIP.ID })},
		{"source_country", categoryType, from(func(a *activity) string { return a.sourceIP.Country })},
		{"source_asn", "UInt32", from(func(a *activity) uint32 { return asn(a.sourceIP.ASN) })},
		{"source_private", "Bool", from(func(a *activity) bool { return a.sourceIP.Private })},
		{"source_latitude", "Int16", from(func(a *activity) int16 { return degrees(a.sourceIP.Latitude, 90) })},
		{"source_longitude", "Int16", from(func(a *activity) int16 { return degrees(a.sourceIP.Longitude, 180) })},
	}}, {of: func(a *activity) bool { return a.Destination != nil }, columns: []column[activity]{
		{"destination_class", categoryType, from(func(a *activity) string { return a.destination.Class })},
		{"destination_domain", "UInt64", hash(func(a *activity) schemas.Hash { return a.destination.Domain })},
		{"destination_external", "Bool", from(func(a *activity) bool { return a.destination.External })},
		{"destination_category", categoryType, from(func(a *activity) string { return a.destination.Category })},
	}}, {columns: []column[activity]{
		{"origin_topic", categoryType, from(func(a *activity) string { return a.Origin.Topic })},
		{"origin_partition", "Int32", from(func(a *activity) int32 { return a.Origin.Partition })},
		{"origin_offset", "Int64", from(func(a *activity) int64 { return a.Origin.Offset })},
		{"origin_index", "Int32", from(func(a *activity) int32 { return a.Origin.Index })},
		{"evidence", "String", from(func(a *activity) []byte { return a.Evidence })},
		{"evidence_key", "String", from(func(a *activity) string { return a.EvidenceKey })},

		// What several bodies have with one meaning is one column. A DLP match has two bodies, and its
		// detection knows best what was found.
		{"application", categoryType, from(func(a *activity) string { return cmp.Or(a.signIn.Application, a.file.Application) })},
		{"label", categoryType, from(func(a *activity) string { return cmp.Or(a.file.Label, a.email.Label) })},
		{"size", "Int64", from(func(a *activity) int64 { return cmp.Or(a.file.Size, a.email.Size) })},
		{"sensitive_types", categoriesType, from(func(a *activity) []string { return either(a.detection.SensitiveTypes, a.file.SensitiveTypes) })},
		{"sensitive_count", "Int32", from(func(a *activity) int32 { return cmp.Or(a.detection.SensitiveCount, a.file.SensitiveCount) })},
		{"enforcement", categoryType, from(func(a *activity) string { return cmp.Or(a.detection.Action, a.file.Enforcement) })},
	}}, {of: func(a *activity) bool { return a.SignIn != nil }, columns: []column[activity]{
		{"sign_in_resource", categoryType, from(func(a *activity) string { return a.signIn.Resource })},
		{"sign_in_client", categoryType, from(func(a *activity) string { return a.signIn.Client })},
		{"sign_in_legacy", "Bool", from(func(a *activity) bool { return a.signIn.Legacy })},
		{"sign_in_interactive", "Bool", from(func(a *activity) bool { return a.signIn.Interactive })},
		{"sign_in_mfa", "Bool", from(func(a *activity) bool { return a.signIn.MFA })},
		{"sign_in_status_code", "Int64", from(func(a *activity) int64 { return a.signIn.StatusCode })},
		{"sign_in_interrupted", "Bool", from(func(a *activity) bool { return a.signIn.Interrupted })},
		{"sign_in_conditional_access", categoryType, from(func(a *activity) string { return a.signIn.ConditionalAccess })},
		{"sign_in_risk_level", categoryType, from(func(a *activity) string { return a.signIn.RiskLevel })},
		{"sign_in_risk_types", categoriesType, from(func(a *activity) []string { return a.signIn.RiskTypes })},
	}}, {of: func(a *activity) bool { return a.Email != nil }, columns: []column[activity]{
		{"email_message", "UInt64", hash(func(a *activity) schemas.Hash { return a.email.Message })},
		{"email_direction", categoryType, from(func(a *activity) string { return a.email.Direction })},
		{"email_messages", "Int32", from(func(a *activity) int32 { return a.email.Messages })},
		{"email_recipients", "Int32", from(func(a *activity) int32 { return a.email.Recipients })},
		{"email_external_recipients", "Int32", from(func(a *activity) int32 { return a.email.ExternalRecipients })},
		{"email_attachments", "Int32", from(func(a *activity) int32 { return a.email.Attachments })},
		{"email_extensions", categoriesType, from(func(a *activity) []string { return a.email.Extensions })},
		{"email_attachment_names", "Array(UInt64)", from(func(a *activity) []uint64 {
			return each(a.email.AttachmentNames, func(h schemas.Hash) uint64 { return uint64(h) })
		})},
		{"email_access", categoryType, from(func(a *activity) string { return a.email.Access })},
		{"email_rule", categoryType, from(func(a *activity) string { return a.email.Rule })},
	}}, {of: func(a *activity) bool { return a.File != nil }, columns: []column[activity]{
		{"file_object", "UInt64", hash(func(a *activity) schemas.Hash { return a.file.Object })},
		{"file_name", "UInt64", hash(func(a *activity) schemas.Hash { return a.file.Name })},
		{"file_previous", "UInt64", hash(func(a *activity) schemas.Hash { return a.file.Previous })},
		{"file_extension", categoryType, from(func(a *activity) string { return a.file.Extension })},
		{"file_item_type", categoryType, from(func(a *activity) string { return a.file.ItemType })},
		{"file_count", "Int32", from(func(a *activity) int32 { return a.file.Count })},
		{"file_location", categoryType, from(func(a *activity) string { return a.file.Location })},
		{"file_label_change", categoryType, from(func(a *activity) string { return a.file.LabelChange })},
	}}, {of: func(a *activity) bool { return a.Detection != nil }, columns: []column[activity]{
		{"detection_finding", "UInt64", hash(func(a *activity) schemas.Hash { return a.detection.Finding })},
		{"detection_category", categoryType, from(func(a *activity) string { return a.detection.Category })},
		{"detection_severity", categoryType, from(func(a *activity) string { return a.detection.Severity })},
		{"detection_status", categoryType, from(func(a *activity) string { return a.detection.Status })},
		{"detection_techniques", categoriesType, from(func(a *activity) []string { return a.detection.Techniques })},
		{"detection_service", categoryType, from(func(a *activity) string { return a.detection.Service })},
		{"detection_policy", categoryType, from(func(a *activity) string { return a.detection.Policy })},
	}}, {of: func(a *activity) bool { return a.HR != nil }, columns: []column[activity]{
		{"hr_scenario", categoryType, from(func(a *activity) string { return a.hr.Scenario })},
		{"hr_effective", nullTimeType, date(func(a *activity) schemas.Time { return a.hr.Effective })},
		{"hr_resigned", nullTimeType, date(func(a *activity) schemas.Time { return a.hr.Resigned })},
		{"hr_last_day", nullTimeType, date(func(a *activity) schemas.Time { return a.hr.LastDay })},
		{"hr_withdrawn", "Bool", from(func(a *activity) bool { return a.hr.Withdrawn })},
		{"hr_active", "Nullable(Bool)", from(func(a *activity) *bool { return a.hr.Active })},
		{"hr_on_leave", "Bool", from(func(a *activity) bool { return a.hr.OnLeave })},
		{"hr_employee_type", categoryType, from(func(a *activity) string { return a.hr.EmployeeType })},
		{"hr_direction", categoryType, from(func(a *activity) string { return a.hr.Direction })},
	}}, {of: func(a *activity) bool { return a.Health != nil }, columns: []column[activity]{
		{"health_record", "UInt64", hash(func(a *activity) schemas.Hash { return a.health.Record })},
		{"health_restricted", "Bool", from(func(a *activity) bool { return a.health.Restricted })},
		{"health_employee", "Bool", from(func(a *activity) bool { return a.health.Employee })},
		{"health_break_glass", "Bool", from(func(a *activity) bool { return a.health.BreakGlass })},
	}}}
}

const (
	timeType       = "DateTime64(3, 'UTC')"
	nullTimeType   = "Nullable(DateTime64(3, 'UTC'))"
	categoryType   = "LowCardinality(String)"
	categoriesType = "Array(LowCardinality(String))"
)

// Times of rows must lie in ClickHouse's DateTime, which their retention is counted in.
var lastTime = schemas.TimeOf(time.Unix(math.MaxUint32, 0))

func validTime(field string, t schemas.Time) error {
	if t < 0 || t > lastTime {
		return fmt.Errorf("%s %d is outside of 1970 to 2106: %w", field, int64(t), schemas.ErrMalformed)
	}
	return nil
}

// Dates that people enter mean "never" when they lie far away. DateTime64 begins with 1900, and
// the client counts nanoseconds in 64 bits, which end in 2262.
var (
	earliest = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	latest   = time.Date(2261, 12, 31, 0, 0, 0, 0, time.UTC).UnixMilli()
)

func clampTime(t schemas.Time) int64 { return min(max(int64(t), earliest), latest) }

func knownTime(t schemas.Time) *int64 {
	if t == 0 {
		return nil
	}
	ms := clampTime(t)
	return &ms
}

func either(a, b []string) []string {
	if len(a) > 0 {
		return a
	}
	return b
}

// asn is 0 for what is no autonomous system number (RFC 6793: 32 bits).
func asn(n int64) uint32 {
	if n < 0 || n > math.MaxUint32 {
		return 0
	}
	return uint32(n)
}

// degrees is 0, not said, for what lies on no globe.
func degrees(n, limit int32) int16 {
	if n < -limit || n > limit {
		return 0
	}
	return int16(n)
}
