package schemas

// Source is the feed that a fact belongs to by its content.
type Source string

// The sources, as event.avsc lists them.
const (
	SourceUnknown  Source = "unknown"
	SourceSignIn   Source = "signin"
	SourceEmail    Source = "email"
	SourceFile     Source = "file"
	SourceDefender Source = "defender"
	SourceHR       Source = "hr"
)

var sourceSymbols = []Source{SourceUnknown, SourceSignIn, SourceEmail, SourceFile, SourceDefender, SourceHR}

// Sources lists the five feeds, in the order of the documentation.
func Sources() []Source {
	return []Source{SourceSignIn, SourceEmail, SourceFile, SourceDefender, SourceHR}
}

// ActorType is the kind of actor. Only a person is ever scored.
type ActorType string

// The actor types, as event.avsc lists them.
const (
	ActorUnknown   ActorType = "unknown"
	ActorPerson    ActorType = "person"
	ActorGuest     ActorType = "guest"
	ActorService   ActorType = "service"
	ActorSystem    ActorType = "system"
	ActorAnonymous ActorType = "anonymous"
)

var actorTypeSymbols = []ActorType{ActorUnknown, ActorPerson, ActorGuest, ActorService, ActorSystem, ActorAnonymous}

// Outcome says whether the actor got what they asked for.
type Outcome string

// The outcomes, as event.avsc lists them.
const (
	OutcomeUnknown Outcome = "unknown"
	OutcomeSuccess Outcome = "success"
	OutcomeFailure Outcome = "failure"
)

var outcomeSymbols = []Outcome{OutcomeUnknown, OutcomeSuccess, OutcomeFailure}

// Event is one normalised fact; event.avsc says what each field means. Times
// are milliseconds since 1970, UTC.
type Event struct {
	ID           UUID         `avro:"event_id" json:"event_id"`
	Source       Source       `avro:"source" json:"source"`
	Activity     string       `avro:"activity" json:"activity"`
	Operation    string       `avro:"operation" json:"operation,omitempty"`
	Time         Time         `avro:"time" json:"time"`
	ObservedTime Time         `avro:"observed_time" json:"observed_time"`
	User         Pseudonym    `avro:"user" json:"user"`
	KeyVersion   int32        `avro:"key_version" json:"key_version,omitempty"`
	ActorType    ActorType    `avro:"actor_type" json:"actor_type"`
	Outcome      Outcome      `avro:"outcome" json:"outcome"`
	Device       *Device      `avro:"device" json:"device,omitempty"`
	SourceIP     *SourceIP    `avro:"source_ip" json:"source_ip,omitempty"`
	Destination  *Destination `avro:"destination" json:"destination,omitempty"`
	Origin       Origin       `avro:"origin" json:"origin"`
	Evidence     []byte       `avro:"evidence,omitzero" json:"evidence,omitempty"`
	EvidenceKey  string       `avro:"evidence_key" json:"evidence_key,omitempty"`
	Groups       []string     `avro:"groups" json:"groups,omitempty"`
	Marks        []string     `avro:"marks" json:"marks,omitempty"`
	SignIn       *SignIn      `avro:"sign_in" json:"sign_in,omitempty"`
	Email        *Email       `avro:"email" json:"email,omitempty"`
	File         *File        `avro:"file" json:"file,omitempty"`
	Detection    *Detection   `avro:"detection" json:"detection,omitempty"`
	HR           *HR          `avro:"hr" json:"hr,omitempty"`
	Health       *Health      `avro:"health" json:"health,omitempty"`
}

// Device is what the analyst may know of the device.
type Device struct {
	ID      Hash   `avro:"id" json:"id,omitempty"`
	OS      string `avro:"os" json:"os,omitempty"`
	Managed *bool  `avro:"managed" json:"managed,omitempty"`
}

// SourceIP is what is not personal about an address.
type SourceIP struct {
	ID        Hash   `avro:"id" json:"id,omitempty"`
	Country   string `avro:"country" json:"country,omitempty"`
	ASN       int64  `avro:"asn" json:"asn,omitempty"`
	Private   bool   `avro:"private" json:"private,omitempty"`
	Latitude  int32  `avro:"latitude" json:"latitude,omitempty"`
	Longitude int32  `avro:"longitude" json:"longitude,omitempty"`
}

// Destination is where data went.
type Destination struct {
	Class    string `avro:"class" json:"class,omitempty"`
	Domain   Hash   `avro:"domain" json:"domain,omitempty"`
	External bool   `avro:"external" json:"external"`
	Category string `avro:"category" json:"category,omitempty"`
}

// Origin is where the raw record lies.
type Origin struct {
	Topic     string `avro:"topic" json:"topic,omitempty"`
	Partition int32  `avro:"partition" json:"partition"`
	Offset    int64  `avro:"offset" json:"offset"`
	Index     int32  `avro:"index" json:"index"`
}

