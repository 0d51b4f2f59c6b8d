package normalise

import (
	"github.com/riskpipe/riskpipe/schemas"
)

// isMessageTrace tells a row of message trace: of the reporting web service, of
// Get-MessageTrace and Get-MessageTraceV2, and of Graph's exchangeMessageTrace.
func isMessageTrace(o object) bool {
	return o.has("SenderAddress", "RecipientAddress") &&
		(o.has("MessageTraceId") || o.has("Received") || o.has("receivedDateTime"))
}

// messageTrace maps a row of message trace: one recipient of one message. All
// rows of a message share Email.Message.
// https://learn.microsoft.com/powershell/module/exchange/get-messagetracev2
func (m *Mapper) messageTrace(rec record) {
	sender, recipient := mailAddress(rec.at("SenderAddress")), mailAddress(rec.at("RecipientAddress"))
	e := &Event{}
	e.ID = m.id(rec, "message-trace", lowercase(rec.str("MessageTraceId", "id")), first(recipient, rec.at("RecipientAddress")))
	e.Source = schemas.SourceEmail
	e.Operation = "MessageTrace"
	e.Time = rec.when("Received", "receivedDateTime")
	e.Outcome = traceOutcome(rec.at("Status"))
	e.Email = &schemas.Email{Messages: 1, Recipients: 1, Size: rec.size("Size")}
	m.message(e, rec.at("MessageId"))
	e.Clear.Subject = rec.at("Subject")
	e.Clear.Sender, e.Clear.Recipients = sender, []string{first(recipient, rec.at("RecipientAddress"))}
	m.from(e, "", 0, rec.at("FromIP"))

	e.Email.Direction = m.traceDirection(rec, sender, recipient)
	e.Activity = activityMailSent
	e.Actor = mailActor(sender)
	switch e.Email.Direction {
	case directionInbound:
		e.Activity = activityMailReceived
		e.Actor = mailActor(recipient)
	case directionOutbound:
		m.to(e, recipient)
		e.Activity = activityMailSentExternal
		e.Email.ExternalRecipients = 1
	default:
		m.to(e, recipient)
	}
	m.emit(rec, e)
}

// traceDirection tells the direction by the domains of both ends: those that
// the configuration calls internal, and the tenant's name in the row. When
// neither end is known, the addresses tell: a row has the server that a message
// was handed to only when it left the tenant.
func (m *Mapper) traceDirection(rec record, sender, recipient string) string {
	organisation := lowercase(rec.at("Organization"))
	inside := func(address string) bool {
		domain := domainOf(address)
		return domain != "" && (domain == organisation || m.domains.Class(domain) == ClassInternal)
	}
	from, to := inside(sender), inside(recipient)
	switch {
	case from && to:
		return directionInternal
	case from:
		return directionOutbound
	case to, rec.at("ToIP") == "" && rec.at("FromIP") != "":
		return directionInbound
	case rec.at("ToIP") != "":
		return directionOutbound
	default:
		return ""
	}
}

// traceOutcome reads what became of a message.
// https://learn.microsoft.com/exchange/monitoring/trace-an-email-message/message-trace-modern-eac
func traceOutcome(status string) schemas.Outcome {
	switch lowercase(status) {
	case "delivered", "expanded", "resolved", "filteredasspam":
		return schemas.OutcomeSuccess
	case "failed", "quarantined":
		return schemas.OutcomeFailure
	default: // Pending, GettingStatus: not yet
		return schemas.OutcomeUnknown
	}
}

// mailActor is the person behind a mail address, which need not be the UPN.
func mailActor(address string) Actor {
	actor := person(address)
	actor.Mail, actor.UPN = actor.UPN, ""
	return actor
}
