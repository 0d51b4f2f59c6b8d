package tenant

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// small is a tenant that is quick to make and has every story.
func small(t testing.TB, o Options) *Tenant {
	t.Helper()
	if o.Users == 0 {
		o.Users, o.Days = 60, 30
	}
	tenant, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

func digest(t *Tenant) [32]byte {
	h := sha256.New()
	for r := range t.Records() {
		h.Write([]byte(string(r.Source) + r.Time.String()))
		h.Write(r.Value)
	}
	return [32]byte(h.Sum(nil))
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	// Another run, and another tenant of the same options, give the same bytes; another seed gives others.
	one, two, other := small(t, Options{Seed: 7}), small(t, Options{Seed: 7}), small(t, Options{Seed: 8})
	first := digest(one)
	if first != digest(one) {
		t.Error("a second run of one tenant differs")
	}
	if first != digest(two) {
		t.Error("another tenant with the same options differs")
	}
	if first == digest(other) {
		t.Error("another seed gives the same bytes")
	}
}

func TestRecordsAreInOrderAndWellFormed(t *testing.T) {
	t.Parallel()
	// Times never go back, and every value is JSON, or CSV under a header for HR.
	tenant := small(t, Options{Seed: 3})
	var last schemas.Time
	n := 0
	for r := range tenant.Records() {
		n++
		if r.Time < last {
			t.Fatalf("record %d is of %s, after one of %s", n, r.Time, last)
		}
		last = r.Time
		if r.Time < tenant.start {
			t.Fatalf("record %d is of %s, before the tenant's first day", n, r.Time)
		}
		if json.Valid(r.Value) {
			continue
		}
		if r.Source != schemas.SourceHR {
			t.Fatalf("record %d (%s) is no JSON: %.300s", n, r.Source, r.Value)
		}
		reader := csv.NewReader(bytes.NewReader(r.Value))
		if rows, err := reader.ReadAll(); err != nil || len(rows) == 0 {
			t.Fatalf("record %d is neither JSON nor CSV: %v in %.300s", n, err, r.Value)
		}
	}
	if end := tenant.midnight(tenant.Days() + 3); last > end {
		t.Errorf("the last record is of %s, more than three days after the last day", last)
	}
}

func TestEveryShapeIsThere(t *testing.T) {
	t.Parallel()
	// Each source has all the forms that its upstream really publishes.
	want := map[schemas.Source][]string{
		schemas.SourceSignIn: {
			`"category":"SignInLogs"`, `"category":"NonInteractiveUserSignInLogs"`, `"category":"ServicePrincipalSignInLogs"`,
			`"category":"ManagedIdentitySignInLogs"`, `"category":"UserRiskEvents"`, `"category":"AuditLogs"`, `"Operation":"UserLoggedIn"`,
			`"Operation":"UserLoginFailed"`, `"resultType":"50126"`, `"resultType":"50140"`, `},null]}`,
		},
		schemas.SourceEmail: {
			`"Operation":"Send"`, `"Operation":"MailItemsAccessed"`, `"Operation":"Create"`, `"Operation":"MoveToDeletedItems"`,
			`"Operation":"UpdateInboxRules"`, `"Operation":"New-InboxRule"`, `NT AUTHORITY\\SYSTEM`, `"MessageTraceId"`, `"/Date(`,
			`"Attachments":"`, `"AuditData":"{`, `"auditData":{`, `]:`,
		},
		schemas.SourceFile: {
			`"Operation":"FileAccessed"`, `"Operation":"FileDownloaded"`, `"Operation":"FileUploaded"`, `"Operation":"FileModified"`,
			`"Operation":"FileSyncDownloadedFull"`, `"Operation":"FileRenamed"`, `"Operation":"FileDeleted"`, `"Operation":"SharingSet"`,
			`"Operation":"SharingInvitationCreated"`, `#EXT#@`, `"Operation":"DLPRuleMatch"`, `"Operation":"FileCopiedToRemovableMedia"`,
			`"Operation":"FilePrinted"`, `"Operation":"FileUploadedToCloud"`, `"TargetDomain"`, `"Operation":"FileArchived"`,
			`"Operation":"SensitivityLabelApplied"`, `"RecordType":261`, `"Operation":"AnonymousLinkCreated"`, `"Operation":"AnonymousLinkUsed"`, `"Operation":"PastedToBrowser"`, `"SensitiveInfoTypeName"`, `"AuditData":"{`, `"auditData":{`, `app@sharepoint`,
		},
		schemas.SourceDefender: {
			"AdvancedHunting-DeviceEvents", "UsbDriveMounted", "AdvancedHunting-DeviceFileEvents", "AdvancedHunting-EmailEvents",
			"AdvancedHunting-EmailAttachmentInfo", "AdvancedHunting-CloudAppEvents", `"RawEventData":{`, "AdvancedHunting-IdentityLogonEvents",
			"AdvancedHunting-DeviceNetworkEvents", "AdvancedHunting-AlertInfo", "AdvancedHunting-AlertEvidence", "AdvancedHunting-IdentityInfo",
			"microsoft.graph.security.userEvidence", "SmartScreenUrlWarning", "TamperingAttempt", `"EmailDirection":"Outbound"`, `"EmailDirection":"Inbound"`, `"EmailDirection":"Intra-org"`,
		},
		schemas.SourceHR: {
			"EmailAddress,ResignationDate", "+05:30", "EmailAddress,EffectiveDate,Remarks,Rating", "OldLevel,NewLevel", "BulkRequest",
			"WorkerID,WorkerStatus", ",Withdrawn", ",Inactive,", "HRScenario,", "EmployeeAddressLine1,", "Patient Reg Id,",
		},
	}
	tenant := small(t, Options{Seed: 5, Users: 200, Days: 30})
	for r := range tenant.Records() {
		missing := want[r.Source][:0]
		for _, text := range want[r.Source] {
			if !bytes.Contains(r.Value, []byte(text)) {
				missing = append(missing, text)
			}
		}
		want[r.Source] = missing
	}
	for source, missing := range want {
		for _, text := range missing {
			t.Errorf("no %s record has %s", source, text)
		}
	}
}

func TestSomeSignInsAreDeliveredTwice(t *testing.T) {
	t.Parallel()
	// A share of about 3 % comes again with the same properties and another envelope time.
	type seen struct{ time, properties string }
	first := map[string]seen{}
	records, again := 0, 0
	for r := range small(t, Options{Seed: 2}).Records() {
		if r.Source != schemas.SourceSignIn || !bytes.HasPrefix(r.Value, []byte(`{"records"`)) {
			continue
		}
		var envelope struct {
			Records []*struct {
				Time       string
				Properties json.RawMessage
			}
		}
		if err := json.Unmarshal(r.Value, &envelope); err != nil {
			t.Fatal(err)
		}
		for _, record := range envelope.Records {
			if record == nil {
				continue
			}
			records++
			var id struct{ ID string }
			if err := json.Unmarshal(record.Properties, &id); err != nil {
				t.Fatal(err)
			}
			before, known := first[id.ID]
			if !known {
				first[id.ID] = seen{record.Time, string(record.Properties)}
				continue
			}
			again++
			if before.properties != string(record.Properties) || before.time == record.Time {
				t.Fatalf("delivered again with other properties or the same time: %s", id.ID)
			}
		}
	}
	if share := float64(again) / float64(records); share < 0.02 || share > 0.045 {
		t.Errorf("%d of %d sign-in records are repeats: want 2 to 4.5 %%", again, records)
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	// Every story is told, and everybody in one is known to the feeds by name, or by employee id alone.
	tenant := small(t, Options{Seed: 1, Users: 300})
	var told []string
	for _, l := range tenant.Labels() {
		told = append(told, l.Story)
		if l.User != strings.ToLower(l.User) || !strings.HasSuffix(l.User, "@contoso.example") || l.From >= l.To || l.Scenario == "" || l.Kind != KindTheft && l.Kind != KindMisuse && l.Kind != KindBenign {
			t.Errorf("odd label: %+v", l)
		}
	}
	for _, story := range []string{
		StoryTheft, StorySlowTheft, StoryQuietLeaver, StoryHandover, StoryWithdrawn, StoryExternalMail, StoryBackup, StoryServiceAccount, StoryContractor, StoryContractorDone,
	} {
		if !strings.Contains(strings.Join(told, " "), story) {
			t.Errorf("nobody has the story %s", story)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	// Bad options are refused, all at once; odd but possible ones work.
	_, err := New(Options{Users: 3, Days: -1, Density: -2, Domain: "no domain"})
	if err == nil {
		t.Fatal("bad options are taken")
	}
	for _, word := range []string{"users", "days", "density", "domain"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not name %s: %v", word, err)
		}
	}
	for _, o := range []Options{
		{Users: MinUsers, Days: 1},
		{Users: MinUsers, Days: 3, Density: 0.1},
		{Users: 40, Days: 2, Density: 5},
		{Users: secondCastUsers, Days: 1},
		{Users: 460, Days: 5, Density: 0.01},
		{Users: 13, Days: 8, Domain: "Fabrikam.Example", Start: time.Date(2024, time.February, 28, 17, 4, 0, 0, time.FixedZone("", -3600))},
	} {
		n := 0
		for range small(t, o).Records() {
			n++
		}
		if n == 0 {
			t.Errorf("%+v gives no records", o)
		}
	}
}

func TestStopsWhenAsked(t *testing.T) {
	t.Parallel()
	// A consumer that has enough gets no more.
	n := 0
	for range small(t, Options{}).Records() {
		if n++; n == 10 {
			break
		}
	}
	if n != 10 {
		t.Fatalf("got %d records", n)
	}
}

func BenchmarkRecords(b *testing.B) {
	tenant := small(b, Options{Seed: 1, Users: 300, Days: 5})
	records, upstream, size := 0, 0, 0
	for b.Loop() {
		g := newGenerator(tenant)
		for day := range 5 {
			g.generate(day)
			upstream += len(g.pending)
			for _, r := range g.published(tenant.midnight(day+1), day) {
				records++
				size += len(r.Value)
			}
			upstream -= len(g.pending)
		}
		upstream += len(g.pending)
	}
	b.ReportMetric(float64(upstream)/b.Elapsed().Seconds(), "upstream/s")
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(size)/1e6/b.Elapsed().Seconds(), "MB/s")
}
