package normalise

import (
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// The values of Email.Rule.
const (
	ruleForward    = "forward"
	ruleRedirect   = "redirect"
	ruleDelete     = "delete"
	ruleMove       = "move"
	rulePermission = "permission"
)

// ruleParameters says which parameters of the rule cmdlets divert mail, and how,
// the gravest first. Values of those which name recipients are the targets.
// https://learn.microsoft.com/powershell/module/exchange/new-inboxrule
// https://learn.microsoft.com/powershell/module/exchange/new-transportrule
var ruleParameters = []struct {
	name, rule string
	recipients bool
}{
	{"ForwardTo", ruleForward, true},
	{"ForwardAsAttachmentTo", ruleForward, true},
	{"BlindCopyTo", ruleForward, true},
	{"CopyTo", ruleForward, true},
	{"AddToRecipients", ruleForward, true},
	{"RedirectTo", ruleRedirect, true},
	{"RedirectMessageTo", ruleRedirect, true},
	{"DeleteMessage", ruleDelete, false},
	{"SoftDeleteMessage", ruleDelete, false},
	{"MoveToFolder", ruleMove, false},
	{"CopyToFolder", ruleMove, false},
}

// cmdlet maps an Exchange cmdlet (record type 1): those which divert mail, or
// let somebody else at it, give an event; all others are administration.
func (m *Mapper) cmdlet(rec record, operation string) {
	parameters := m.parameters(rec.get("Parameters"))
	switch operation {
	case "new-inboxrule", "set-inboxrule", "enable-inboxrule", "new-transportrule", "set-transportrule", "enable-transportrule":
		m.ruleSet(rec, parameters)
	case "set-mailbox", "new-mailbox", "enable-mailbox", "set-mailuser":
		m.mailboxSet(rec, parameters)
	case "add-mailboxpermission", "add-recipientpermission", "add-mailboxfolderpermission", "set-mailboxfolderpermission",
		"add-adpermission":
		m.permission(rec, parameters)
	case "remove-inboxrule", "disable-inboxrule", "remove-transportrule", "disable-transportrule",
		"remove-mailboxpermission", "remove-recipientpermission", "remove-mailboxfolderpermission":
		rec.skip(SkipRuleRemoved)
	default:
		rec.skip(SkipMailAdministration)
	}
}

// ruleSet maps a rule made or changed by a cmdlet.
func (m *Mapper) ruleSet(rec record, parameters parameters) {
	e := m.mailbox(rec, activityMailRule)
	e.Clear.Title = parameters.at("Name")
	for _, known := range ruleParameters {
		value := parameters.at(known.name)
		if value == "" || strings.EqualFold(value, "False") || value == "$false" {
			continue
		}
		e.Email.Rule = first(e.Email.Rule, known.rule)
		switch {
		case known.recipients:
			m.divertedTo(e, value)
		case known.rule == ruleMove:
			e.Clear.TargetPath = first(e.Clear.TargetPath, value)
		}
	}
	m.mailboxOf(e, rec, parameters.at("Mailbox"))
	m.emitMail(rec, e)
}

// mailboxSet maps a change of a mailbox: forwarding of all its mail, or the
// right to send in its name.
func (m *Mapper) mailboxSet(rec record, parameters parameters) {
	address, contact := parameters.at("ForwardingSmtpAddress"), parameters.at("ForwardingAddress")
	// Kept copies without an address turn on a forwarding set before.
	named := parameters.has("ForwardingSmtpAddress") || parameters.has("ForwardingAddress")
	forwards := address != "" || contact != "" || !named && strings.EqualFold(parameters.at("DeliverToMailboxAndForward"), "True")
	behalf := parameters.at("GrantSendOnBehalfTo")
	cleared := named || parameters.has("GrantSendOnBehalfTo")
	switch {
	case forwards:
		e := m.mailbox(rec, activityMailForwarding)
		e.Email.Rule = ruleForward
		m.divertedTo(e, address)
		m.divertedTo(e, contact)
		m.mailboxOf(e, rec, parameters.at("Identity"))
		m.emitMail(rec, e)
	case behalf != "":
		e := m.mailbox(rec, activityMailPermission)
		e.Email.Rule = rulePermission
		m.divertedTo(e, behalf)
		m.mailboxOf(e, rec, parameters.at("Identity"))
		m.emitMail(rec, e)
	case cleared:
		rec.skip(SkipRuleRemoved)
	default:
		rec.skip(SkipMailAdministration)
	}
}

// permission maps a right to a mailbox or folder given by a cmdlet.
func (m *Mapper) permission(rec record, parameters parameters) {
	rights := parameters.at("AccessRights")
	if strings.EqualFold(rights, "None") || strings.EqualFold(parameters.at("Deny"), "True") {
		rec.skip(SkipRuleRemoved)
		return
	}
	e := m.mailbox(rec, activityMailPermission)
	e.Email.Rule = rulePermission
	e.Clear.Title = rights
	m.grantedTo(e, first(parameters.at("User"), parameters.at("Trustee")))
	m.mailboxOf(e, rec, parameters.at("Identity"))
	m.emitMail(rec, e)
}

// folderPermission maps a right to a folder given from a mail client (record
// type 2).
func (m *Mapper) folderPermission(rec record) {
	folder := m.embedded(rec.get("Item")).get("ParentFolder")
	rights := folder.at("MemberRights")
	if strings.EqualFold(rights, "None") {
		rec.skip(SkipRuleRemoved)
		return
	}
	e := m.mailbox(rec, activityMailPermission)
	e.Email.Rule = rulePermission
	e.Clear.Title = rights
	e.Clear.Object = folderPath(folder)
	m.grantedTo(e, folder.str("MemberUpn", "MemberSid"))
	m.emitMail(rec, e)
}

// inboxRuleUpdate maps a rule changed from a mail client (record type 2), whose
// actions are JSON in a string.
// https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxorule
func (m *Mapper) inboxRuleUpdate(rec record) {
	properties := m.embedded(rec.get("OperationProperties"))
	operation := lowercase(properties.named("RuleOperation").text())
	if strings.HasPrefix(operation, "delete") || strings.HasPrefix(operation, "remove") {
		rec.skip(SkipRuleRemoved)
		return
	}
	e := m.mailbox(rec, activityMailRule)
	e.Clear.Title = properties.named("RuleName").text()
	e.Clear.Object = folderPath(m.embedded(rec.get("Item")).get("ParentFolder"))
	rules := map[string]bool{}
	for _, action := range m.embedded(properties.named("RuleActions")).items() {
		rules[clientRule(action)] = true
		for _, recipient := range m.recipients(action) {
			m.divertedTo(e, recipient)
		}
	}
	for _, rule := range []string{ruleForward, ruleRedirect, ruleDelete, ruleMove} {
		if rules[rule] {
			e.Email.Rule = rule
			break
		}
	}
	m.emitMail(rec, e)
}

// clientRule reads an action of a rule. A redirection is a forwarding which
// keeps the sender and leaves the message as it is.
func clientRule(action object) string {
	kind := lowercase(action.at("ActionType"))
	switch {
	case strings.Contains(kind, "redirect"), strings.Contains(lowercase(action.at("ForwardFlags")), "preservesender"):
		return ruleRedirect
	case strings.Contains(kind, "forward"), strings.Contains(kind, "delegate"):
		return ruleForward
	case strings.Contains(kind, "delete"):
		return ruleDelete
	case strings.Contains(kind, "move"), strings.Contains(kind, "copy"):
		return ruleMove
	default:
		return ""
	}
}

// divertedTo adds the recipients that a rule or mailbox sends mail to. Those
// which are no addresses are objects of the directory, whose place is unknown.
func (m *Mapper) divertedTo(e *Event, value string) {
	for _, target := range targetsOf(value) {
		e.Clear.Targets = append(e.Clear.Targets, target)
		if isUPN(target) {
			e.Email.Recipients++
			e.Email.ExternalRecipients += count(int64(m.to(e, target)))
		}
	}
}

// grantedTo adds whom a right was given to. Anonymous stands for anyone on the
// internet.
func (m *Mapper) grantedTo(e *Event, grantee string) {
	if grantee == "" {
		return
	}
	if strings.EqualFold(grantee, "Anonymous") || strings.EqualFold(grantee, "S-1-5-7") {
		e.Destination = &schemas.Destination{Class: ClassPublic, External: true}
	}
	for _, target := range targetsOf(grantee) {
		e.Clear.Targets = append(e.Clear.Targets, target)
		if isUPN(target) { // Exchange's stand-in Member@local is none
			m.to(e, target)
		}
	}
}

// targetsOf parts a list of recipients: by semicolons, and by commas between
// addresses.
func targetsOf(value string) []string {
	var list []string
	for part := range strings.SplitSeq(value, ";") {
		pieces := strings.Split(part, ",")
		if strings.Count(part, "@") < len(pieces) {
			pieces = []string{part} // "Lovelace, Ada", or a path
		}
		for _, piece := range pieces {
			piece = strings.TrimSpace(piece)
			if target := first(mailAddress(piece), piece); target != "" {
				list = append(list, target)
			}
		}
	}
	return list
}

// mailboxOf says what was changed, and whose mailbox when it is not the actor's
// own.
func (m *Mapper) mailboxOf(e *Event, rec record, identity string) {
	e.Clear.Object = first(e.Clear.Object, rec.at("ObjectId"))
	if mailbox := lowercase(identity); mailbox != e.Actor.UPN {
		e.Clear.Mailbox = first(e.Clear.Mailbox, mailbox)
	}
}
