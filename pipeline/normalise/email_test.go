package normalise

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/riskpipe/riskpipe/schemas"
)

// exchangeRecord is an audit record of Exchange by Ada in her own mailbox.
func exchangeRecord(kind, operation, more string) string {
	if more != "" {
		more = "," + more
	}
	return `{"RecordType":` + kind + `,"Id":"e1","CreationTime":"2026-03-02T10:00:00","Operation":"` + operation + `","Workload":"Exchange","ResultStatus":"Succeeded","UserId":"Ada@Contoso.com","UserType":0,
		"MailboxOwnerUPN":"ada@contoso.com","LogonType":0,"ClientIPAddress":"198.51.100.7","ClientInfoString":"Client=OWA;Mozilla/5.0 (X11);"` + more + `}`
}

// mailLine writes the body of a mail event on one line.
func mailLine(e Event) string {
	m := e.Email
	class := ""
	if e.Destination != nil {
		class = e.Destination.Class
	}
	return fmt.Sprintf("%s dir=%s n=%d to=%d/%d att=%d%v size=%d access=%s rule=%s class=%s", e.Activity, m.Direction, m.Messages,
		m.Recipients, m.ExternalRecipients, m.Attachments, m.Extensions, m.Size, m.Access, m.Rule, class)
}

func TestExchange_items(t *testing.T) {
	// Sending, reading, deleting and moving mail come with what was sent, read,
	// deleted or moved.
	const item = `"Item":{"Subject":"Plans","InternetMessageId":"<M-1@contoso.com>","SizeInBytes":5000,"Attachments":"a.PNG (2242b); b.docx (1828b)","ParentFolder":{"Path":"\\Drafts"}}`
	tests := []struct{ name, text, want string }{
		{"send without recipients", exchangeRecord("2", "Send", item), "email.sent dir= n=1 to=0/0 att=2[docx png] size=5000 access=owner rule= class="},
		{"send within", exchangeRecord("2", "Send", item+`,"recipientList":["bob@contoso.com","BOB@contoso.com"],"recipientCount":1`), "email.sent dir=internal n=1 to=1/0 att=2[docx png] size=5000 access=owner rule= class=internal"},
		{"send outside", exchangeRecord("2", "Send", item+`,"RecipientList":[{"Address":"ada.l@gmail.com"},"bob@contoso.com"],"RecipientCount":"2"`), "email.sent_external dir=outbound n=1 to=2/1 att=2[docx png] size=5000 access=owner rule= class=personal_mail"},
		{"send outside, recipients of Graph", exchangeRecord("2", "Send", `"recipientList":[{"emailAddress":{"name":"Ada","address":"ada.l@gmail.com"}},{"emailAddress":"bob@contoso.com"}]`), "email.sent_external dir=outbound n=1 to=2/1 att=0[] size=0 access=owner rule= class=personal_mail"},
		{"list cut off", exchangeRecord("2", "Send", item+`,"recipientList":["bob@contoso.com"],"recipientCount":1500`), "email.sent dir= n=1 to=1500/0 att=2[docx png] size=5000 access=owner rule= class=internal"},
		{"size not said", exchangeRecord("2", "Send", `"Item":{"Attachments":"x.zip (700b)"}`), "email.sent dir= n=1 to=0/0 att=1[zip] size=700 access=owner rule= class="},
		{"delete a group", exchangeRecord("3", "HardDelete", `"Folder":{"Path":"\\Inbox"},"AffectedItems":[{"Subject":"A","Attachments":"x.pdf (10b)"},{"Subject":"B"}]`), "email.deleted dir= n=2 to=0/0 att=1[pdf] size=10 access=owner rule= class="},
		{"soft delete", exchangeRecord("3", "SoftDelete", `"AffectedItems":[{"InternetMessageId":"<m2@contoso.com>"}]`), "email.deleted dir= n=1 to=0/0 att=0[] size=0 access=owner rule= class="},
		{"to deleted items", exchangeRecord("3", "MoveToDeletedItems", `"AffectedItems":[{},{},{}]`), "email.deleted dir= n=3 to=0/0 att=0[] size=0 access=owner rule= class="},
		{"move", exchangeRecord("3", "Move", `"AffectedItems":[{}],"DestFolder":{"Path":"\\Archive"}`), "email.moved dir= n=1 to=0/0 att=0[] size=0 access=owner rule= class="},
		{"copy into another mailbox", exchangeRecord("3", "Copy", `"AffectedItems":[{}],"CrossMailboxOperations":true,"DestMailboxOwnerUPN":"bob@contoso.com"`), "email.moved dir= n=1 to=0/0 att=0[] size=0 access=owner rule= class=internal"},
		{"create", exchangeRecord("2", "Create", `"Item":{"SizeInBytes":1156492.00}`), "email.created dir= n=1 to=0/0 att=0[] size=1156492 access=owner rule= class="},
		{"update", exchangeRecord("2", "Update", `"ModifiedProperties":["RecipientCollection"]`), "email.updated dir= n=1 to=0/0 att=0[] size=0 access=owner rule= class="},
		{"read, aggregated", exchangeRecord("50", "MailItemsAccessed", `"OperationCount":3,"OperationProperties":[{"Name":"MailAccessType","Value":"Bind"}],"Folders":[{"Path":"\\Inbox","FolderItems":[{"InternetMessageId":"<a@x>","SizeInBytes":100},{"InternetMessageId":"<b@x>"}]},{"Path":"\\Sent","FolderItems":[{"SizeInBytes":1156492.00}]}]`), "email.accessed dir= n=3 to=0/0 att=0[] size=1156592 access=owner rule= class="},
		{"attachments read", exchangeRecord("50", "AttachmentAccess", `"Messages":[{"InternetMessageId":"<a@x>","MessageItems":[{"Name":"a.docx","SizeInBytes":5},{"Name":"b.pdf"}]}]`), "email.accessed dir= n=1 to=0/0 att=2[docx pdf] size=5 access=owner rule= class="},
		{"read, other shape", exchangeRecord("50", "AttachmentAccess", `"Messages":[{"MessageItems":[{},{}]},{"MessageItems":[{}]}]`), "email.accessed dir= n=3 to=0/0 att=0[] size=0 access=owner rule= class="},
		{"read, folders as a text", exchangeRecord(`"50"`, "MailItemsAccessed", `"OperationCount":"2","Folders":"[{\"Path\":\"\\\\Inbox\",\"FolderItems\":[{},{}]}]"`), "email.accessed dir= n=2 to=0/0 att=0[] size=0 access=owner rule= class="},
		{"folder synchronised", exchangeRecord("2", "MailItemsAccessed", `"OperationProperties":[{"Name":"MailAccessType","Value":"Sync"}],"Item":{"ParentFolder":{"Name":"Archive","Path":"Not Available"}}`), "email.accessed dir= n=1 to=0/0 att=0[] size=0 access=owner rule= class="},
		{"unpublished record type of a known operation", exchangeRecord("987", "MailItemsAccessed", `"OperationCount":7`), "email.accessed dir= n=7 to=0/0 att=0[] size=0 access=owner rule= class="},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := onlyEvent(t, schemas.SourceEmail, test.text)
			sees(t, "mail", mailLine(e), test.want)
			sees(t, "event", head(e), e.Activity+" 2026-03-02T10:00:00.000Z person ada@contoso.com success ip=198.51.100.7")
		})
	}
}

