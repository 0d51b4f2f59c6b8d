package normalise

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// commonRecord is a record of a kind that is common, which gives one event.
type commonRecord struct {
	name   string
	source schemas.Source
	text   string
}

func signInAndEmailRecords() []commonRecord {
	return []commonRecord{
		{"signin", schemas.SourceSignIn, `{"records":[{"time":"2026-03-02T08:33:27Z","resourceId":"/tenants/t/providers/Microsoft.aadiam","operationName":"Sign-in activity","operationVersion":"1.0","category":"SignInLogs","tenantId":"t","resultType":"0","durationMs":0,"callerIpAddress":"198.51.100.7","correlationId":"c","identity":"Ada Lovelace","Level":4,"location":"CH","properties":{` + adaGraph + `,"status":{"errorCode":0},"clientAppUsed":"Browser","userAgent":"Mozilla/5.0","isInteractive":true,"conditionalAccessStatus":"success","authenticationRequirement":"multiFactorAuthentication","riskLevelDuringSignIn":"none","riskLevelAggregated":"none","riskEventTypes_v2":[],"autonomousSystemNumber":64500,"deviceDetail":{"deviceId":"","operatingSystem":"Windows 11","browser":"Edge"},"location":{"city":"Bern","countryOrRegion":"CH","geoCoordinates":{"latitude":46.9,"longitude":7.4}},"appliedConditionalAccessPolicies":[],"userType":"Member"}}]}`},
		{"signin-o365", schemas.SourceSignIn, `{"RecordType":15,"Id":"b1","CreationTime":"2026-03-02T08:15:30","Operation":"UserLoggedIn","Workload":"AzureActiveDirectory","ResultStatus":"Success","UserId":"ada@contoso.com","ClientIP":"198.51.100.7","Actor":[{"ID":"5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f","Type":0},{"ID":"ada@contoso.com","Type":5}],"DeviceProperties":[{"Name":"OS","Value":"Windows 11"}],"ExtendedProperties":[{"Name":"RequestType","Value":"Login:login"}],"ErrorNumber":"0"}`},
		{"email-send", schemas.SourceEmail, exchangeRecord("2", "Send", `"Item":{"Subject":"Plans","InternetMessageId":"<m1@contoso.com>","SizeInBytes":5000,"Attachments":"a.png (2242b); b.docx (1828b)","ParentFolder":{"Path":"\\Drafts"}},"recipientList":["bob@contoso.com","ada.l@gmail.com"]`)},
		{"email-accessed", schemas.SourceEmail, exchangeRecord("50", "MailItemsAccessed", `"OperationCount":3,"Folders":[{"Path":"\\Inbox","FolderItems":[{"InternetMessageId":"<a@x>","SizeInBytes":100},{"InternetMessageId":"<b@x>","SizeInBytes":100},{"InternetMessageId":"<c@x>","SizeInBytes":100}]}]`)},
		{"email-trace", schemas.SourceEmail, traceRow("2026-03-02T10:00:00Z", "ada@contoso.com", "ada.l@gmail.com", "")},
	}
}

// BenchmarkMap_signInAndEmail measures one record of each kind, from bytes to the event.
func BenchmarkMap_signInAndEmail(b *testing.B) {
	for _, record := range signInAndEmailRecords() {
		b.Run(record.name, func(b *testing.B) {
			m := tenantMapper()
			raw := Raw{Topic: "raw", Value: []byte(record.text)}
			var out Result
			b.ReportAllocs()
			b.SetBytes(int64(len(record.text)))
			for b.Loop() {
				m.Map(record.source, raw, &out)
			}
			if len(out.Events) != 1 {
				b.Fatalf("%d events", len(out.Events))
			}
		})
	}
}
