package normalise

import (
	"slices"
	"strings"
)

// mailSent maps the sending of a message from a mailbox. Older records name no
// recipients: those come from EmailEvents or message trace, by the message id.
func (m *Mapper) mailSent(rec record) {
	e := m.mailbox(rec, activityMailSent)
	e.Email.Messages = 1
	m.mailItem(e, m.embedded(rec.get("Item")))
	// In whose name; who did it stays the actor.
	e.Clear.Sender = lowercase(rec.str("SendAsUserSmtp", "SendOnBehalfOfUserSmtp"))
	if e.Clear.Sender != "" && e.Email.Access == "" {
		e.Email.Access = "delegate"
	}
	item := m.embedded(rec.get("Item"))
	recipients := m.recipients(rec.object)
	if len(recipients) == 0 {
		recipients = m.recipients(item)
	}
	m.sentTo(e, recipients, max(rec.size("recipientCount"), item.size("recipientCount")))
	if e.Email.ExternalRecipients > 0 {
		e.Activity = activityMailSentExternal
	}
	m.emitMail(rec, e)
}

// recipients lists the recipients of a message, texts or objects.
func (m *Mapper) recipients(o object) []string {
	var list []string
	for _, name := range []string{"recipientList", "Recipients", "To", "Cc", "Bcc"} {
		for _, item := range m.embedded(o.get(name)).items() {
			if text := first(item.text(), item.at("emailAddress", "address"), item.str("address", "emailAddress", "smtpAddress", "email")); text != "" {
				list = append(list, text)
			}
		}
		if text := o.at(name); text != "" && len(list) == 0 {
			list = append(list, strings.Split(text, ";")...)
		}
	}
	return list
}

// mailItem fills in a single item: which message, what it is called and what
// hangs on it.
func (m *Mapper) mailItem(e *Event, item object) {
	m.message(e, item.at("InternetMessageId"))
	e.Clear.Subject = item.at("Subject")
	e.Clear.Object = folderPath(item.get("ParentFolder"))
	bytes := m.attachments(e, item.get("Attachments"))
	if e.Email.Size = item.size("SizeInBytes"); e.Email.Size == 0 {
		e.Email.Size = bytes // a lower bound
	}
}

// mailItems maps an operation on an item (record type 2) or a group of items
// (record type 3).
func (m *Mapper) mailItems(rec record, activity string) {
	e := m.mailbox(rec, activity)
	items := m.embedded(rec.get("AffectedItems")).items()
	if len(items) == 0 {
		items = m.embedded(rec.get("Item")).items()
	}
	e.Email.Messages = count(int64(max(len(items), 1)))
	var size int64
	for _, item := range items {
		bytes := m.attachments(e, item.get("Attachments"))
		size += max(item.size("SizeInBytes"), bytes)
	}
	e.Email.Size = size
	if len(items) > 0 {
		e.Clear.Subject = items[0].at("Subject")
		e.Clear.Object = folderPath(items[0].get("ParentFolder"))
	}
	if len(items) == 1 {
		m.message(e, items[0].at("InternetMessageId"))
	}
	e.Clear.Object = first(folderPath(m.embedded(rec.get("Folder"))), e.Clear.Object)
	e.Clear.TargetPath = folderPath(m.embedded(rec.get("DestFolder")))
	if owner := mailAddress(rec.at("DestMailboxOwnerUPN")); owner != "" {
		// Into another mailbox.
		e.Clear.Targets = []string{owner}
		m.to(e, owner)
	}
	m.emitMail(rec, e)
}

// mailAccessed maps the reading of mail. One record speaks of many messages
// (Bind), or of a folder which a client synchronised (Sync).
func (m *Mapper) mailAccessed(rec record) {
	e := m.mailbox(rec, activityMailAccessed)
	var messages, size int64
	var folders []string
	single := object{}
	add := func(items []object) {
		for _, item := range items {
			messages++
			size += item.size("SizeInBytes")
			m.attachments(e, item.get("Attachments"))
			single = item
		}
	}
	for _, folder := range m.embedded(rec.get("Folders")).items() {
		if path := folderPath(folder); path != "" && len(folders) < maxListed {
			folders = append(folders, path)
		}
		add(folder.get("FolderItems").items())
	}
	for _, message := range m.embedded(rec.get("Messages")).items() {
		list := message.get("MessageItems")
		switch {
		case !list.ok():
			add([]object{message})
		case message.at("InternetMessageId") != "" && !slices.ContainsFunc(list.items(), isMessage):
			add([]object{message})
			size += m.attachments(e, list) // the items of a message are its attachments
		default:
			add(list.items())
		}
	}
	if item := m.embedded(rec.get("Item")); messages == 0 && item.ok() {
		m.mailItem(e, item)
		folders = append(folders, e.Clear.Object)
		size = e.Email.Size
	}
	if messages == 1 {
		m.message(e, single.at("InternetMessageId"))
		e.Clear.Subject = single.at("Subject")
	}
	e.Email.Messages = count(max(messages, rec.size("OperationCount"), 1))
	e.Email.Size = size
	e.Clear.Object = strings.Join(folders, "; ")
	m.emitMail(rec, e)
}

func isMessage(item object) bool { return item.at("InternetMessageId") != "" }

// folderPath returns the path of a mail folder, or its name where Exchange has
// no path for it.
func folderPath(folder object) string { return first(known(folder.at("Path")), folder.at("Name")) }
