package tenant

// GroupPriority is the group of priority users.
const GroupPriority = "priority"

// topPeople is how many of the first employed run the organisation.
const topPeople = 3

// Groups returns the UPNs of the organisation's groups by name, in the order of
// employment: who runs it and who assists them are priority users.
func (t *Tenant) Groups() map[string][]string {
	var priority []string
	for i := range t.people {
		if p := &t.people[i]; i < topPeople && p.story == nil || p.role == &assistant {
			priority = append(priority, p.upn)
		}
	}
	return map[string][]string{GroupPriority: priority}
}
