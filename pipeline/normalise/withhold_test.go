package normalise

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// Whoever can word a field can put a name there: what stays in clear is what
// everybody has.
func TestWithhold(t *testing.T) {
	for name, test := range map[string]struct {
		event    Event
		personal string // nowhere in clear
		sealed   bool   // but in the evidence
		stays    string
	}{
		"extension":         {event: Event{Event: schemas.Event{File: &schemas.File{Extension: "for-ida"}}, Clear: schemas.Evidence{FileName: "a.for-ida"}}, personal: "ida", sealed: true},
		"format":            {event: Event{Event: schemas.Event{File: &schemas.File{Extension: "sldprt"}}}, stays: "sldprt"},
		"attachment":        {event: Event{Event: schemas.Event{Email: &schemas.Email{Extensions: []string{"ida", "pdf"}}}}, personal: "ida", stays: "pdf"},
		"program":           {event: ran("idas-tool.exe"), personal: "idas", sealed: true},
		"known program":     {event: ran("MsEdge.exe"), stays: "MsEdge.exe"},
		"UPN in operation":  {event: Event{Event: schemas.Event{Operation: "Delete ida@contoso.com"}}, personal: "ida", sealed: true},
		"account":           {event: signIn(`CONTOSO\ida`), personal: "ida", sealed: true},
		"personal site":     {event: signIn("https://contoso-my.sharepoint.com/personal/ida"), personal: "ida", sealed: true},
		"address":           {event: signIn("203.0.113.7"), personal: "203.", sealed: true},
		"IPv6 address":      {event: signIn("2001:db8::7"), personal: "2001", sealed: true},
		"version":           {event: signIn("Exchange 15.2.1748.10"), stays: "Exchange 15.2.1748.10"},
		"application":       {event: signIn("Office 365 Exchange Online"), stays: "Office 365 Exchange Online"},
		"sentence":          {event: signIn("ida " + strings.Repeat("said so ", 20)), personal: "ida", sealed: true},
		"sublabel":          {event: Event{Event: schemas.Event{File: &schemas.File{Label: `Confidential\Finance`}}}, stays: `Confidential\\Finance`},
		"label of a person": {event: Event{Event: schemas.Event{Email: &schemas.Email{Label: "for ida@contoso.com"}}}, personal: "ida", sealed: true},
		"operating system":  {event: Event{Event: schemas.Event{Device: &schemas.Device{OS: "ida@laptop"}}}, personal: "ida", sealed: true},
		"employee type":     {event: Event{Event: schemas.Event{HR: &schemas.HR{EmployeeType: "see ida@contoso.com"}}}, personal: "ida", sealed: true},
		"policy and types": {
			event:    Event{Event: schemas.Event{Detection: &schemas.Detection{Policy: `\\\\ida\share`, SensitiveTypes: []string{"ida@contoso.com", "Credit Card Number"}}}},
			personal: "ida", sealed: true, stays: "Credit Card Number",
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := test.event
			newTestMapper().withhold(&e)
			wire, err := json.Marshal(e.Event)
			if err != nil {
				t.Fatal(err)
			}
			evidence, err := json.Marshal(e.Clear)
			if err != nil {
				t.Fatal(err)
			}
			if test.personal != "" && strings.Contains(string(wire), test.personal) {
				t.Errorf("%q is in clear: %s", test.personal, wire)
			}
			if strings.Contains(string(evidence), test.personal) != test.sealed && test.personal != "" {
				t.Errorf("%q in the evidence, want %t: %s", test.personal, test.sealed, evidence)
			}
			if !strings.Contains(string(wire), test.stays) {
				t.Errorf("%q is gone: %s", test.stays, wire)
			}
		})
	}
}

func ran(program string) Event {
	e := Event{Event: schemas.Event{File: &schemas.File{}}}
	e.ran(program)
	return e
}

func signIn(resource string) Event {
	return Event{Event: schemas.Event{SignIn: &schemas.SignIn{Resource: resource}}}
}