// SignIn is the body of an authentication.
type SignIn struct {
	Application       string   `avro:"application" json:"application,omitempty"`
	Resource          string   `avro:"resource" json:"resource,omitempty"`
	Client            string   `avro:"client" json:"client,omitempty"`
	Legacy            bool     `avro:"legacy" json:"legacy,omitempty"`
	Interactive       bool     `avro:"interactive" json:"interactive,omitempty"`
	MFA               bool     `avro:"mfa" json:"mfa,omitempty"`
	StatusCode        int64    `avro:"status_code" json:"status_code"`
	Interrupted       bool     `avro:"interrupted" json:"interrupted,omitempty"`
	ConditionalAccess string   `avro:"conditional_access" json:"conditional_access,omitempty"`
	RiskLevel         string   `avro:"risk_level" json:"risk_level,omitempty"`
	RiskTypes         []string `avro:"risk_types" json:"risk_types,omitempty"`
}

// Email is the body of mail and mailbox activity.
type Email struct {
	Message            Hash     `avro:"message" json:"message,omitempty"`
	Direction          string   `avro:"direction" json:"direction,omitempty"`
	Messages           int32    `avro:"messages" json:"messages,omitempty"`
	Recipients         int32    `avro:"recipients" json:"recipients,omitempty"`
	ExternalRecipients int32    `avro:"external_recipients" json:"external_recipients,omitempty"`
	Attachments        int32    `avro:"attachments" json:"attachments,omitempty"`
	Extensions         []string `avro:"extensions" json:"extensions,omitempty"`
	Size               int64    `avro:"size" json:"size,omitempty"`
	Label              string   `avro:"label" json:"label,omitempty"`
	Access             string   `avro:"access" json:"access,omitempty"`
	Rule               string   `avro:"rule" json:"rule,omitempty"`
	AttachmentNames    []Hash   `avro:"attachment_names" json:"attachment_names,omitempty"`
}

// File is the body of file, sharing, removable-media and Copilot activity.
type File struct {
	Object         Hash     `avro:"object" json:"object,omitempty"`
	Name           Hash     `avro:"name" json:"name,omitempty"`
	Previous       Hash     `avro:"previous" json:"previous,omitempty"`
	Extension      string   `avro:"extension" json:"extension,omitempty"`
	ItemType       string   `avro:"item_type" json:"item_type,omitempty"`
	Size           int64    `avro:"size" json:"size,omitempty"`
	Count          int32    `avro:"count" json:"count,omitempty"`
	Location       string   `avro:"location" json:"location,omitempty"`
	Label          string   `avro:"label" json:"label,omitempty"`
	LabelChange    string   `avro:"label_change" json:"label_change,omitempty"`
	SensitiveTypes []string `avro:"sensitive_types" json:"sensitive_types,omitempty"`
	SensitiveCount int32    `avro:"sensitive_count" json:"sensitive_count,omitempty"`
	Enforcement    string   `avro:"enforcement" json:"enforcement,omitempty"`
	Application    string   `avro:"application" json:"application,omitempty"`
}

// Detection is the body of an alert, a DLP match or a risk detection.
type Detection struct {
	Finding        Hash     `avro:"finding" json:"finding,omitempty"`
	Category       string   `avro:"category" json:"category,omitempty"`
	Severity       string   `avro:"severity" json:"severity,omitempty"`
	Status         string   `avro:"status" json:"status,omitempty"`
	Techniques     []string `avro:"techniques" json:"techniques,omitempty"`
	Service        string   `avro:"service" json:"service,omitempty"`
	Policy         string   `avro:"policy" json:"policy,omitempty"`
	SensitiveTypes []string `avro:"sensitive_types" json:"sensitive_types,omitempty"`
	SensitiveCount int32    `avro:"sensitive_count" json:"sensitive_count,omitempty"`
	Action         string   `avro:"action" json:"action,omitempty"`
}

// HR is the body of a human-resources fact.
type HR struct {
	Scenario     string `avro:"scenario" json:"scenario,omitempty"`
	Effective    Time   `avro:"effective" json:"effective,omitempty"`
	Resigned     Time   `avro:"resigned" json:"resigned,omitempty"`
	LastDay      Time   `avro:"last_day" json:"last_day,omitempty"`
	Withdrawn    bool   `avro:"withdrawn" json:"withdrawn,omitempty"`
	Active       *bool  `avro:"active" json:"active,omitempty"`
	OnLeave      bool   `avro:"on_leave" json:"on_leave,omitempty"`
	EmployeeType string `avro:"employee_type" json:"employee_type,omitempty"`
	Direction    string `avro:"direction" json:"direction,omitempty"`
	FamilyName   Hash   `avro:"family_name" json:"family_name,omitempty"`
	Address      Hash   `avro:"address" json:"address,omitempty"`
	Street       Hash   `avro:"street" json:"street,omitempty"`
}

// Health is the body of access to a health record.
type Health struct {
	Record     Hash `avro:"record" json:"record,omitempty"`
	Restricted bool `avro:"restricted" json:"restricted,omitempty"`
	Employee   bool `avro:"employee" json:"employee,omitempty"`
	BreakGlass bool `avro:"break_glass" json:"break_glass,omitempty"`
	FamilyName Hash `avro:"family_name" json:"family_name,omitempty"`
	Address    Hash `avro:"address" json:"address,omitempty"`
	Street     Hash `avro:"street" json:"street,omitempty"`
}
