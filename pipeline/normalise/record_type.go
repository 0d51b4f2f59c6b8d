package normalise

// recordTypes gives the numbers of the record types that have a mapper by their
// names in lower case: the schema writes SharePointFileOperation, Graph's
// enumeration sharePointFileOperation.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema#auditlogrecordtype
// https://learn.microsoft.com/graph/api/resources/security-auditlogrecord
var recordTypes = map[string]string{
	"exchangeadmin": "1", "exchangeitem": "2", "exchangeitemgroup": "3", "exchangeitemaggregated": "50", "miplabel": "43",
	"sharepoint": "4", "sharepointfileoperation": "6", "sharepointsharingoperation": "14",
	"sharepointlistoperation": "36", "sharepointlistitemoperation": "56",
	"azureactivedirectory": "8", "azureactivedirectoryaccountlogon": "9", "azureactivedirectorystslogon": "15",
	"dlpendpoint":                  "63",
	"sensitivitylabeledfileaction": "82", "sensitivitylabelaction": "83", "sensitivitylabelpolicymatch": "84",
	"aipdiscover": "93", "aipsensitivitylabelaction": "94", "aipprotectionaction": "95", "aipfiledeleted": "96", "aipheartbeat": "97",
	"threatintelligence": "28", "securitycompliancealerts": "40", "threatintelligenceurl": "41", "threatintelligenceatpcontent": "47",
	"airinvestigation": "64", "airmanualinvestigation": "64", "mcasalerts": "98",
	"copilotinteraction": "261",
}

// recordType returns the record's type as its number, which feeds write as a
// number, as text or by its name; one without a mapper as it stands there.
func recordType(o object) string {
	kind := o.at("RecordType")
	var f folding
	if number, known := recordTypes[f.lower(kind)]; known {
		return number
	}
	return kind
}