func TestExchange_evidence(t *testing.T) {
	// The personal facts of a message are in the evidence, and its identity is one
	// for every spelling of the message id.
	e := onlyEvent(t, schemas.SourceEmail, exchangeRecord("2", "Send", `"Item":{"Subject":"Plans","InternetMessageId":"<M-1@Contoso.com>","Attachments":"tps (v2).docx (10b); a; b.txt (5b)","ParentFolder":{"Path":"\\Drafts"}}`))
	sees(t, "subject", e.Clear.Subject, "Plans")
	sees(t, "folder", e.Clear.Object, `\Drafts`)
	sees(t, "message", e.Email.Message, plainHash("message", "m-1@contoso.com"))
	sees(t, "attachments", strings.Join(e.Clear.Attachments, "|"), "tps (v2).docx|a; b.txt")
	sees(t, "agent", e.Clear.UserAgent, "Mozilla/5.0 (X11)")
	unknown := onlyEvent(t, schemas.SourceEmail, exchangeRecord("2", "Send", `"Item":{"InternetMessageId":"Unknown"}`))
	sees(t, "unknown message", unknown.Email.Message, 0)

	as := onlyEvent(t, schemas.SourceEmail, `{"RecordType":2,"Id":"e2","CreationTime":"2026-03-02T10:00:00","Operation":"SendAs","Workload":"Exchange","UserId":"ada@contoso.com","MailboxOwnerUPN":"sales@contoso.com","LogonType":2,"SendAsUserSmtp":"Sales@contoso.com"}`)
	sees(t, "sender", as.Clear.Sender, "sales@contoso.com")
	sees(t, "mailbox", as.Clear.Mailbox, "sales@contoso.com")
	sees(t, "actor", as.Actor.UPN, "ada@contoso.com")
	sees(t, "access", as.Email.Access, "delegate")
}

