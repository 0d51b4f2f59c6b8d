package schemas

// fileEvent has every envelope field of v1 and one body set.
func fileEvent() Event {
	return Event{
		ID: NewUUID("t", "1"), Source: SourceFile, Activity: "file.downloaded", Operation: "FileDownloaded",
		Time: 1772442000123, ObservedTime: 1772442001456, User: Pseudonym{1, 2, 3}, KeyVersion: 1,
		ActorType: ActorPerson, Outcome: OutcomeSuccess,
		Device:      &Device{ID: -5, OS: "Windows", Managed: new(true)},
		SourceIP:    &SourceIP{ID: 77, Country: "DE", ASN: 64500},
		Destination: &Destination{Class: "personal_mail", Domain: 9, External: true},
		Origin:      Origin{Topic: "raw.file", Partition: 3, Offset: 99, Index: 1},
		Evidence:    []byte{1, 2}, EvidenceKey: "k1",
		File: &File{
			Object: 1, Name: 2, Previous: 3, Extension: "docx", ItemType: "file", Size: 1 << 40, Count: 1,
			Location: "sharepoint", Label: "Confidential", LabelChange: "downgraded",
			SensitiveTypes: []string{"Credit Card Number"}, SensitiveCount: 3, Enforcement: "audit", Application: "Word",
		},
	}
}

func signInEvent() Event {
	return Event{
		ID: NewUUID("t", "2"), Source: SourceSignIn, Activity: "signin.failed", Time: 1772442000123, KeyVersion: 1,
		ActorType: ActorPerson, Outcome: OutcomeFailure,
		SignIn: &SignIn{Application: "Portal", StatusCode: 50126, MFA: true, RiskTypes: []string{"unfamiliarFeatures"}},
	}
}

// markedEvent has the envelope fields that came with v2.
func markedEvent() Event {
	e := fileEvent()
	e.Groups = []string{"priority_users", "sales"}
	e.Marks = []string{"price_lists", "project_x"}
	e.SourceIP.Latitude, e.SourceIP.Longitude = 53, -10
	e.Destination.Category = "llm"
	return e
}

func emailEvent() Event {
	return Event{
		ID: NewUUID("t", "3"), Source: SourceEmail, Activity: "email.sent_external", Operation: "Send", Time: 1772442000123,
		ObservedTime: 1772442001456, User: Pseudonym{1, 2, 3}, KeyVersion: 1, ActorType: ActorPerson, Outcome: OutcomeSuccess,
		Origin: Origin{Topic: "raw.email"},
		Email: &Email{
			Message: 4, Direction: "outbound", Messages: 1, Recipients: 2, ExternalRecipients: 1, Attachments: 2,
			Extensions: []string{"pdf"}, Size: 48211, AttachmentNames: []Hash{-6, 5},
		},
	}
}

func healthEvent() Event {
	return Event{
		ID: NewUUID("t", "4"), Source: SourceFile, Activity: "health.record_accessed", Operation: "AccessRecord", Time: 1772442000123,
		ObservedTime: 1772442001456, User: Pseudonym{1, 2, 3}, KeyVersion: 1, ActorType: ActorPerson, Outcome: OutcomeSuccess,
		Groups: []string{"ward_3"}, Origin: Origin{Topic: "raw.file"},
		Health: &Health{Record: -8, Restricted: true, Employee: true, BreakGlass: true, FamilyName: 9, Address: 10, Street: 11},
	}
}

func employeeEvent() Event {
	return Event{
		ID: NewUUID("t", "5"), Source: SourceHR, Activity: "hr.profile_updated", Time: 1772442000123, User: Pseudonym{1, 2, 3},
		KeyVersion: 1, ActorType: ActorPerson, Outcome: OutcomeSuccess,
		HR: &HR{Scenario: "employee_profile", Active: new(true), FamilyName: 9, Address: 10, Street: 11},
	}
}

// alert has every field of v1.
func alert() Alert {
	return Alert{
		ID: NewUUID("a"), Version: 3, User: Pseudonym{9}, Policy: "p", PolicyVersion: 1, PolicyHash: -7,
		Status: AlertOpen, Severity: SeverityHigh, Score: 67_415, OpenedAt: 1, UpdatedAt: 2, ObservedTime: 3,
		Contributions:   []Contribution{{KindIndicator, "i", 40_000, "d"}, {KindModifier, "m", 27_415, ""}},
		Counterfactuals: []Counterfactual{{"m", 40_000}}, EventIDs: []UUID{{1}, {2}},
	}
}

// heldAlert has every field.
func heldAlert() Alert {
	a := alert()
	a.Contributions = []Contribution{{KindSequence, "s", 68_000, "d"}, {KindBooster, "b", -585, "usual"}}
	a.Change, a.Trigger = ChangeEscalated, "resigned on 2026-03-02"
	a.Hold, a.HoldReason, a.HoldUntil, a.QuietAt = HoldSuppressed, "agreed migration", 4, 5
	return a
}

// risk has every field of v1.
func risk() Risk {
	return Risk{
		User: Pseudonym{9}, Time: 5, Score: 1, Level: LevelMinor, Policy: "p", PolicyVersion: 1, Cause: UUID{3},
		Contributions: []Contribution{{KindIndicator, "i", 1, ""}},
	}
}

// lateRisk has every field of v2.
func lateRisk() Risk {
	r := risk()
	r.Counterfactuals = []Counterfactual{{"m", 1}}
	r.Delta, r.Late, r.Expires = -2_500, true, 1772442000123
	return r
}

// countedRisk has every field.
func countedRisk() Risk {
	r := lateRisk()
	r.Sequence = 1 << 40
	return r
}

func identity() Identity {
	return Identity{User: Pseudonym{9}, KeyVersion: 2, UpdatedTime: 5, Sealed: []byte("sealed"), SealingKey: "k"}
}

func evidenceKey() EvidenceKey {
	return EvidenceKey{ID: "0102030405060708090a0b0c", VaultKey: "0123456789abcdef", Hour: 1772442000000, Format: 1, Wrapped: []byte("wrapped")}
}

func audit() Audit {
	return Audit{
		Writer: "vault", Sequence: 7, Time: 1772442000123, Actor: "token:erin", Action: "reveal.approved",
		Subject: Pseudonym{9}.String(), Case: "C-17", Detail: `{"reveal":"r"}`, Previous: Digest{1, 2}, Hash: Digest{3, 4},
	}
}
