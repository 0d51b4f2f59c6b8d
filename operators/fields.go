package operators

import (
	"cmp"

	"github.com/riskpipe/riskpipe/schemas"
)

// fieldKind is what a field holds.
type fieldKind string

const (
	kindText   fieldKind = "text"
	kindNumber fieldKind = "number"
	kindTruth  fieldKind = "true or false"
	kindList   fieldKind = "list of texts"
	kindHash   fieldKind = "hash"
	kindHashes fieldKind = "list of hashes"
)

// field reads one thing of a subject, by the one function of its kind. Reading
// allocates nothing. What is absent reads as zero.
type field struct {
	kind   fieldKind
	text   func(*subject) string
	number func(*subject) int64 // also hashes
	// truth tells the value and whether the event says it at all: an unmanaged
	// device and a device of which nothing is known are not the same.
	truth  func(*subject) (value, said bool)
	list   func(*subject) []string
	hashes func(*subject) []schemas.Hash
	// values are all that a text can be, if event.avsc says so; a selection that
	// asks for another would never hold.
	values []string
}

func textField(read func(*subject) string, values ...string) field {
	return field{kind: kindText, text: read, values: values}
}

func numberField(read func(*subject) int64) field { return field{kind: kindNumber, number: read} }

func hashField(read func(*subject) schemas.Hash) field {
	return field{kind: kindHash, number: func(s *subject) int64 { return int64(read(s)) }}
}

func truthField(read func(*subject) (value, said bool)) field {
	return field{kind: kindTruth, truth: read}
}

func listField(read func(*subject) []string) field { return field{kind: kindList, list: read} }

func hashesField(read func(*subject) []schemas.Hash) field {
	return field{kind: kindHashes, hashes: read}
}

// nullable returns what is told by a nullable field.
func nullable(value *bool) (bool, bool) { return value != nil && *value, value != nil }

// Bodies for events that have none.
var (
	noDevice      schemas.Device
	noSourceIP    schemas.SourceIP
	noDestination schemas.Destination
	noSignIn      schemas.SignIn
	noEmail       schemas.Email
	noFile        schemas.File
	noDetection   schemas.Detection
	noHR          schemas.HR
	noHealth      schemas.Health
)

func (s *subject) device() *schemas.Device     { return cmp.Or(s.event.Device, &noDevice) }
func (s *subject) sourceIP() *schemas.SourceIP { return cmp.Or(s.event.SourceIP, &noSourceIP) }
func (s *subject) destination() *schemas.Destination {
	return cmp.Or(s.event.Destination, &noDestination)
}
func (s *subject) signIn() *schemas.SignIn       { return cmp.Or(s.event.SignIn, &noSignIn) }
func (s *subject) email() *schemas.Email         { return cmp.Or(s.event.Email, &noEmail) }
func (s *subject) file() *schemas.File           { return cmp.Or(s.event.File, &noFile) }
func (s *subject) detection() *schemas.Detection { return cmp.Or(s.event.Detection, &noDetection) }
func (s *subject) hr() *schemas.HR               { return cmp.Or(s.event.HR, &noHR) }
func (s *subject) health() *schemas.Health       { return cmp.Or(s.event.Health, &noHealth) }

// same tells whether a fact about a patient is known and is the person's own.
func (s *subject) same(patients, own schemas.Hash) (bool, bool) {
	return patients != 0 && patients == own, s.event.Health != nil
}

