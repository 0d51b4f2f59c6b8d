package normalise

import "strings"

// hrField is what a column of the HR feed may hold.
type hrField uint8

// The fields. hrFieldTable names each and its usual columns.
const (
	hrNone hrField = iota
	hrEmail
	hrUPN
	hrEmployeeID
	hrUserID
	hrObjectID
	hrScenarioText
	hrResignationDate
	hrLastWorkingDate
	hrTerminationDate
	hrContractEndDate
	hrEffectiveDate
	hrHireDate
	hrLastModified
	hrUploadDate
	hrRemarks
	hrImprovementRemarks
	hrRating
	hrOldLevel
	hrNewLevel
	hrUserName
	hrFirstName
	hrLastName
	hrAddress
	hrDepartment
	hrJobTitle
	hrEmployeeType
	hrWorkerStatus
	hrIsTerminated
	hrOnLeave
	hrAccountEnabled
	hrManagerID
	hrWithdrawn
	hrAddressLine // and the parts of an address below: also lines of hrAddress
	hrAddressMore
	hrCity
	hrPostalCode
	hrFieldCount
)

// hrIdentity are the fields which name a person.
var hrIdentity = []hrField{hrEmail, hrUPN, hrEmployeeID, hrUserID, hrObjectID}

// hrFieldTable gives each field's name in the configuration and the columns that
// hold it by default, folded: Microsoft's examples for the HR connector in both
// spellings (https://learn.microsoft.com/purview/import-hr-data), the worker file
// of Entra's inbound provisioning, Graph's user and common reports of HR systems.
// Private mail addresses are left out: they would make another person.
var hrFieldTable = [hrFieldCount]struct{ name, columns string }{
	hrEmail: {"email", "emailaddress email mail workemail workeremail primaryworkemail primaryemail emailprimarywork " +
		"emailwork businessemail companyemail employeeemail useremail emailaddresswork workemailaddress"},
	hrUPN: {"user_principal_name", "userprincipalname upn accountupn"},
	hrEmployeeID: {"employee_id", "employeeid workerid employeenumber employeeno empid personnelnumber personnelno staffid " +
		"externalid workernumber personnumber personid associateid"},
	hrUserID:       {"user_id", "userid networkid"},
	hrObjectID:     {"object_id", "objectid aadobjectid azureaduserid entraobjectid id"},
	hrScenarioText: {"scenario", "hrscenario scenario hrevent hreventtype eventtype transactiontype businessprocesstype"},
	hrResignationDate: {"resignation_date", "resignationdate dateofresignation resignedon noticedate noticegivendate " +
		"resignationnoticedate resignationsubmitteddate dateresigned"},
	hrLastWorkingDate: {"last_working_date", "lastworkingdate lastworkingday lastdayofwork lastday lastdayworked lastdateworked " +
		"lastworkday employeeleavedatetime leavedate dateofleaving exitdate relievingdate"},
	hrTerminationDate: {"termination_date", "terminationdate dateoftermination termdate separationdate dateofseparation " +
		"employmentenddate terminationeffectivedate"},
	hrContractEndDate:    {"contract_end_date", "contractenddate contractend contractexpirydate endofcontract assignmentenddate fixedtermenddate"},
	hrEffectiveDate:      {"effective_date", "effectivedate effective dateeffective effectivefrom effectivestartdate"},
	hrHireDate:           {"hire_date", "hiredate employeehiredate originalhiredate startdate firstdayofwork dateofjoining joiningdate employmentstartdate"},
	hrLastModified:       {"last_modified", "lastmodified lastmodifieddate lastmodifieddatetime lastupdated lastupdateddate lastupdateddatetime modifieddate modifiedat updatedat lastchanged changedon"},
	hrUploadDate:         {"upload_date", "uploaddate uploadedat snapshotdate exportdate exportedat extractdate reportdate asofdate generatedat rundate filedate loaddate"},
	hrRemarks:            {"remarks", "remarks remark comments comment terminationreason resignationreason reasonforleaving leavingreason"},
	hrImprovementRemarks: {"improvement_remarks", "improvementremarks"},
	hrRating:             {"rating", "rating performancerating reviewrating overallrating"},
	hrOldLevel:           {"old_level", "oldlevel previouslevel fromlevel formerlevel oldgrade previousgrade oldjoblevel"},
	hrNewLevel:           {"new_level", "newlevel tolevel newgrade newjoblevel"},
	hrUserName:           {"user_name", "username displayname fullname employeename workername preferredname"},
	hrFirstName:          {"first_name", "firstname employeefirstname givenname legalfirstname preferredfirstname"},
	hrLastName:           {"last_name", "lastname employeelastname surname familyname legallastname preferredlastname"},
	hrAddress:            {"address", "employeestate employeecountry"},
	hrDepartment:         {"department", "department employeedept employeedepartment dept"},
	hrJobTitle:           {"job_title", "jobtitle employeerole businesstitle title position"},
	hrEmployeeType:       {"employee_type", "employeetype workertype employmenttype persontype"},
	hrWorkerStatus:       {"worker_status", "workerstatus employeestatus employmentstatus status active isactive activestatus"},
	hrIsTerminated:       {"is_terminated", "isterminated terminated"},
	hrOnLeave:            {"on_leave", "onleave isonleave"},
	hrAccountEnabled:     {"account_enabled", "accountenabled isaccountenabled"},
	hrManagerID:          {"manager_id", "managerid manager managerworkerid manageremployeeid supervisorid manageremail reportsto"},
	hrWithdrawn:          {"withdrawn", "withdrawn iswithdrawn resignationwithdrawn rescinded isrescinded resignationstatus"},
	// Of the home: columns that may be the office's, as city of Graph's user, are
	// left out, since colleagues would be neighbours.
	hrAddressLine: {"address_line", "employeeaddline1 employeeaddressline1 homeaddressline1 homeaddline1 homestreet"},
	hrAddressMore: {"address_line_2", "employeeaddline2 employeeaddressline2 homeaddressline2 homeaddline2"},
	hrCity:        {"city", "employeecity homecity"},
	hrPostalCode:  {"postal_code", "employeezipcode employeepostalcode homezipcode homepostalcode"},
}

// String returns the field's name in the configuration.
func (f hrField) String() string { return hrFieldTable[f].name }

func hrFieldNames() []string {
	names := make([]string, 0, hrFieldCount)
	for _, entry := range hrFieldTable[1:] {
		names = append(names, entry.name)
	}
	return names
}

// hrFieldNamed returns the field of a name in the configuration.
func hrFieldNamed(name string) hrField {
	for field, entry := range hrFieldTable {
		if field > 0 && strings.EqualFold(entry.name, name) {
			return hrField(field)
		}
	}
	return hrNone
}
