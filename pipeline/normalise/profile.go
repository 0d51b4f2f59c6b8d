package normalise

import "strings"

// Profile is what a directory or the HR system says of a person beside names and
// dates. Nothing is scored by it: it goes to the vault, sealed, and nowhere else.
// What scoring needs of the same rows travels in schemas.HR, keyed or coarse.
type Profile struct {
	DisplayName string `json:"display_name,omitempty"`
	Department  string `json:"department,omitempty"`
	Manager     string `json:"manager,omitempty"` // a name, an address or an id, as upstream has it
	Title       string `json:"title,omitempty"`
}

// known returns the profile, nil when it says nothing.
func (p Profile) known() *Profile {
	if p == (Profile{}) {
		return nil
	}
	return &p
}

// profile is what a row of the HR feed says.
func (r *hrRow) profile() *Profile {
	return Profile{
		DisplayName: r.displayName(), Department: r.text[hrDepartment], Manager: r.text[hrManagerID], Title: r.text[hrJobTitle],
	}.known()
}

// changedProfile is what an update of an account in the directory sets.
func (m *Mapper) changedProfile(changes object) *Profile {
	var p Profile
	for _, change := range changes.items() {
		var field *string
		switch lowercase(change.str("Name", "displayName")) {
		case "displayname":
			field = &p.DisplayName
		case "department":
			field = &p.Department
		case "manager":
			field = &p.Manager
		case "jobtitle":
			field = &p.Title
		default:
			continue
		}
		*field = first(*field, m.changedText(change.get("newValue")))
	}
	return p.known()
}

// changedText is a new value, which is written as a list of one, as JSON in a string.
func (m *Mapper) changedText(value object) string {
	for _, text := range m.list(value) {
		if text = strings.Trim(strings.TrimSpace(text), `"`); text != "" && text != "[]" && text != "null" {
			return text
		}
	}
	return ""
}
