package normalise

import (
	"strings"
	"testing"
)

const emailRowText = `{"Timestamp":"2026-03-09T08:15:00Z","NetworkMessageId":"5f2d0c3e-9d1c-4a55-8c1e-08dd01020304","InternetMessageId":"<AB12@mail.contoso.com>",
	"SenderFromAddress":"Ada.Lovelace@Contoso.com","SenderObjectId":"9d3e5f10-1111-4222-8333-444455556666","SenderIPv4":null,"SenderIPv6":"2001:db8::7",
	"RecipientEmailAddress":"Someone@Gmail.com","RecipientObjectId":null,"EmailDirection":"Outbound","DeliveryAction":"Delivered","Subject":"figures",
	"AttachmentCount":"2","EmailSize":81920,"AuthenticationDetails":"{\"SPF\":\"pass\"}","ReportId":"r-1","AdditionalFields":null}`

func TestEmailEvent(t *testing.T) {
	// A row is one message to one recipient, told from our side of it.
	for name, test := range map[string]struct{ from, to, gist, direction, class string }{
		"outbound":        {"", "", "email.sent_external success person ada.lovelace@contoso.com", "outbound", ClassPersonalMail},
		"inside":          {`"Outbound"`, `"Intra-org"`, "email.sent success person ada.lovelace@contoso.com", "internal", ClassInternal},
		"received":        {`"Outbound"`, `"Inbound"`, "email.received success person someone@gmail.com", "inbound", ""},
		"blocked":         {`"Delivered"`, `"Blocked"`, "email.sent_external failure person ada.lovelace@contoso.com", "outbound", ClassPersonalMail},
		"junked":          {`"Delivered"`, `"Junked"`, "email.sent_external success person ada.lovelace@contoso.com", "outbound", ClassPersonalMail},
		"no action":       {`"Delivered"`, `null`, "email.sent_external unknown person ada.lovelace@contoso.com", "outbound", ClassPersonalMail},
		"no direction":    {`"Outbound"`, `null`, "email.sent_external success person ada.lovelace@contoso.com", "outbound", ClassPersonalMail},
		"to our own list": {`Someone@Gmail.com`, `all@contoso.com`, "email.sent success person ada.lovelace@contoso.com", "outbound", ClassInternal},
		"non-delivery":    {`Ada.Lovelace@Contoso.com`, `MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@contoso.com`, "email.sent_external success system microsoftexchange329e71ec88ae4615bbc36ab6ce41109e@contoso.com", "outbound", ClassPersonalMail},
	} {
		t.Run(name, func(t *testing.T) {
			out := defenderOut(t, streamed("EmailEvents", strings.Replace(emailRowText, test.from, test.to, 1)))
			if got := defenderGist(out); got != test.gist {
				t.Fatalf("got  %s\nwant %s", got, test.gist)
			}
			e := out.Events[0]
			class := ""
			if e.Destination != nil {
				class = e.Destination.Class
			}
			if e.Email.Direction != test.direction || class != test.class {
				t.Errorf("direction %q, class %q, want %q and %q", e.Email.Direction, class, test.direction, test.class)
			}
		})
	}
}

func TestEmailEvent_facts(t *testing.T) {
	// The message is one whatever the recipients; the sender's address is an
	// alias until the object id tells whose.
	e := defenderEvent(t, streamed("EmailEvents", emailRowText))
	if e.Email.Attachments != 2 || e.Email.Size != 81920 || e.Email.Recipients != 1 || e.Email.ExternalRecipients != 1 || e.Email.Messages != 1 {
		t.Errorf("body %+v", e.Email)
	}
	if e.Actor.UPN != "" || e.Actor.Mail != "ada.lovelace@contoso.com" || e.Actor.ObjectID != "9d3e5f10-1111-4222-8333-444455556666" {
		t.Errorf("actor %+v", e.Actor)
	}
	if e.Clear.SourceIP != "2001:db8::7" || e.Clear.Subject != "figures" || e.Clear.MessageID != "AB12@mail.contoso.com" || e.Clear.Recipients[0] != "Someone@Gmail.com" {
		t.Errorf("evidence %+v", e.Clear)
	}
	other := defenderEvent(t, streamed("EmailEvents", strings.Replace(emailRowText, "Someone@Gmail.com", "second@gmail.com", 1)))
	if other.ID == e.ID || other.Email.Message != e.Email.Message {
		t.Error("another recipient of the message is another event of the same message")
	}
	again := defenderEvent(t, streamed("EmailEvents", strings.Replace(emailRowText, "Someone@Gmail.com", "someone@gmail.com", 1)))
	if again.ID != e.ID {
		t.Error("the letter case of a recipient made another event")
	}
}

func TestMessageKey(t *testing.T) {
	// One message has one key, however its id is written.
	m := defenderMapper()
	want := m.messageKey("ab12@mail.contoso.com", "")
	for _, text := range []string{"<AB12@mail.contoso.com>", " <ab12@mail.contoso.com> ", `\u003cab12@mail.contoso.com\u003e`} {
		if got := m.messageKey(text, "n-1"); got != want {
			t.Errorf("%q has another key", text)
		}
	}
	if m.messageKey("", "n-1") == 0 || m.messageKey("", "") != 0 || m.messageKey("ANONYMIZED", "") != 0 {
		t.Error("without an internet message id the network message id counts, and without both nothing")
	}
}

func TestEmailAttachment(t *testing.T) {
	// A row is one attachment to one recipient; the side with an account in the
	// tenant is the actor.
	const row = `{"Timestamp":"2026-03-09T08:15:00Z","NetworkMessageId":"5f2d0c3e-9d1c-4a55-8c1e-08dd01020304","SenderFromAddress":"ada@contoso.com","SenderObjectId":"9d3e5f10-1111-4222-8333-444455556666",
		"RecipientEmailAddress":"x@gmail.com","RecipientObjectId":null,"FileName":"Plan.DOCX","FileType":"docx;zip","FileSize":1024,"SHA256":"beef"}`
	e := defenderEvent(t, streamed("EmailAttachmentInfo", row))
	if got := defenderGist(Result{Events: []*Event{&e}}); got != "email.attachment success person ada@contoso.com" {
		t.Error(got)
	}
	if strings.Join(e.Email.Extensions, ",") != "docx" || e.Email.Size != 1024 || e.Clear.SHA256 != "beef" || e.Email.Message == 0 || e.Destination.Class != ClassPersonalMail {
		t.Errorf("got %+v %+v", e.Email, e.Clear)
	}
	nameless := defenderEvent(t, streamed("EmailAttachmentInfo", strings.Replace(row, `"Plan.DOCX"`, "null", 1)))
	if strings.Join(nameless.Email.Extensions, ",") != "docx" || nameless.ID == e.ID {
		t.Errorf("without a name: %+v", nameless.Email)
	}
	incoming := strings.NewReplacer(`"9d3e5f10-1111-4222-8333-444455556666"`, "null", `"RecipientObjectId":null`, `"RecipientObjectId":"8d3e5f10-1111-4222-8333-444455556666"`, "x@gmail.com", "bob@contoso.com", "ada@contoso.com", "x@gmail.com")
	if got := defenderEvent(t, streamed("EmailAttachmentInfo", incoming.Replace(row))); got.Actor.Mail != "bob@contoso.com" || got.Email.Direction != "inbound" {
		t.Errorf("incoming: %+v", got.Actor)
	}
}