func TestExchange_actors(t *testing.T) {
	// The actor is who did it, by whatever name; systems and applications are no
	// people; who is not the owner is a delegate.
	tests := []struct{ name, members, want, access string }{
		{"system", `"UserId":"NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)","LogonType":1`, "system nt authority\\system (microsoft.exchange.servicehost)", "admin"},
		{"local system", `"UserId":"S-1-5-18","LogonType":1,"MailboxOwnerUPN":"ada@contoso.com"`, "system s-1-5-18", "admin"},
		{"service principal", `"UserId":"ServicePrincipal_11112222-aaaa-bbbb-cccc-333344445555","LogonType":0,"MailboxOwnerUPN":"ada@contoso.com"`, "service 11112222-aaaa-bbbb-cccc-333344445555", "owner"},
		{"owner by name, without a name of its own", `"LogonType":"Owner","MailboxOwnerUPN":"Ada@contoso.com"`, "person ada@contoso.com", "owner"},
		{"owner without a name of its own", `"LogonType":0,"MailboxOwnerUPN":"Ada@contoso.com"`, "person ada@contoso.com", "owner"},
		{"somebody without a name", `"LogonType":2,"MailboxOwnerUPN":"ada@contoso.com"`, "unknown ", "delegate"},
		{"owner's log-on by another", `"UserId":"bob@contoso.com","LogonType":0,"MailboxOwnerUPN":"ada@contoso.com","LogonUserSid":"S-1-5-21-1-2-3-1001","MailboxOwnerSid":"S-1-5-21-1-2-3-1002"`, "person bob@contoso.com", "delegate"},
		{"owner under an alias", `"UserId":"ada@contoso.com","LogonType":0,"MailboxOwnerUPN":"ada.lovelace@contoso.com","LogonUserSid":"S-1-5-21-1-2-3-1001","MailboxOwnerSid":"S-1-5-21-1-2-3-1001"`, "person ada@contoso.com", "owner"},
		{"by name", `"UserId":"ada@contoso.com","LogonType":"Delegated"`, "person ada@contoso.com", "delegate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := onlyEvent(t, schemas.SourceEmail, `{"RecordType":50,"Id":"f1","CreationTime":"2026-03-02T10:00:00","Operation":"MailItemsAccessed","Workload":"Exchange",`+test.members+`}`)
			sees(t, "actor", string(e.ActorType)+" "+e.Actor.User(), test.want)
			sees(t, "access", e.Email.Access, test.access)
		})
	}
}

func TestExchange_id(t *testing.T) {
	// A collector which writes ids in capitals tells of the same fact.
	text := strings.Replace(exchangeRecord("2", "Send", ""), `"e1"`, `"5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f"`, 1)
	capitals := strings.Replace(text, "5d3f7f61-0001-4c7a-8e0f-1a2b3c4d5e6f", "5D3F7F61-0001-4C7A-8E0F-1A2B3C4D5E6F", 1)
	sees(t, "id", onlyEvent(t, schemas.SourceEmail, capitals).ID, onlyEvent(t, schemas.SourceEmail, text).ID)
}

func TestExchange_addresses(t *testing.T) {
	// Of two fields for the address the public one counts, in any spelling.
	tests := []struct{ members, want string }{
		{`"ClientIP":"::1","ClientIPAddress":"203.0.113.5"`, "203.0.113.5"},
		{`"ClientIP":"203.0.113.5","ClientIPAddress":"10.0.0.1"`, "203.0.113.5"},
		{`"ClientIP":"203.0.113.5:52378"`, "203.0.113.5"},
		{`"ClientIP":"[2001:db8::1]:443"`, "2001:db8::1"},
		{`"ClientIP":"10.0.0.1"`, "10.0.0.1"},
		{`"ClientIP":"","ClientIPAddress":"<null>"`, ""},
		{`"ClientIP":"localhost","ClientIPAddress":"NOTANIPV4 (10.9000.0"`, ""},
	}
	for _, test := range tests {
		e := onlyEvent(t, schemas.SourceEmail, `{"RecordType":2,"Id":"g1","CreationTime":"2026-03-02T10:00:00","Operation":"Send","Workload":"Exchange","UserId":"ada@contoso.com",`+test.members+`}`)
		sees(t, test.members, e.Clear.SourceIP, test.want)
		sees(t, "body", e.SourceIP != nil, test.want != "")
	}
}