// What upstream words itself is known by its words.
func TestWithhold_vocabulary(t *testing.T) {
	type texts map[string]string // what comes of a text
	for name, test := range map[string]struct {
		of   func(text string) Event
		want texts
	}{
		"operation": {
			of: func(text string) Event { return Event{Event: schemas.Event{Operation: text}} },
			want: texts{
				"FileDownloaded": "FileDownloaded", "New-InboxRule": "New-InboxRule", "MCAS_ALERT_ANUBIS_DETECTION_VELOCITY": "MCAS_ALERT_ANUBIS_DETECTION_VELOCITY",
				"Sign-in activity": "Sign-in activity", "Disable account.": "Disable account.", "Download file": "Download file", "FileFrobnicated": "FileFrobnicated",
				"R": "R", "110106": "110106", "": "",
				"Ida": "", "IdaLind": "", "ida.lind": "", "Ida's laptop": "", "Delete Ida": "", "File.Ida": "", "User 10042317": "", "File10042317": "",
			},
		},
		"HR's operation": {
			of: func(text string) Event {
				return Event{Event: schemas.Event{Operation: text, HR: &schemas.HR{}}}
			},
			want: texts{"Resignation": "Resignation", "Performance improvement plan": "Performance improvement plan", "On leave": "On leave", "Resignation of Ida": "", "ResignationIda": ""},
		},
		"operating system": {
			of: func(text string) Event {
				return Event{Event: schemas.Event{Device: &schemas.Device{OS: text}}}
			},
			want: texts{"Windows 11": "Windows 11", "Windows11": "Windows11", "macOS": "macOS", "iOS 17.4.1": "iOS 17.4.1", "Ubuntu 22.04 LTS": "Ubuntu 22.04 LTS", "Ida's Windows 10": "Windows", "IDALT042": ""},
		},
		"client": {
			of: signInBy,
			want: texts{
				"Browser": "Browser", "Mobile Apps and Desktop clients": "Mobile Apps and Desktop clients", "Exchange ActiveSync": "Exchange ActiveSync",
				"Other clients; IMAP": "Other clients; IMAP", "Outlook Anywhere (RPC over HTTP)": "Outlook Anywhere (RPC over HTTP)", "RemoteInteractive": "RemoteInteractive",
				"Kerberos": "Kerberos", "OAuth2:Authorize": "OAuth2:Authorize", "Ida Browser": "",
			},
		},
		"employee type": {
			of: func(text string) Event {
				return Event{Event: schemas.Event{HR: &schemas.HR{EmployeeType: text}}}
			},
			want: texts{"Employee": "Employee", "Contingent Worker": "Contingent Worker", "Full-time": "Full-time", "Ida's trainee": "", "Lind": ""},
		},
		"service": {
			of: func(text string) Event {
				return Event{Event: schemas.Event{Detection: &schemas.Detection{Service: text}}}
			},
			want: texts{
				"Microsoft Defender for Endpoint": "Microsoft Defender for Endpoint", "microsoftDefenderForOffice365": "microsoftDefenderForOffice365",
				"MicrosoftDefenderforOffice365": "MicrosoftDefenderforOffice365", "Office 365 Security & Compliance": "Office 365 Security & Compliance", "Ida Watch": "",
			},
		},
	} {
		for text, want := range test.want {
			e := test.of(text)
			newTestMapper().withhold(&e)
			wire, err := json.Marshal(e.Event)
			if err != nil {
				t.Fatal(err)
			}
			quoted, _ := json.Marshal(want)
			if want != "" && !strings.Contains(string(wire), string(quoted)) || want == "" && len(text) > 1 && strings.Contains(string(wire), text) {
				t.Errorf("%s %q: want %q in clear: %s", name, text, want, wire)
			}
			if sealed := slices.Contains(e.Clear.Withheld, text); sealed != (want != text) {
				t.Errorf("%s %q: sealed %t", name, text, sealed)
			}
		}
	}
}

// Whatever a mapper knows by its text stays in clear, in any case.
func TestWithhold_known(t *testing.T) {
	var known []string
	for operation := range sharePointActivities {
		known = append(known, operation, strings.ToUpper(operation))
	}
	for operation := range endpointActivities {
		known = append(known, operation)
	}
	for operation := range accountOperations {
		known = append(known, operation, operation+".")
	}
	for _, text := range slices.Concat(known, legacyClients) {
		e := Event{Event: schemas.Event{Operation: text, SignIn: &schemas.SignIn{Client: text}}}
		newTestMapper().withhold(&e)
		if e.Operation != text || e.SignIn.Client != text {
			t.Errorf("%q is withheld", text)
		}
	}
}

func signInBy(client string) Event {
	return Event{Event: schemas.Event{SignIn: &schemas.SignIn{Client: client}}}
}

