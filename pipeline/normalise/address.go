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
	if !hasFormOfAddress(s) {
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

// hasFormOfAddress tells host names and most other texts from addresses, which
// takes longer, and an error, to find out by parsing.
func hasFormOfAddress(s string) bool {
	separated := false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F', c == '[', c == ']':
		case c == '.', c == ':':
			separated = true
		case c == '%':
			return separated
		default:
			return false
		}
	}
	return separated
}

// canonicalAddress is how the address is written, which most texts do already.
func canonicalAddress(addr netip.Addr, text string) string {
	var b [64]byte
	if canonical := addr.AppendTo(b[:0]); string(canonical) != text {
		return string(canonical)
	}
	return text
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
			canonical := canonicalAddress(addr, text)
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
	if key := first(id, name); key != "" {
		e.Device.ID = m.hashFolded("device", key)
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
