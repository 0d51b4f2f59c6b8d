package main

import (
	"fmt"
	"time"

	"github.com/riskpipe/riskpipe/deploy/tenant"
	"github.com/riskpipe/riskpipe/schemas"
)

// chapter is a run of records of one feed.
type chapter []tenant.Record

// leaverStory is what five feeds say of Grace, who resigns and takes files
// along, and of Heidi, who does not. The resignation is known only after half
// of it.
func leaverStory() []chapter {
	start := time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	n := 0
	at := func(days, minutes int) time.Time {
		return start.AddDate(0, 0, days).Add(time.Duration(minutes) * time.Minute)
	}
	record := func(source schemas.Source, t time.Time, format string, args ...any) tenant.Record {
		n++
		return tenant.Record{Source: source, Time: schemas.TimeOf(t.Add(30 * time.Second)), Value: fmt.Appendf(nil, format, args...)}
	}
	repeat := func(count int, one func(i int) tenant.Record) (c chapter) {
		for i := range count {
			c = append(c, one(i))
		}
		return c
	}
	stamp := func(t time.Time) string { return t.Format("2006-01-02T15:04:05") }
	guid := func() string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n+1) }
	return []chapter{
		{record(schemas.SourceDefender, at(0, 0), `{"records":[{"category":"AdvancedHunting-IdentityInfo","properties":{"Timestamp":"%sZ","AccountUpn":"Grace@Contoso.example","AccountObjectId":"7a1f3c5e-1111-4222-8333-94445555aaaa","EmployeeId":"E0042"}}]}`, stamp(at(0, 0)))},
		repeat(3, func(i int) tenant.Record {
			return record(schemas.SourceSignIn, at(0, 1+i), `{"records":[null,{"category":"SignInLogs","time":"%[1]sZ","properties":{"id":"%[2]s","createdDateTime":"%[1]s.1234567Z","userPrincipalName":"grace@contoso.example","ipAddress":"198.51.100.7","status":{"errorCode":0}}}]}`, stamp(at(0, 1+i)), guid())
		}),
		repeat(150, func(i int) tenant.Record {
			return record(schemas.SourceFile, at(1, i), `{"CreationTime":"%s","Id":"%s","Operation":"FileDownloaded","RecordType":6,"Workload":"SharePoint","UserId":"GRACE@contoso.example","ObjectId":"https://contoso.example/sites/lab/%d.xlsx","SourceFileName":"%d.xlsx","ItemType":"File"}`, stamp(at(1, i)), guid(), i, i)
		}),
		repeat(30, func(i int) tenant.Record {
			return record(schemas.SourceFile, at(2, i), `{"CreationTime":"%s","Id":"%s","Operation":"FileCopiedToRemovableMedia","RecordType":63,"Workload":"Endpoint","UserId":"grace@contoso.example","ObjectId":"C:\\lab\\%d.xlsx","DeviceName":"lap-1","FileExtension":"xlsx"}`, stamp(at(2, i)), guid(), i)
		}),
		repeat(4, func(i int) tenant.Record {
			return record(schemas.SourceDefender, at(3, i), `{"records":[{"category":"AdvancedHunting-EmailEvents","properties":{"Timestamp":"%sZ","NetworkMessageId":"%s","InternetMessageId":"<%d@contoso.example>","SenderFromAddress":"grace@contoso.example","RecipientEmailAddress":"grace.h@gmail.com","RecipientDomain":"gmail.com","EmailDirection":"Outbound","AttachmentCount":2,"DeliveryAction":"Delivered"}}]}`, stamp(at(3, i)), guid(), i)
		}),
		{
			record(schemas.SourceHR, at(4, 0), "EmailAddress,ResignationDate,LastWorkingDate\ngrace@contoso.example,2026-03-04T00:00:00Z,2026-03-13T00:00:00Z\nheidi@contoso.example,2026-03-04,2026-03-31\n"),
			record(schemas.SourceHR, at(5, 0), "EmailAddress,ResignationDate,LastWorkingDate\ngrace@contoso.example,2026-03-04T00:00:00Z,2026-03-13T00:00:00Z\nheidi@contoso.example,2026-03-04,2026-03-31\n"),
		},
		{record(schemas.SourceEmail, at(5, 1), `not json`)},
		repeat(20, func(i int) tenant.Record {
			return record(schemas.SourceFile, at(9, i), `[{"CreationTime":"%s","Id":"%s","Operation":"FileUploadedToCloud","RecordType":63,"Workload":"Endpoint","UserId":"grace@contoso.example","ObjectId":"C:\\lab\\%d.xlsx","TargetDomain":"www.dropbox.com"}]`, stamp(at(9, i)), guid(), i)
		}),
	}
}