// The organisation's own words stay, unless they name somebody whom the event names,
// or have the form of a name.
func TestWithhold_catalogue(t *testing.T) {
	ida := Event{
		Actor: Actor{Type: schemas.ActorPerson, UPN: "ida.lindqvist@contoso.com", Account: `contoso\ilindqvist`, EmployeeID: "KX9", ObjectID: "7f0c2f3e-51f5-4ea9-a4cc-3b1a5a3a8d10"},
		Clear: schemas.Evidence{DisplayName: "Ida Lindqvist", Recipients: []string{"eva.berg@fabrikam.com"}, Targets: []string{"Ola Nordmann"}, Mailbox: "payroll@contoso.com"},
	}
	short := Event{Actor: Actor{Type: schemas.ActorPerson, UPN: "bo.ek@contoso.com"}}
	backup := Event{Actor: Actor{Type: schemas.ActorService, App: "backup"}, Clear: schemas.Evidence{DisplayName: "Nightly Harvester"}}
	for text, test := range map[string]struct {
		event Event
		stays bool
	}{
		"Contoso Expenses":                     {ida, true},
		"U.S. Driver's License Number":         {ida, true},
		"Microsoft.Azure.SyncFabric":           {ida, true},
		"DLP-HIGH: C3 File Network Share":      {ida, true},
		"Creation of forwarding/redirect":      {ida, true},
		"Let's Encrypt":                        {ida, true},
		"Outlook.com":                          {ida, true},
		"a":                                    {ida, true},
		"Nightly Harvester":                    {backup, true},
		"Candidates":                           {ida, true}, // has ida in it
		"boek-sync":                            {short, false},
		"BEK-LT042":                            {short, false},
		"Seek":                                 {short, true},
		"7F0C2F3E-51F5-4EA9-A4CC-3B1A5A3A8D10": {ida, false},
		"00000003-0000-0ff1-ce00-000000000000": {ida, true},
		"Lindqvist watch":                      {ida, false},
		"Sync of IDA":                          {ida, false},
		"ILINDQVIST-LT042":                     {ida, false},
		"lindqvists-macbook":                   {ida, false},
		"Linde's überwachung":                  {ida, false},
		"Deal with Berg":                       {ida, false},
		"For Nordmann":                         {ida, false},
		"Zoe's laptop sync":                    {ida, false},
		"Zoë’s laptop sync":                    {ida, false},
		"zoe.winter":                           {ida, false},
		"winter.zoe.docx":                      {ida, false},
		"zoe%20winter":                         {ida, false},
		"/personal/zoe_winter":                 {ida, false},
		"sites/zoe/winter":                     {ida, false},
		"two\nlines":                           {ida, false},
		`CONTOSO\zoe`:                          {ida, false},
		"https://zoe.example":                  {ida, false},
		strings.Repeat("She said so. ", 12):    {ida, false},
	} {
		e := test.event
		e.SignIn = &schemas.SignIn{Application: text}
		e.Detection = &schemas.Detection{Policy: text, SensitiveTypes: []string{text}}
		newTestMapper().withhold(&e)
		for field, got := range map[string]string{"application": e.SignIn.Application, "policy": e.Detection.Policy, "type": e.Detection.SensitiveTypes[0]} {
			if (got == text) != test.stays || got != "" && got != text {
				t.Errorf("%s %q: %q, stays %t", field, text, got, test.stays)
			}
		}
		if slices.Contains(e.Clear.Withheld, text) == test.stays {
			t.Errorf("%q: sealed %q", text, e.Clear.Withheld)
		}
	}
	for label, stays := range map[string]bool{
		`Confidential\Finance`: true, "General": true, `Secret\Project Falcon`: true, `Secret\Lindqvist`: false,
		`C:\Users`: false, `\\server\share`: false, `CONTOSO\zoe.winter`: false, `a\b\c`: false,
	} {
		e := ida
		e.Email = &schemas.Email{Label: label}
		newTestMapper().withhold(&e)
		if (e.Email.Label == label) != stays {
			t.Errorf("label %q: %q", label, e.Email.Label)
		}
	}
}

