package normalise

import (
	"net/netip"
	"strings"

	"github.com/riskpipe/riskpipe/schemas"
)

// deviceFile maps a row of DeviceFileEvents: what a process, or somebody over
// the network, did to a file on a device.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicefileevents-table
func (m *Mapper) deviceFile(rec record) {
	var f folding
	verb := fileVerb(f.lower(rec.at("ActionType")))
	if verb == "" {
		rec.skip(SkipDeviceAction)
		return
	}
	name, path := rec.at("FileName"), rec.at("FolderPath")
	e := m.deviceRow(rec, "devicefileevents", "file."+verb, lowercase(name))
	m.requester(rec, e)
	more := m.additional(rec)
	e.File = &schemas.File{
		ItemType: itemFile, Location: locationDevice, Count: 1,
		Size: rec.size("FileSize"), Label: sensitivityLabel(rec),
	}
	e.ran(rec.at("InitiatingProcessFileName"))
	if n := more.size("uniqueEventsAggregated"); n > 1 {
		e.File.Count = int32(min(n, 1<<30))
	}
	m.localFile(e, path, name, rec.at("SHA256"))
	if before := rec.at("PreviousFileName"); before != "" {
		m.renamed(e, before, first(name, baseName(path)))
	}
	e.Clear.PreviousPath = rec.at("PreviousFolderPath")
	e.Clear.URL = rec.at("FileOriginUrl")
	switch {
	case rec.at("ShareName") != "":
		e.File.Location = locationNetworkShare
	case isShare(path):
		e.File.Location = locationNetworkShare
		if verb == "created" {
			e.Activity = "file.copied_to_network_share"
		}
	case more.flag("IsOnRemovableMedia"):
		e.File.Location = locationRemovableMedia
		if verb == "created" {
			e.Activity = "file.copied_to_removable_media"
		}
	case verb == "created" && isArchive(e.File.Extension) && e.Clear.URL == "":
		// An archive that has an origin was downloaded, not packed here.
		e.Activity = "file.archived"
	}
	m.emit(rec, e)
}

// fileVerb gives the verb of an action type in lower case. The reports which
// sum up what was not sent one by one add a suffix.
func fileVerb(action string) string {
	switch strings.TrimSuffix(action, "aggregatedreport") {
	case "filecreated":
		return "created"
	case "filemodified":
		return "modified"
	case "filerenamed":
		return "renamed"
	case "filedeleted":
		return "deleted"
	default:
		return ""
	}
}

// deviceRow starts an event from the columns of all device tables: the actor is
// the account of the process which did it.
func (m *Mapper) deviceRow(rec record, table, activity string, identity ...string) *Event {
	// A part of the identity may well be empty, which is no reason to distrust
	// the rest: it goes into the kind.
	e := m.row(rec, table+":"+strings.Join(identity, "\x00"), activity, rec.at("DeviceId"), rec.report())
	e.Outcome = schemas.OutcomeSuccess
	e.Actor = process(rec)
	m.on(e, rec.at("DeviceId"), rec.at("DeviceName"), rec.at("OSPlatform"), nil)
	remote := ""
	if rec.flag("IsInitiatingProcessRemoteSession") {
		remote = rec.at("InitiatingProcessRemoteSessionIP") // where the person sits
	}
	m.from(e, "", 0, remote, rec.at("LocalIP"))
	return e
}

// process is the account of the initiating process.
func process(rec record) Actor {
	return named{
		upn: rec.at("InitiatingProcessAccountUpn"), objectID: rec.at("InitiatingProcessAccountObjectId"),
		sid: rec.at("InitiatingProcessAccountSid"), domain: rec.at("InitiatingProcessAccountDomain"),
		name: rec.at("InitiatingProcessAccountName"), host: rec.at("DeviceName"),
	}.actor()
}

