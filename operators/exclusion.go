package operators

import "slices"

// exclusion is a compiled exclusion.
type exclusion struct {
	Exclusion
	conditions []condition
}

// exclusions compiles those of the policy and those of all, and returns where
// they stand.
func (c *compiler) exclusions(p *Policy) (list []int32) {
	e := c.engine
	for _, x := range slices.Concat(c.library.Lists.Exclusions, p.Exclusions) {
		i := slices.IndexFunc(e.exclusions, func(o exclusion) bool { return o.Name == x.Name })
		switch {
		case i < 0:
			i = len(e.exclusions)
			e.exclusions = append(e.exclusions, exclusion{x, c.selection("exclusion "+x.Name, x.Select)})
		case hashOf(e.exclusions[i].Select) != hashOf(x.Select):
			c.fail("policy %s: exclusion %s selects something else than another of the name does: give it a name of its own", p.Name, x.Name)
		}
		list = append(list, int32(i))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// excluded returns the name of the first exclusion of the counter that the event
// is in, empty for none.
func (e *Engine) excluded(s *State, c *counter) string {
next:
	for _, index := range c.exclusions {
		x := &e.exclusions[index]
		for _, holds := range x.conditions {
			if !holds(&s.subject) {
				continue next
			}
		}
		return x.Name
	}
	return ""
}