func TestExchange_foldedNames(t *testing.T) {
	// Collectors which fold the names of members and write the time with a blank
	// are read too.
	e := onlyEvent(t, schemas.SourceEmail, `{"clientip":"198.51.100.7","creationtime":"2026-03-02 10:00:00","id":"j1","operation":"Set-Mailbox","recordtype":1,"resultstatus":"True","userid":"ada@contoso.com","workload":"Exchange","parameters":[{"Name":"ForwardingSmtpAddress","Value":"smtp:ada.l@gmail.com"}]}`)
	sees(t, "event", head(e), "email.forwarding_set 2026-03-02T10:00:00.000Z person ada@contoso.com success ip=198.51.100.7")
}

func TestExchange_largeRecords(t *testing.T) {
	// The cost of a record grows with its length, not with the square of it: a
	// megabyte of nothing but separators, names or recipients is read at once, and
	// gives an event of bounded length whose counts are whole.
	const n = 60_000
	list := func(format, separator string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(parts, separator)
	}
	rule := func(parameters string) string {
		return `{"RecordType":1,"Id":"z1","CreationTime":"2026-03-02T10:00:00","Operation":"New-InboxRule","Workload":"Exchange","UserId":"ada@contoso.com","Parameters":` + parameters + `}`
	}
	records := []struct{ name, text string }{
		{"recipients", exchangeRecord("2", "Send", `"recipientList":[`+list(`"u%d@contoso.com"`, ",")+`]`)},
		{"attachments", exchangeRecord("2", "Send", `"Item":{"Attachments":"`+list("a.x%d (1b)", "; ")+`"}`)},
		{"separators", exchangeRecord("2", "Send", `"Item":{"Attachments":"`+strings.Repeat("b);", 6*n)+`"}`)},
		{"items", exchangeRecord("50", "MailItemsAccessed", `"Messages":[`+list(`{"MessageItems":[{"Attachments":"a.y%d (1b)"}]}`, ",")+`]`)},
		{"folders", exchangeRecord("50", "MailItemsAccessed", `"Folders":[`+list(`{"Path":"f%d","FolderItems":[{}]}`, ",")+`]`)},
		{"command line", rule(`"-ForwardTo ` + strings.Repeat("b ", 6*n) + `"`)},
		{"targets", rule(`[{"Name":"ForwardTo","Value":"` + list("u%d@gmail.com", ";") + `"}]`)},
	}
	for _, record := range records {
		t.Run(record.name, func(t *testing.T) {
			start := time.Now()
			e := onlyEvent(t, schemas.SourceEmail, record.text)
			// Some hundred times of what it takes; the square took minutes.
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%d bytes took %s", len(record.text), took)
			}
			if listed := max(len(e.Clear.Recipients), len(e.Clear.Targets), len(e.Clear.Attachments)); listed > maxListed {
				t.Errorf("%d entries in a list of the evidence", listed)
			}
			if len(e.Email.Extensions) > maxExtensions {
				t.Errorf("%d extensions", len(e.Email.Extensions))
			}
			switch record.name {
			case "recipients":
				sees(t, "recipients", e.Email.Recipients, n)
			case "targets":
				sees(t, "external", e.Email.ExternalRecipients, n)
			case "attachments", "items":
				sees(t, "attachments", e.Email.Attachments, n)
			}
		})
	}
}

func FuzzExchange(f *testing.F) {
	// No text in the free-form members of an Exchange record panics or loses it.
	f.Add("Send", "a.png (2242b); b (", `-Name "x`, `[{"ActionType":"Forward"`)
	f.Add("New-InboxRule", "", "-ForwardTo:a@b.com,c@d.com -", "")
	f.Add("UpdateInboxRules", ";;(b)", "'", `[1,null,"x"]`)
	f.Fuzz(func(t *testing.T, operation, attachments, parameters, actions string) {
		text := fmt.Sprintf(`{"RecordType":2,"Id":"k1","CreationTime":"2026-03-02T10:00:00","Workload":"Exchange","UserId":"ada@contoso.com","Operation":%s,"Parameters":%s,"Item":{"Attachments":%s},"OperationProperties":[{"Name":"RuleActions","Value":%s}]}`,
			quoteJSON(operation), quoteJSON(parameters), quoteJSON(attachments), quoteJSON(actions))
		out := mapText(t, schemas.SourceEmail, text)
		if len(out.Events)+len(out.Skips)+len(out.Rejects) != 1 {
			t.Fatalf("%d events, %d skips, %d rejects", len(out.Events), len(out.Skips), len(out.Rejects))
		}
		for _, r := range out.Rejects {
			if r.Reason == ReasonPanic {
				t.Fatal(r.Detail)
			}
		}
	})
}

// quoteJSON writes text as a JSON string.
func quoteJSON(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}
