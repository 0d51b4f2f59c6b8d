package normalise

import (
	"fmt"
	"strings"
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func TestExchange_rules(t *testing.T) {
	// Rules, forwarding and permissions say what they do and to whom.
	admin := func(operation, parameters string) string {
		return `{"RecordType":1,"Id":"h1","CreationTime":"2026-03-02T10:00:00","Operation":"` + operation + `","Workload":"Exchange","ResultStatus":"True","UserId":"ada@contoso.com","UserType":2,"ClientIP":"198.51.100.7:4711","ObjectId":"ada\\x","Parameters":` + parameters + `}`
	}
	update := func(properties string) string {
		return exchangeRecord("2", "UpdateInboxRules", `"OperationProperties":[{"Name":"RuleOperation","Value":"AddMailboxRule"},{"Name":"RuleName"},`+properties+`]`)
	}
	tests := []struct{ name, text, want, targets string }{
		{"forward", admin("New-InboxRule", `[{"Name":"ForwardTo","Value":"ada.l@gmail.com;bob@contoso.com"},{"Name":"DeleteMessage","Value":"True"},{"Name":"Name","Value":""}]`), "email.rule_created to=2/1 rule=forward class=personal_mail", "ada.l@gmail.com|bob@contoso.com"},
		{"forward to a name", admin("Set-InboxRule", `[{"Name":"ForwardAsAttachmentTo","Value":"\"Ada\" [SMTP:Ada.L@gmail.com]"}]`), "email.rule_created to=1/1 rule=forward class=personal_mail", "ada.l@gmail.com"},
		{"redirect", admin("New-InboxRule", `[{"Name":"RedirectTo","Value":"x@fabrikam.com"}]`), "email.rule_created to=1/1 rule=redirect class=partner", "x@fabrikam.com"},
		{"delete", admin("New-InboxRule", `[{"Name":"DeleteMessage","Value":"True"}]`), "email.rule_created to=0/0 rule=delete class=", ""},
		{"not deleting", admin("New-InboxRule", `[{"Name":"DeleteMessage","Value":"False"},{"Name":"MoveToFolder","Value":"RSS"}]`), "email.rule_created to=0/0 rule=move class=", ""},
		{"marks as read only", admin("New-InboxRule", `[{"Name":"MarkAsRead","Value":true}]`), "email.rule_created to=0/0 rule= class=", ""},
		{"command line", admin("New-InboxRule", `"-Name \"keep -this\" -ForwardTo \"ada.l@gmail.com\",'bob@contoso.com' -StopProcessingRules:$true"`), "email.rule_created to=2/1 rule=forward class=personal_mail", "ada.l@gmail.com|bob@contoso.com"},
		{"parameters as JSON in a text", admin("New-InboxRule", `"[{\"Name\":\"RedirectTo\",\"Value\":\"x@fabrikam.com\"}]"`), "email.rule_created to=1/1 rule=redirect class=partner", "x@fabrikam.com"},
		{"command line with nothing", admin("Set-InboxRule", `"-Identity x -ForwardTo $null -RedirectTo:$null -DeleteMessage $true"`), "email.rule_created to=0/0 rule=delete class=", ""},
		{"blind copies", admin("New-TransportRule", `[{"Name":"BlindCopyTo","Value":"ada.l@gmail.com"}]`), "email.rule_created to=1/1 rule=forward class=personal_mail", "ada.l@gmail.com"},
		{"mailbox forwarding", admin("Set-Mailbox", `[{"Name":"Identity","Value":"ada@contoso.com"},{"Name":"ForwardingSmtpAddress","Value":"smtp:Ada.L@gmail.com"},{"Name":"DeliverToMailboxAndForward","Value":"False"}]`), "email.forwarding_set to=1/1 rule=forward class=personal_mail", "ada.l@gmail.com"},
		{"forwarding to an object of the directory", admin("Set-Mailbox", `[{"Name":"ForwardingAddress","Value":"Contoso/Users/Bob"}]`), "email.forwarding_set to=0/0 rule=forward class=", "Contoso/Users/Bob"},
		{"copies kept", admin("Set-Mailbox", `[{"Name":"DeliverToMailboxAndForward","Value":"True"}]`), "email.forwarding_set to=0/0 rule=forward class=", ""},
		{"send on behalf", admin("Set-Mailbox", `[{"Name":"GrantSendOnBehalfTo","Value":"bob@contoso.com"}]`), "email.permission_granted to=1/0 rule=permission class=internal", "bob@contoso.com"},
		{"full access", admin("Add-MailboxPermission", `[{"Name":"Identity","Value":"ceo@contoso.com"},{"Name":"User","Value":"ada@contoso.com"},{"Name":"AccessRights","Value":"FullAccess"}]`), "email.permission_granted to=0/0 rule=permission class=internal", "ada@contoso.com"},
		{"send as", admin("Add-RecipientPermission", `[{"Name":"Trustee","Value":"ada@contoso.com"},{"Name":"AccessRights","Value":"SendAs"}]`), "email.permission_granted to=0/0 rule=permission class=internal", "ada@contoso.com"},
		{"folder", exchangeRecord("2", "ModifyFolderPermissions", `"Item":{"ParentFolder":{"Path":"\\Calendar","MemberRights":"ReadAny","MemberUpn":"Member@local"}}`), "email.permission_granted to=0/0 rule=permission class=", "Member@local"},
		{"folder for anyone", exchangeRecord("2", "AddFolderPermissions", `"Item":{"ParentFolder":{"Path":"\\Calendar","MemberRights":"ReadAny","MemberUpn":"Anonymous"}}`), "email.permission_granted to=0/0 rule=permission class=public", "Anonymous"},
		{"client forward", update(`{"Name":"RuleActions","Value":"[{\"ActionType\":\"Forward\",\"Recipients\":[\"ada.l@gmail.com\",\"bob@contoso.com\"],\"ForwardFlags\":\"None\"}]"}`), "email.rule_created to=2/1 rule=forward class=personal_mail", "ada.l@gmail.com|bob@contoso.com"},
		{"client redirect", update(`{"Name":"RuleActions","Value":"[{\"ActionType\":\"MarkAsRead\"},{\"ActionType\":\"Forward\",\"Recipients\":[\"x@fabrikam.com\"],\"ForwardFlags\":\"PreserveSender, DoNotMungeMessage\"}]"}`), "email.rule_created to=1/1 rule=redirect class=partner", "x@fabrikam.com"},
		{"client delete", update(`{"Name":"RuleActions","Value":[{"ActionType":"Delete"}]}`), "email.rule_created to=0/0 rule=delete class=", ""},
		{"broken actions", update(`{"Name":"RuleActions","Value":"[{\"ActionType\":"}`), "email.rule_created to=0/0 rule= class=", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := onlyEvent(t, schemas.SourceEmail, test.text)
			class := ""
			if e.Destination != nil {
				class = e.Destination.Class
			}
			sees(t, "rule", fmt.Sprintf("%s to=%d/%d rule=%s class=%s", e.Activity, e.Email.Recipients, e.Email.ExternalRecipients, e.Email.Rule, class), test.want)
			sees(t, "targets", strings.Join(e.Clear.Targets, "|"), test.targets)
			sees(t, "event", head(e), e.Activity+" 2026-03-02T10:00:00.000Z person ada@contoso.com success ip=198.51.100.7")
		})
	}
}

