package normalise

import "strings"

// scalars are members which every upstream record that has them gives as text
// or a number: what the record is, when it was and who it was. A structure in
// their place means that the record was damaged or is something else, and
// reading it as absent would invent a fact about nobody.
var scalars = map[string]bool{
	"id": true, "operation": true, "recordtype": true, "workload": true, "creationtime": true, "userid": true, "objectid": true,
	"createddatetime": true, "userprincipalname": true, "ipaddress": true, "clientip": true, "activitydatetime": true,
	"timestamp": true, "actiontype": true, "accountupn": true, "deviceid": true, "alertid": true, "title": true, "severity": true,
	"emailaddress": true, "resignationdate": true, "lastworkingdate": true, "effectivedate": true,
}

// wrongType returns the name of a member that holds a structure where upstream
// writes text, or nothing.
func wrongType(o object) string {
	for name, member := range o.members() {
		if member.isObject() || member.isArray() {
			if name := strings.ToLower(name); scalars[name] {
				return name
			}
		}
	}
	return ""
}
