package normalise

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

func TestMailLabel(t *testing.T) {
	// A labelled message says its label, and whether it leaves.
	e := onlyEvent(t, schemas.SourceEmail, `{"RecordType":43,"Id":"l1","CreationTime":"2026-03-02T10:00:00","Operation":"MipLabel","Workload":"Exchange","UserId":"DlpAgent","Sender":"Ada@contoso.com","Receivers":["bob@contoso.com","x@gmail.com"],"ItemName":"Plans","LabelId":"11112222-aaaa-bbbb-cccc-333344445555","LabelName":"Secret","LabelAction":"None","LabelAppliedDateTime":"2026-03-02T09:59:00"}`)
	sees(t, "event", head(e), "email.labelled 2026-03-02T10:00:00.000Z person ada@contoso.com success ip=")
	sees(t, "mail", mailLine(e), "email.labelled dir=outbound n=1 to=2/1 att=0[] size=0 access= rule= class=personal_mail")
	sees(t, "label", e.Email.Label, "Secret")
	sees(t, "subject", e.Clear.Subject, "Plans")
	one := onlyEvent(t, schemas.SourceEmail, `{"RecordType":"MipLabel","Id":"l2","CreationTime":"2026-03-02T10:00:00","Operation":"MipLabel","Workload":"Exchange","UserId":"ada@contoso.com","Receivers":"bob@contoso.com;carol@contoso.com","LabelId":"11112222-aaaa-bbbb-cccc-333344445555"}`)
	sees(t, "label id", one.Email.Label, "11112222-aaaa-bbbb-cccc-333344445555")
	sees(t, "receivers", mailLine(one), "email.labelled dir=internal n=1 to=2/0 att=0[] size=0 access= rule= class=internal")
}
