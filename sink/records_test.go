package sink

import (
	"strconv"

	"github.com/riskpipe/riskpipe/schemas"
)

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

var (
	somebody = schemas.Pseudonym{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8}
	nobody   = schemas.Pseudonym{}
)

const noon = schemas.Time(1_772_366_400_000) // 2026-03-01 12:00 UTC

// fullEvents has one event a body, and together every field set.
func fullEvents() []schemas.Event {
	base := func(n int, source schemas.Source, activity string) schemas.Event {
		return schemas.Event{
			ID: schemas.NewUUID("test", strconv.Itoa(n)), Source: source, Activity: activity, Operation: "Op" + strconv.Itoa(n),
			Time: noon + schemas.Time(n), ObservedTime: noon + 1000 + schemas.Time(n), User: somebody, KeyVersion: 2,
			ActorType: schemas.ActorPerson, Outcome: schemas.OutcomeSuccess,
			Origin: schemas.Origin{Topic: "raw." + string(source), Partition: 3, Offset: int64(100 + n), Index: 1},
		}
	}
	file := base(0, schemas.SourceFile, "file.copied_to_removable_media")
	file.Device = &schemas.Device{ID: -5, OS: "Windows", Managed: new(true)}
	file.Groups, file.Marks = []string{"priority_users", "sales"}, []string{"price_lists", "project_x"}
	file.SourceIP = &schemas.SourceIP{ID: 77, Country: "DE", ASN: 3320, Private: true, Latitude: 53, Longitude: -10}
	file.Destination = &schemas.Destination{Class: "personal_cloud", Domain: -9, External: true, Category: "hacking"}
	file.Evidence, file.EvidenceKey = []byte{0, 0xff, '\n', '\''}, "k1"
	file.File = &schemas.File{
		Object: 1, Name: -2, Previous: 3, Extension: "xlsx", ItemType: "file", Size: 1 << 40, Count: 4, Location: "removable_media",
		Label: "Confidential", LabelChange: "removed", SensitiveTypes: []string{"Credit Card Number", "IBAN"}, SensitiveCount: 5,
		Enforcement: "warn", Application: "explorer.exe",
	}
	signIn := base(1, schemas.SourceSignIn, "signin.failed")
	signIn.Outcome = schemas.OutcomeFailure
	signIn.SignIn = &schemas.SignIn{
		Application: "Portal", Resource: "Graph", Client: "IMAP4", Legacy: true, Interactive: true, MFA: true, StatusCode: 50126,
		Interrupted: true, ConditionalAccess: "notApplied", RiskLevel: "high", RiskTypes: []string{"impossibleTravel"},
	}
	email := base(2, schemas.SourceEmail, "email.sent_external")
	email.Email = &schemas.Email{
		Message: 11, Direction: "outbound", Messages: 2, Recipients: 3, ExternalRecipients: 1, Attachments: 2,
		Extensions: []string{"docx", "zip"}, Size: 12345, Label: "Public", Access: "delegate", Rule: "forward",
		AttachmentNames: []schemas.Hash{-2, 12},
	}
	detection := base(3, schemas.SourceDefender, "detection.malware")
	detection.Detection = &schemas.Detection{
		Finding: 21, Category: "malware", Severity: "high", Status: "new", Techniques: []string{"T1005", "T1078.004"},
		Service: "Endpoint", Policy: "Block known", SensitiveTypes: []string{"SSN"}, SensitiveCount: 7, Action: "block",
	}
	hr := base(4, schemas.SourceHR, "hr.resignation")
	hr.HR = &schemas.HR{
		Scenario: "resignation", Effective: noon, Resigned: noon - 86_400_000, LastDay: noon + 30*86_400_000, Withdrawn: true,
		Active: new(false), OnLeave: true, EmployeeType: "Employee", Direction: "down", FamilyName: 31, Address: 32, Street: 33,
	}
	bare := base(5, schemas.SourceUnknown, "search.performed")
	bare.User, bare.ActorType = nobody, schemas.ActorAnonymous
	health := base(6, schemas.SourceFile, "health.record_accessed")
	health.Marks = []string{"price_lists"}
	health.Health = &schemas.Health{
		Record: -41, Restricted: true, Employee: true, BreakGlass: true, FamilyName: 31, Address: 32, Street: 33,
	}
	return []schemas.Event{file, signIn, email, detection, hr, bare, health}
}

func fullAlert(version int32) schemas.Alert {
	return schemas.Alert{
		ID: schemas.NewUUID("alert", "1"), Version: version, User: somebody, Policy: "data_theft_departing_user", PolicyVersion: 3,
		PolicyHash: -1, Status: schemas.AlertOpen, Severity: schemas.SeverityHigh, Score: 70_001 + schemas.Points(version),
		OpenedAt: noon, UpdatedAt: noon + schemas.Time(version)*1000, ObservedTime: noon + schemas.Time(version)*1000 + 500,
		Contributions: []schemas.Contribution{
			{Kind: schemas.KindIndicator, Name: "copy_to_removable_media", Points: 50_000, Detail: "50 files in 2 days"},
			{Kind: schemas.KindModifier, Name: "resignation", Points: 20_002 + schemas.Points(version), Detail: "leaves in 5 days"},
			{Kind: schemas.KindBooster, Name: "unusual_volume", Points: -1, Detail: "usual for the person"},
		},
		Counterfactuals: []schemas.Counterfactual{{Without: "resignation", Score: 41_250}},
		EventIDs:        []schemas.UUID{schemas.NewUUID("test", "1"), schemas.NewUUID("test", "0")},
		Change:          schemas.ChangeEscalated, Trigger: "resigned on 2026-02-27",
		Hold: schemas.HoldThrottled, HoldReason: "20 alerts a day", HoldUntil: noon + 86_400_000, QuietAt: noon + 7*86_400_000,
	}
}

func fullRisk(n int) schemas.Risk {
	return schemas.Risk{
		User: somebody, Time: noon + schemas.Time(n)*1000, Score: 60_000 + schemas.Points(n), Level: schemas.LevelElevated,
		Policy: "data_theft_departing_user", PolicyVersion: 3, Cause: schemas.NewUUID("test", strconv.Itoa(n)),
		Contributions: []schemas.Contribution{
			{Kind: schemas.KindIndicator, Name: "copy_to_removable_media", Points: 60_000 + schemas.Points(n), Detail: "50 files"},
		},
		Delta: 1500 + schemas.Points(n), Late: n%2 == 1, Expires: noon + 30*86_400_000, Sequence: int64(n) + 1,
	}
}

// manyEvents are n events of a few users in two months.
func manyEvents(n int) []schemas.Event {
	events := make([]schemas.Event, n)
	for i := range events {
		events[i] = fullEvents()[i%5]
		events[i].ID = schemas.NewUUID("many", strconv.Itoa(i))
		events[i].User[15] = byte(i % 37)
		events[i].Time = noon + schemas.Time(i%2)*31*86_400_000
	}
	return events
}