// A program or a host that is withheld is the same one wherever it is met.
func TestWithhold_tokens(t *testing.T) {
	m := newTestMapper()
	first, again, other := ran("Idas-Tool.exe"), ran("idas-tool.EXE"), ran("bens-tool.exe")
	for _, e := range []*Event{&first, &again, &other} {
		m.withhold(e)
	}
	if a, b, c := first.File.Application, again.File.Application, other.File.Application; a != b || a == c || len(a) != 16 {
		t.Errorf("tokens %q, %q and %q", a, b, c)
	}
	device := Event{}
	m.on(&device, "", "WS7", "", nil)
	id, err := device.Device.ID.MarshalText()
	if err != nil || m.hostToken("ws7") != string(id) || m.hostToken("") != "" {
		t.Errorf("host %q, want the id of the device, %s (%v)", m.hostToken("ws7"), id, err)
	}
}

// Rules of the organisation see what is withheld afterwards.
func TestWithhold_afterMarks(t *testing.T) {
	m := New(Options{Hash: testHash, Content: []ContentRule{{Name: "drawings", Extensions: []string{"contosocad"}}}})
	var out Result
	m.Map(schemas.SourceFile, Raw{Topic: "raw.file", Value: fileRecord(`"Operation":"FileDownloaded","RecordType":6,"Workload":"SharePoint","ItemType":"File",
		"ObjectId":"https://contoso.sharepoint.com/sites/x/a.contosocad","SourceFileName":"a.contosocad","SourceFileExtension":"contosocad"`)}, &out)
	if len(out.Events) != 1 || !slices.Equal(out.Events[0].Marks, []string{"drawings"}) || out.Events[0].File.Extension != "" {
		t.Errorf("got %+v", out)
	}
}

// What the organisation says everybody in it has stays in clear, and nothing else
// does for that.
func TestWithhold_clear(t *testing.T) {
	clear := Clear{
		Extensions: []string{".CMP", "for-all"}, Programs: []string{"Contoso-CAD.exe", "labtool"}, Texts: []string{"Elternzeit", " befristet ", "Außendienst"},
	}
	if err := clear.Validate(); err != nil {
		t.Fatal(err)
	}
	m := New(Options{Hash: testHash, Clear: clear})
	for text, stays := range map[string]bool{"cmp": true, "for-all": true, "docx": true, "for-ida": false} {
		e := Event{Event: schemas.Event{File: &schemas.File{Extension: text}, Email: &schemas.Email{Extensions: []string{text}}}}
		m.withhold(&e)
		if (e.File.Extension == text) != stays || slices.Contains(e.Email.Extensions, text) != stays {
			t.Errorf("extension %q: %q, %q", text, e.File.Extension, e.Email.Extensions)
		}
	}
	for text, stays := range map[string]bool{"contoso-cad.EXE": true, "Contoso-CAD": true, "LabTool.exe": true, "msedge.exe": true, "labtool-ida.exe": false} {
		e := ran(text)
		m.withhold(&e)
		if (e.File.Application == text) != stays || (e.Clear.Program == "") != stays {
			t.Errorf("program %q: %q, sealed %q", text, e.File.Application, e.Clear.Program)
		}
	}
	for text, stays := range map[string]bool{
		"Elternzeit": true, "ELTERNZEIT": true, "Befristet": true, "außendienst ": true, "Contractor": true, "Elternzeit Ida": false, "Ida": false, "Elternzeit befristet": false,
	} {
		e := Event{Event: schemas.Event{Operation: text, HR: &schemas.HR{EmployeeType: text}}}
		m.withhold(&e)
		if (e.Operation == text) != stays || (e.HR.EmployeeType == text) != stays || slices.Contains(e.Clear.Withheld, text) == stays {
			t.Errorf("text %q: %q, %q, sealed %q", text, e.Operation, e.HR.EmployeeType, e.Clear.Withheld)
		}
	}
	many := make([]string, maxClear+1)
	for i := range many {
		many[i] = "x"
	}
	for want, wrong := range map[string]Clear{
		"clear_extensions[1]": {Extensions: []string{"cmp", "."}}, "clear_extensions[0]": {Extensions: []string{"a/b"}},
		"clear_extensions has 501": {Extensions: many}, "clear_programs[0]": {Programs: []string{`C:\Users\ida\tool.exe`}},
		"clear_programs[1]": {Programs: []string{"tool", "ida@contoso.com"}}, "clear_programs has 501": {Programs: many},
		"clear_texts[0]": {Texts: []string{"ida@contoso.com"}}, "clear_texts[1]": {Texts: []string{"Elternzeit", " "}}, "clear_texts[2]": {Texts: []string{"a", "", "Ida's laptop"}},
		"clear_texts has 501": {Extensions: []string{"a/b"}, Texts: many},
	} {
		if err := wrong.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
