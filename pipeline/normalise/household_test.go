package normalise

import (
	"testing"

	"github.com/riskpipe/riskpipe/schemas"
)

// An employee and a patient of one household have equal hashes, however either
// system spells the address; neighbours share the street, others nothing.
func TestHousehold(t *testing.T) {
	employee := mapBytes(newTestMapper(), schemas.SourceHR, `{"EmailAddress":"ada@contoso.com","UserName":"ada","EmployeeFirstName":"Ada","EmployeeLastName":"O'Neil","EmployeeAddLine1":"12a Main Street",
		"EmployeeAddLine2":"Apt. 4","EmployeeCity":"St. Paul","EmployeeState":"MN","EmployeeZipCode":"55101","EmployeeCountry":"US"}`)
	if len(employee.Events) != 1 {
		t.Fatal(printed(t, employee))
	}
	hr := employee.Events[0].HR
	if hr.FamilyName == 0 || hr.Address == 0 || hr.Street == 0 || employee.Events[0].Activity != "hr.profile_updated" {
		t.Fatalf("the employee's household: %+v", hr)
	}
	for name, test := range map[string]struct {
		patient               string
		family, house, street bool
	}{
		"the same home":     {`"PatientLastName":"ONEIL","PatientAddressLine1":"12A Main St.","PatientAddressLine2":"Flat 4","PatientCity":"ST PAUL","PatientZipCode":"55101-0042"`, true, true, true},
		"a neighbour":       {`"PatientLastName":"Berg","PatientAddressLine1":"14 Main Str","PatientCity":"St Paul","PatientZipCode":"55101"`, false, false, true},
		"another town":      {`"PatientLastName":"O’Neil","PatientAddressLine1":"12a Main Street","PatientAddressLine2":"Apt 4","PatientCity":"Duluth","PatientZipCode":"55802"`, true, false, false},
		"no postal code":    {`"PatientLastName":"Berg","PatientAddressLine1":"14 Main St","PatientCity":"St Paul"`, false, false, false},
		"no address at all": {`"PatientLastName":"Berg"`, false, false, false},
	} {
		out := mapBytes(newTestMapper(), schemas.SourceFile, `{"CreationTime":"2026-03-02T08:15:30Z","EventName":"Chart opened","EmailAddress":"ida@contoso.com",`+test.patient+`}`)
		if len(out.Events) != 1 {
			t.Fatalf("%s: %s", name, printed(t, out))
		}
		h := out.Events[0].Health
		sees(t, name+": family", h.FamilyName == hr.FamilyName, test.family)
		sees(t, name+": address", h.Address == hr.Address, test.house)
		sees(t, name+": street", h.Street == hr.Street, test.street)
	}
}

func TestKeyed(t *testing.T) {
	// Spellings that people mean alike are one; what is missing is 0.
	m := newTestMapper()
	_, home, street := m.keyed(household{line: "Hauptstraße 7", city: "Köln", postalCode: "50667"})
	_, sameHome, sameStreet := m.keyed(household{line: "HAUPTSTR. 7", city: "köln", postalCode: "50667"})
	sees(t, "home", home, sameHome)
	sees(t, "street", street, sameStreet)
	_, _, fifth := m.keyed(household{line: "350 5th Avenue", postalCode: "10118"})
	_, _, sixth := m.keyed(household{line: "350 6th Ave", postalCode: "10118"})
	sees(t, "numbered streets are two", fifth == sixth, false)
	family, none, nowhere := m.keyed(household{city: "Köln"})
	sees(t, "nothing", [3]schemas.Hash{family, none, nowhere}, [3]schemas.Hash{})
	_, _, range1 := m.keyed(household{line: "7-9 Elm Road, Apt 3", postalCode: "SW1A 1AA"})
	_, _, range2 := m.keyed(household{line: "8 elm rd", postalCode: "sw1a1aa"})
	sees(t, "house numbers", range1, range2)
}

// The hashes add to the row and make no other fact of it: its event id stays.
func TestHousehold_worker(t *testing.T) {
	out := mapBytes(newTestMapper(), schemas.SourceHR, `{"workerId":"E1","workEmail":"ada@contoso.com","workerStatus":"Active","lastName":"Byron","homeAddressLine1":"1 Elm Road","homePostalCode":"10118"}`)
	if len(out.Events) != 1 || out.Events[0].HR.FamilyName == 0 || out.Events[0].HR.Street == 0 || out.Events[0].HR.Address == 0 {
		t.Errorf("%s", printed(t, out))
	}
	graph := mapBytes(newTestMapper(), schemas.SourceHR, `{"userPrincipalName":"ada@contoso.com","accountEnabled":true,"surname":"Byron","streetAddress":"1 Office Road","city":"Seattle","postalCode":"98052"}`)
	if len(graph.Events) != 1 || graph.Events[0].HR.Street != 0 {
		t.Errorf("an office is a home: %s", printed(t, graph))
	}
}