// fields are what a selection and an expression may speak of, by their paths in
// event.avsc, which says what each means. user.groups are the newest groups that
// are known of the person, groups those at the time of the event. The fields
// health.same_… compare the patient with the person.
var fields = map[string]field{
	"activity":    textField(func(s *subject) string { return s.event.Activity }),
	"operation":   textField(func(s *subject) string { return s.event.Operation }),
	"outcome":     textField(func(s *subject) string { return string(s.event.Outcome) }, "unknown", "success", "failure"),
	"source":      textField(func(s *subject) string { return string(s.event.Source) }, "unknown", "signin", "email", "file", "defender", "hr"),
	"groups":      listField(func(s *subject) []string { return s.event.Groups }),
	"marks":       listField(func(s *subject) []string { return s.event.Marks }),
	"user.groups": listField(func(s *subject) []string { return s.person.groups }),

	"device.id":      hashField(func(s *subject) schemas.Hash { return s.device().ID }),
	"device.os":      textField(func(s *subject) string { return s.device().OS }),
	"device.managed": truthField(func(s *subject) (bool, bool) { return nullable(s.device().Managed) }),

	"source_ip.id":        hashField(func(s *subject) schemas.Hash { return s.sourceIP().ID }),
	"source_ip.country":   textField(func(s *subject) string { return s.sourceIP().Country }),
	"source_ip.asn":       numberField(func(s *subject) int64 { return s.sourceIP().ASN }),
	"source_ip.private":   truthField(func(s *subject) (bool, bool) { return s.sourceIP().Private, s.event.SourceIP != nil }),
	"source_ip.latitude":  numberField(func(s *subject) int64 { return int64(s.sourceIP().Latitude) }),
	"source_ip.longitude": numberField(func(s *subject) int64 { return int64(s.sourceIP().Longitude) }),

	"destination.class": textField(func(s *subject) string { return s.destination().Class },
		"internal", "partner", "personal_mail", "personal_cloud", "ai", "unallowed", "public", "external"),
	"destination.domain":   hashField(func(s *subject) schemas.Hash { return s.destination().Domain }),
	"destination.external": truthField(func(s *subject) (bool, bool) { return s.destination().External, s.event.Destination != nil }),
	"destination.category": textField(func(s *subject) string { return s.destination().Category },
		"adult", "child_abuse", "criminal_activity", "cult", "gambling", "hacking", "hate", "illegal_software",
		"keylogger", "malware", "phishing", "violence", "llm"),

	"sign_in.application":        textField(func(s *subject) string { return s.signIn().Application }),
	"sign_in.resource":           textField(func(s *subject) string { return s.signIn().Resource }),
	"sign_in.client":             textField(func(s *subject) string { return s.signIn().Client }),
	"sign_in.legacy":             truthField(func(s *subject) (bool, bool) { return s.signIn().Legacy, s.event.SignIn != nil }),
	"sign_in.interactive":        truthField(func(s *subject) (bool, bool) { return s.signIn().Interactive, s.event.SignIn != nil }),
	"sign_in.mfa":                truthField(func(s *subject) (bool, bool) { return s.signIn().MFA, s.event.SignIn != nil }),
	"sign_in.status_code":        numberField(func(s *subject) int64 { return s.signIn().StatusCode }),
	"sign_in.interrupted":        truthField(func(s *subject) (bool, bool) { return s.signIn().Interrupted, s.event.SignIn != nil }),
	"sign_in.conditional_access": textField(func(s *subject) string { return s.signIn().ConditionalAccess }, "success", "failure", "notApplied"),
	"sign_in.risk_level":         textField(func(s *subject) string { return s.signIn().RiskLevel }, "none", "low", "medium", "high"),
	"sign_in.risk_types":         listField(func(s *subject) []string { return s.signIn().RiskTypes }),

	"email.message":             hashField(func(s *subject) schemas.Hash { return s.email().Message }),
	"email.direction":           textField(func(s *subject) string { return s.email().Direction }, "outbound", "inbound", "internal"),
	"email.messages":            numberField(func(s *subject) int64 { return int64(s.email().Messages) }),
	"email.recipients":          numberField(func(s *subject) int64 { return int64(s.email().Recipients) }),
	"email.external_recipients": numberField(func(s *subject) int64 { return int64(s.email().ExternalRecipients) }),
	"email.attachments":         numberField(func(s *subject) int64 { return int64(s.email().Attachments) }),
	"email.extensions":          listField(func(s *subject) []string { return s.email().Extensions }),
	"email.size":                numberField(func(s *subject) int64 { return s.email().Size }),
	"email.label":               textField(func(s *subject) string { return s.email().Label }),
	"email.access":              textField(func(s *subject) string { return s.email().Access }, "owner", "admin", "delegate"),
	"email.rule":                textField(func(s *subject) string { return s.email().Rule }, "forward", "redirect", "delete", "move", "permission"),
	"email.attachment_names":    hashesField(func(s *subject) []schemas.Hash { return s.email().AttachmentNames }),

	"file.object":    hashField(func(s *subject) schemas.Hash { return s.file().Object }),
	"file.name":      hashField(func(s *subject) schemas.Hash { return s.file().Name }),
	"file.previous":  hashField(func(s *subject) schemas.Hash { return s.file().Previous }),
	"file.extension": textField(func(s *subject) string { return s.file().Extension }),
	"file.item_type": textField(func(s *subject) string { return s.file().ItemType }, "file", "folder", "site", "page", "list", "link", "volume"),
	"file.size":      numberField(func(s *subject) int64 { return s.file().Size }),
	"file.count":     numberField(func(s *subject) int64 { return int64(s.file().Count) }),
	"file.location": textField(func(s *subject) string { return s.file().Location },
		"sharepoint", "onedrive", "teams", "device", "removable_media", "network_share", "cloud_app", "copilot"),
	"file.label":           textField(func(s *subject) string { return s.file().Label }),
	"file.label_change":    textField(func(s *subject) string { return s.file().LabelChange }, "applied", "upgraded", "downgraded", "removed", "changed"),
	"file.sensitive_types": listField(func(s *subject) []string { return s.file().SensitiveTypes }),
	"file.sensitive_count": numberField(func(s *subject) int64 { return int64(s.file().SensitiveCount) }),
	"file.enforcement":     textField(func(s *subject) string { return s.file().Enforcement }, "audit", "warn", "bypass", "block", "allow"),
	"file.application":     textField(func(s *subject) string { return s.file().Application }),

	"detection.finding":         hashField(func(s *subject) schemas.Hash { return s.detection().Finding }),
	"detection.category":        textField(func(s *subject) string { return s.detection().Category }),
	"detection.severity":        textField(func(s *subject) string { return s.detection().Severity }, "unknown", "informational", "low", "medium", "high"),
	"detection.status":          textField(func(s *subject) string { return s.detection().Status }, "new", "in_progress", "resolved", "dismissed"),
	"detection.techniques":      listField(func(s *subject) []string { return s.detection().Techniques }),
	"detection.service":         textField(func(s *subject) string { return s.detection().Service }),
	"detection.policy":          textField(func(s *subject) string { return s.detection().Policy }),
	"detection.sensitive_types": listField(func(s *subject) []string { return s.detection().SensitiveTypes }),
	"detection.sensitive_count": numberField(func(s *subject) int64 { return int64(s.detection().SensitiveCount) }),
	"detection.action":          textField(func(s *subject) string { return s.detection().Action }, "audit", "warn", "block", "allow"),

	"hr.scenario": textField(func(s *subject) string { return s.hr().Scenario }, "resignation", "job_level_change", "performance_review",
		"performance_improvement_plan", "employee_profile", "worker"),
	"hr.withdrawn":     truthField(func(s *subject) (bool, bool) { return s.hr().Withdrawn, s.event.HR != nil }),
	"hr.active":        truthField(func(s *subject) (bool, bool) { return nullable(s.hr().Active) }),
	"hr.on_leave":      truthField(func(s *subject) (bool, bool) { return s.hr().OnLeave, s.event.HR != nil }),
	"hr.employee_type": textField(func(s *subject) string { return s.hr().EmployeeType }),
	"hr.direction":     textField(func(s *subject) string { return s.hr().Direction }, "up", "down"),

	"health.record":      hashField(func(s *subject) schemas.Hash { return s.health().Record }),
	"health.restricted":  truthField(func(s *subject) (bool, bool) { return s.health().Restricted, s.event.Health != nil }),
	"health.employee":    truthField(func(s *subject) (bool, bool) { return s.health().Employee, s.event.Health != nil }),
	"health.break_glass": truthField(func(s *subject) (bool, bool) { return s.health().BreakGlass, s.event.Health != nil }),
	"health.same_family_name": truthField(func(s *subject) (bool, bool) {
		return s.same(s.health().FamilyName, s.person.profile.familyName)
	}),
	"health.same_address": truthField(func(s *subject) (bool, bool) { return s.same(s.health().Address, s.person.profile.address) }),
	"health.same_street":  truthField(func(s *subject) (bool, bool) { return s.same(s.health().Street, s.person.profile.street) }),
}
