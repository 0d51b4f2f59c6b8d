package tenant

import (
	"strconv"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// messageTrace publishes a row of message trace, one a recipient.
// https://learn.microsoft.com/previous-versions/office/developer/o365-enterprise-developers/jj984335(v=office.15)
func (g *generator) messageTrace(p *person, m *message, r recipient) {
	w := &g.w
	w.reset()
	w.open("")
	w.text("Organization", g.tenant.options.Domain)
	w.text("MessageId", m.internet)
	w.key("Received")
	if g.dice.chance(0.3) {
		w.b = append(w.b, `"/Date(`...)
		w.b = strconv.AppendInt(w.b, int64(m.at), 10)
		w.b = append(w.b, `)/"`...)
	} else {
		w.b = append(w.b, '"')
		w.b = appendTime(w.b, m.at, choose(g.dice.chance(0.5), layoutSeconds, layoutNoZone))
		w.b = append(w.b, '"')
	}
	w.texts("SenderAddress", strings.ToLower(p.mailUPN), "RecipientAddress", r.mail(), "Subject", m.subject, "Status", "Delivered")
	w.null("ToIP")
	w.text("FromIP", p.address(m.at))
	w.number("Size", m.size)
	w.id("MessageTraceId", m.network)
	w.close()
	g.pending = append(g.pending, item{at: m.at + g.dice.span(20*minute, 70*minute), source: schemas.SourceEmail, value: g.keep()})
}
