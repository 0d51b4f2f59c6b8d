package main

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/schemas"
)

// canary is in everything personal of the canary tenant, and in nothing else.
const canary = "zqcanary"

// canaryAddresses begin every address of the tenant, which has room for no word.
func canaryAddresses() []string {
	return []string{"198.51.100.", "203.0.113.", "192.0.2.", "2001:db8:"}
}

// brand is a rewriting of raw records that leaves them well-formed.
type brand struct {
	pattern *regexp.Regexp
	with    string
}

// member matches the members of these names that have a text.
func member(names string) *regexp.Regexp {
	return regexp.MustCompile(`(\\*"(?:` + names + `)\\*":\\*")([^"\\])`)
}

// brands put the canary into what the tenant's domain, which has it, does not
// reach: user names, file names, paths, subjects, titles and free text. Quotes
// are escaped where a record is a string within another.
func brands() []brand {
	return []brand{
		{regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9._+-]*@[A-Za-z0-9-]+\.`), canary + ".${0}"},
		{regexp.MustCompile(`([\\/"])([^"\\/]+\.(?:docx|xlsx|pptx|vsdx|dwg|pdf|txt|csv|png|zip))\b`), "${1}" + canary + "-$2"},
		{regexp.MustCompile(`(Users\\+)(\w)`), "${1}" + canary + "-$2"},
		{regexp.MustCompile(`/personal/`), "${0}" + canary + "_"},
		{member("Subject|subject|(?:[Uu]ser|Account|Sender|Device)DisplayName|GivenName|Surname|familyName|givenName|Manager|JobTitle|Department|identity|" +
			"[Cc]ity|Title|title|AlertDisplayName|Justification|JustificationText|FailureReason|failureReason|Comments|[Uu]serAgent|" +
			"ClientInfoString|InitiatingProcessCommandLine|SerialNumber|streetAddress|formatted|Description|description"), "${1}" + canary + " $2"},
		{member("[A-Za-z]*DeviceName|DeviceDisplayName|[A-Za-z]*AccountName|hostName|Workstation"), "${1}" + canary + "-$2"},
	}
}

// hostileBrands put it where upstream's own words stand but users can write
// theirs: by renaming a program, a host or the end of a file's name.
func hostileBrands() []brand {
	return []brand{
		{member("InitiatingProcessFileName|ApplicationName|ProcessName|ClientProcessName"), "${1}" + canary + "-$2"},
		{regexp.MustCompile(`(\\*"Application\\*":\\*")([^"\\]+\.exe)`), "${1}" + canary + "-$2"}, // elsewhere it is a service of the catalogue
		{member("FileExtension|SourceFileExtension|FileType"), "${1}" + canary + "$2"},
	}
}

// canaryRecords yields a tenant's records, branded, with others among them:
// cut, of the wrong types, not JSON at all, and of kinds that no system of the
// tenant publishes.
func canaryRecords(t *testing.T) []tenant.Record {
	t.Helper()
	company, err := tenant.New(tenant.Options{Users: 100, Days: 14, Density: 0.1, Domain: canary + ".example"})
	if err != nil {
		t.Fatal(err)
	}
	plain, hostile := brands(), hostileBrands()
	var records []tenant.Record
	for r := range company.Records() {
		for _, b := range plain {
			r.Value = b.pattern.ReplaceAll(r.Value, []byte(b.with))
		}
		if len(records)%5 == 0 && r.Source != schemas.SourceHR {
			for _, b := range hostile {
				r.Value = b.pattern.ReplaceAll(r.Value, []byte(b.with))
			}
		}
		records = append(records, r)
		if len(records)%200 == 0 {
			for _, value := range [][]byte{
				r.Value[:len(r.Value)/2],
				[]byte(`{"CreationTime":"` + canary + `","Id":"` + canary + `","Operation":"` + canary + `","UserId":{"` + canary + `":1}}`),
				[]byte(`{"records":[{"category":"` + canary + `","properties":{"id":"` + canary + `"}},"` + canary + `"]}`),
				// Logons, which the tenant's devices do not report.
				fmt.Appendf(nil, `{"records":[{"category":"AdvancedHunting-DeviceLogonEvents","properties":{"Timestamp":"2026-03-09T08:15:00Z","ReportId":%[2]d,"ActionType":"LogonSuccess",
					"LogonType":"RemoteInteractive","DeviceId":"%[1]s","DeviceName":"%[1]s-laptop","AccountName":"%[1]s","AccountDomain":"%[1]s","RemoteIP":"203.0.113.7"}},
					{"category":"AdvancedHunting-IdentityLogonEvents","properties":{"Timestamp":"2026-03-09T08:15:00Z","ReportId":"%[2]d","ActionType":"LogonFailed",
					"Protocol":"Kerberos","AccountUpn":"ada@%[1]s.example","DestinationDeviceName":"%[1]s-server","FailureReason":"%[1]s","IPAddress":"203.0.113.7"}}]}`, canary, len(records)),
				[]byte(canary + ",Ada " + canary + "\n\"" + canary),
			} {
				records = append(records, tenant.Record{Source: r.Source, Time: r.Time, Value: value})
			}
		}
	}
	return records
}
