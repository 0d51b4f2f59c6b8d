package normalise

import (
	"strings"
)

// mailLabel maps a message that passed the transport with a sensitivity label
// (record type 43).
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema#mip-label-schema
func (m *Mapper) mailLabel(rec record) {
	e := m.mailbox(rec, activityMailLabelled)
	sender := mailAddress(rec.at("Sender"))
	if e.Actor.UPN == "" && sender != "" {
		e.Actor = mailActor(sender)
	}
	e.Clear.Sender = sender
	e.Clear.Subject = rec.at("ItemName")
	e.Clear.Title = rec.at("LabelAction")
	e.Email.Messages = 1
	e.Email.Label = rec.str("LabelName", "LabelId")
	m.message(e, rec.str("InternetMessageId", "MessageId"))
	var receivers []string
	for _, item := range m.embedded(rec.get("Receivers")).items() {
		receivers = append(receivers, first(item.text(), item.str("address", "emailAddress")))
	}
	if text := rec.at("Receivers"); text != "" {
		receivers = strings.FieldsFunc(text, func(r rune) bool { return r == ';' || r == ',' })
	}
	m.sentTo(e, receivers, 0)
	m.emitMail(rec, e)
}
