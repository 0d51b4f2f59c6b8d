package normalise

import "strings"

// scalars are members which every upstream record that has them gives as text
// or a number: what the record is, when it was and who it was. A structure in
// their place means that the record was damaged or is something else, and
// reading it as absent would invent a fact about nobody. They are found by the hash
// of their names, since most records have members that are structures.
var scalars = hashedNames("id", "operation", "recordtype", "workload", "creationtime", "userid", "objectid",
	"createddatetime", "userprincipalname", "ipaddress", "clientip", "activitydatetime",
	"timestamp", "actiontype", "accountupn", "deviceid", "alertid", "title", "severity",
	"emailaddress", "resignationdate", "lastworkingdate", "effectivedate")

func hashedNames(names ...string) map[uint32]string {
	byHash := make(map[uint32]string, len(names))
	for _, name := range names {
		byHash[foldedHash(name)] = name
	}
	return byHash
}

// wrongType returns the name of a member that holds a structure where upstream
// writes text, or nothing.
func wrongType(o object) string {
	if !o.isObject() {
		return ""
	}
	d := o.document
	for i, end := o.index+1, o.value().next; i < end; {
		v := &d.values[i]
		if v.kind == kindObject || v.kind == kindList {
			if scalar := scalars[v.hash]; scalar != "" && strings.EqualFold(d.nameOf(v), scalar) {
				return scalar
			}
		}
		i = v.next
	}
	return ""
}