// requester makes whoever asked for the operation its actor: over the network
// the process is the file server's own, and so it may be locally.
func (m *Mapper) requester(rec record, e *Event) {
	asked := named{
		sid: rec.at("RequestAccountSid"), domain: rec.at("RequestAccountDomain"),
		name: rec.at("RequestAccountName"), host: rec.at("DeviceName"),
	}.actor()
	var f folding
	protocol := f.lower(rec.at("RequestProtocol"))
	remote := rec.at("ShareName") != "" || protocol != "" && protocol != "local" && protocol != "unknown"
	if isPerson(asked) && (remote || !isPerson(e.Actor)) {
		e.Actor = asked
	}
	if ip := rec.at("RequestSourceIP"); remote && ip != "" {
		m.from(e, "", 0, ip)
	}
}

// localFile fills in a file on a device. The folder is documented to be without
// the file's name and comes with it.
func (m *Mapper) localFile(e *Event, path, name, sha256 string) {
	e.Clear.SHA256 = sha256
	full := path
	if name == "" {
		name = baseName(path)
	}
	if name != "" && !strings.EqualFold(baseName(path), name) && path != "" {
		separator := `\`
		if strings.HasPrefix(path, "/") {
			separator = "/"
		}
		full = strings.TrimRight(path, `/\`) + separator + name
	}
	if full == "" {
		full = name
	}
	m.objectOf(e, full)
	m.nameOf(e, name)
	e.Clear.FilePath = strings.TrimRight(strings.TrimSuffix(full, baseName(full)), `/\`)
}

// sensitivityLabel is the label with its sublabel, as Microsoft shows them.
func sensitivityLabel(rec record) string {
	label, sub := rec.at("SensitivityLabel"), rec.at("SensitivitySubLabel")
	if label == "" || sub == "" {
		return first(label, sub)
	}
	return label + `\` + sub
}

// isShare tells a UNC path from a local one, which Windows may also write with
// two backslashes (\\?\C:\, \\.\).
func isShare(path string) bool {
	return hasPrefixFold(path, `\\?\unc\`) || strings.HasPrefix(path, `\\`) && len(path) > 2 && isAlphanumeric(path[2])
}

// isArchive tells extensions of files that hold other files.
func isArchive(extension string) bool {
	switch extension {
	case "zip", "zipx", "7z", "rar", "tar", "gz", "tgz", "bz2", "xz", "zst", "cab", "arj", "lzh":
		return true
	default:
		return false
	}
}

// deviceNetwork maps a row of DeviceNetworkEvents: a connection from the device.
// https://learn.microsoft.com/defender-xdr/advanced-hunting-devicenetworkevents-table
func (m *Mapper) deviceNetwork(rec record) {
	action := strings.TrimSuffix(lowercase(rec.at("ActionType")), "aggregatedreport")
	outcome := schemas.OutcomeUnknown
	switch action {
	case "connectionsuccess", "connectionfound", "connectionacknowledged":
		outcome = schemas.OutcomeSuccess
	case "connectionfailed":
		outcome = schemas.OutcomeFailure
	case "connectionrequest", "connectionattempt", "httpconnectioninspected", "sslconnectioninspected", "dnsconnectioninspected":
	default: // somebody else's doing (inbound, listening), or none (signatures)
		rec.skip(SkipDeviceAction)
		return
	}
	more := m.additional(rec)
	if strings.EqualFold(more.at("direction"), "in") {
		rec.skip(SkipDeviceAction)
		return
	}
	e := m.deviceRow(rec, "devicenetworkevents", "network.connected", rec.at("RemoteIP"), rec.at("RemotePort"))
	e.Outcome = outcome
	target := first(rec.at("RemoteUrl"), more.at("host"), more.at("server_name"))
	m.toHost(e, target)
	e.Clear.URL = target
	e.Clear.Object = first(target, rec.at("RemoteIP"))
	m.emit(rec, e)
}

// toHost fills in the destination from a host name or URL. An address says
// nothing about whose it is, and is no domain.
func (m *Mapper) toHost(e *Event, target string) {
	host := domainOf(target)
	if _, err := netip.ParseAddr(host); err == nil {
		return
	}
	m.to(e, host)
	m.categorise(e, host)
}
