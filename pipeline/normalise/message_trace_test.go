package normalise

import (
	"fmt"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func traceRow(received, sender, recipient, more string) string {
	return `{"MessageTraceId":"t-1","MessageId":"<M1@contoso.com>","Received":"` + received + `","SenderAddress":"` + sender + `","RecipientAddress":"` + recipient + `","Subject":"Plans","Status":"Delivered","Size":"22704"` + more + `}`
}

func TestMessageTrace(t *testing.T) {
	// A row of message trace is one recipient; the actor is the sender of what
	// leaves or stays, and the recipient of what comes in.
	tests := []struct{ name, text, want, direction string }{
		{"inbound", traceRow("2026-03-02T10:00:00.6006882Z", "x@example.org", "Ada@Contoso.com", `,"FromIP":"203.0.113.8","ToIP":null`), "email.received 2026-03-02T10:00:00.600Z person ada@contoso.com success ip=203.0.113.8", "inbound"},
		{"outbound, no zone", traceRow("2026-03-02T10:00:00.36", "Ada@Contoso.com", "ada.l@gmail.com", ``), "email.sent_external 2026-03-02T10:00:00.360Z person ada@contoso.com success ip=", "outbound"},
		{"internal, milliseconds", traceRow(`/Date(1772445600000)/`, "ada@contoso.com", "bob@contoso.onmicrosoft.com", ``), "email.sent 2026-03-02T10:00:00.000Z person ada@contoso.com success ip=", "internal"},
		{"tenant named in the row", traceRow("2026-03-02T10:00:00Z", "x@example.org", "linus@tailspin.example", `,"Organization":"tailspin.example"`), "email.received 2026-03-02T10:00:00.000Z person linus@tailspin.example success ip=", "inbound"},
		{"neither end known, came in", traceRow("2026-03-02T10:00:00Z", "x@example.org", "y@example.net", `,"FromIP":"203.0.113.8"`), "email.received 2026-03-02T10:00:00.000Z person y@example.net success ip=203.0.113.8", "inbound"},
		{"neither end known, went out", traceRow("2026-03-02T10:00:00Z", "x@example.org", "y@example.net", `,"ToIP":"203.0.113.8"`), "email.sent_external 2026-03-02T10:00:00.000Z person x@example.org success ip=", "outbound"},
		{"Graph", `{"id":"t-1","receivedDateTime":"2026-03-02T10:00:00Z","senderAddress":"ada@contoso.com","recipientAddress":"bob@contoso.com","messageId":"<m1@contoso.com>","status":"failed","size":5}`, "email.sent 2026-03-02T10:00:00.000Z person ada@contoso.com failure ip=", "internal"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := onlyEvent(t, schemas.SourceEmail, test.text)
			sees(t, "event", head(e), test.want)
			sees(t, "direction", e.Email.Direction, test.direction)
			sees(t, "message", e.Email.Message, plainHash("message", "m1@contoso.com"))
			sees(t, "recipients", e.Email.Recipients, 1)
		})
	}
}

func TestMessageTrace_identity(t *testing.T) {
	// One message to two people is two events of one message; a row delivered
	// twice is one.
	a := onlyEvent(t, schemas.SourceEmail, traceRow("2026-03-02T10:00:00Z", "ada@contoso.com", "bob@contoso.com", ""))
	again := onlyEvent(t, schemas.SourceEmail, `[`+traceRow("2026-03-02T10:00:00Z", "ada@contoso.com", "BOB@contoso.com", `,"Index":7`)+`]`)
	b := onlyEvent(t, schemas.SourceEmail, traceRow("2026-03-02T10:00:00Z", "ada@contoso.com", "x@gmail.com", ""))
	sees(t, "again", again.ID, a.ID)
	sees(t, "message", b.Email.Message, a.Email.Message)
	if a.ID == b.ID {
		t.Error("two recipients share an event id")
	}
	sees(t, "class", b.Destination.Class, ClassPersonalMail)
	sees(t, "external", b.Email.ExternalRecipients, 1)
	sees(t, "size", b.Email.Size, 22704)
	sent := onlyEvent(t, schemas.SourceEmail, exchangeRecord("2", "Send", `"Item":{"InternetMessageId":"<m1@CONTOSO.com>"}`))
	sees(t, "Send", sent.Email.Message, a.Email.Message)
}

func TestMessage_sameByAllFeeds(t *testing.T) {
	// Send, message trace and EmailEvents of one message agree on which it is,
	// whatever the case and the brackets of its id.
	trace := onlyEvent(t, schemas.SourceEmail, traceRow("2026-03-02T10:00:00Z", "ada@contoso.com", "x@gmail.com", ""))
	sent := onlyEvent(t, schemas.SourceEmail, exchangeRecord("2", "Send", `"Item":{"InternetMessageId":"m1@CONTOSO.com"}`))
	event := onlyEvent(t, schemas.SourceDefender, `{"records":[{"time":"2026-03-02T10:02:00Z","category":"AdvancedHunting-EmailEvents","properties":{"Timestamp":"2026-03-02T10:00:00Z","NetworkMessageId":"11112222-aaaa-bbbb-cccc-333344445555","InternetMessageId":"<M1@contoso.com>","SenderFromAddress":"ada@contoso.com","RecipientEmailAddress":"x@gmail.com","EmailDirection":"Outbound","DeliveryAction":"Delivered"}}]}`)
	sees(t, "Send", sent.Email.Message, trace.Email.Message)
	sees(t, "EmailEvents", event.Email.Message, trace.Email.Message)
	sees(t, "activity", event.Activity, trace.Activity)
}

func TestMessageTrace_badTime(t *testing.T) {
	// A row whose time cannot be read is rejected, not misdated.
	out := mapText(t, schemas.SourceEmail, traceRow("yesterday", "ada@contoso.com", "bob@contoso.com", ""))
	sees(t, "rejects", fmt.Sprint(len(out.Rejects), len(out.Events)), "1 0")
	sees(t, "reason", out.Rejects[0].Reason, ReasonMissingTime)
}
