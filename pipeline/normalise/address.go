package normalise

import (
	"net/netip"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// parseAddress reads every spelling of an IP address seen upstream: plain,
// [v6], v4:port, [v6]:port, with a zone, IPv4 mapped into IPv6. What is no
// address ("<null>", "localhost", a host name, "ffff:10.11.0.229") is none.
func parseAddress(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if s == "" {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	addr = addr.Unmap().WithZone("")
	return addr, !addr.IsUnspecified()
}

// from fills in the source address from the first text that is one, with the
// country (any text that is two letters counts) and the autonomous system.
func (m *Mapper) from(e *Event, country string, asn int64, candidates ...string) {
	country = strings.ToUpper(country)
	if len(country) != 2 {
		country = ""
	}
	for _, text := range candidates {
		if addr, ok := parseAddress(text); ok {
			canonical := addr.String()
			e.Clear.SourceIP = canonical
			e.SourceIP = &schemas.SourceIP{
				ID: m.hash("ip", canonical), Country: country, ASN: max(asn, 0),
				Private: addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast(),
			}
			return
		}
	}
	if country != "" || asn > 0 {
		e.SourceIP = &schemas.SourceIP{Country: country, ASN: max(asn, 0)}
	}
}

// on fills in the device.
func (m *Mapper) on(e *Event, id, name, os string, managed *bool) {
	e.Clear.DeviceID, e.Clear.DeviceName = id, name
	if id == "" && name == "" && os == "" && managed == nil {
		return
	}
	e.Device = &schemas.Device{OS: os, Managed: managed}
	if key := strings.ToLower(first(id, name)); key != "" {
		e.Device.ID = m.hash("device", key)
	}
}

// first returns the first non-empty text.
func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}