func TestExchange_skips(t *testing.T) {
	// What neither moves mail nor opens it to others is skipped with a reason.
	admin := func(operation, parameters string) string {
		return `{"RecordType":1,"Id":"i1","CreationTime":"2026-03-02T10:00:00","Operation":"` + operation + `","Workload":"Exchange","UserId":"ada@contoso.com","Parameters":` + parameters + `}`
	}
	tests := []struct{ name, text, want string }{
		{"quota", admin("Set-Mailbox", `[{"Name":"ProhibitSendQuota","Value":"99 GB"}]`), SkipMailAdministration},
		{"forwarding ended", admin("Set-Mailbox", `[{"Name":"ForwardingSmtpAddress","Value":""}]`), SkipRuleRemoved},
		{"forwarding ended, copies kept", admin("Set-Mailbox", `[{"Name":"ForwardingAddress","Value":""},{"Name":"ForwardingSmtpAddress","Value":""},{"Name":"DeliverToMailboxAndForward","Value":"True"}]`), SkipRuleRemoved},
		{"tenant set-up", admin("Install-AdminAuditLogConfig", `[]`), SkipMailAdministration},
		{"rule removed", admin("Remove-InboxRule", `[{"Name":"Identity","Value":"x"}]`), SkipRuleRemoved},
		{"access denied", admin("Add-MailboxPermission", `[{"Name":"Deny","Value":"True"}]`), SkipRuleRemoved},
		{"client rule removed", exchangeRecord("2", "UpdateInboxRules", `"OperationProperties":[{"Name":"RuleOperation","Value":"DeleteMailboxRule"}]`), SkipRuleRemoved},
		{"permission of nothing", exchangeRecord("2", "ModifyFolderPermissions", `"Item":{"ParentFolder":{"MemberRights":"None","MemberUpn":"Everyone"}}`), SkipRuleRemoved},
		{"log-on", exchangeRecord("2", "MailboxLogin", ""), SkipMailOperation},
		{"message of another portal", exchangeRecord("154", "MessageAccess", ""), SkipMailOperation},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sees(t, "reason", onlySkip(t, schemas.SourceEmail, test.text), test.want)
		})
	}
}
