package vault

import (
	"fmt"
	"slices"

	"github.com/riskpipe/riskpipe/schemas"
)

// Role is what an account may do with people's data.
type Role string

// The roles.
const (
	RoleAnalyst        Role = "analyst"         // sees pseudonyms
	RoleInvestigator   Role = "investigator"    // works on cases, and may ask for a reveal
	RoleHRApprover     Role = "hr_approver"     // decides on reveals for HR
	RoleLegalApprover  Role = "legal_approver"  // decides on reveals for Legal
	RoleAuditor        Role = "auditor"         // reads the audit log and nothing else
	RolePrivacyOfficer Role = "privacy_officer" // watches reveals, erases
	RolePolicyAuthor   Role = "policy_author"   // writes policies
	RolePlatform       Role = "platform"        // runs the servers
)

// Roles returns all roles.
func Roles() []Role {
	return []Role{
		RoleAnalyst, RoleInvestigator, RoleHRApprover, RoleLegalApprover,
		RoleAuditor, RolePrivacyOfficer, RolePolicyAuthor, RolePlatform,
	}
}

// UnmarshalText reads a role, and refuses words that are none.
func (r *Role) UnmarshalText(text []byte) error {
	if !slices.Contains(Roles(), Role(text)) {
		return fmt.Errorf("%q is no role: want one of %s", text, Roles())
	}
	*r = Role(text)
	return nil
}

// incompatible are pairs of roles of which one account uses neither for reveals
// while it has both: who runs the servers would be asking for what they hold,
// and who writes the rules would be judging their use.
func incompatible() [][2]Role {
	return [][2]Role{
		{RolePlatform, RoleInvestigator},
		{RolePolicyAuthor, RoleHRApprover},
		{RolePolicyAuthor, RoleLegalApprover},
	}
}

// Actor is an account that asks for something.
type Actor struct {
	// Name is the account as its sign-in names it, never empty.
	Name string
	// User is the pseudonym of whoever the account belongs to, zero when that is
	// not known. Who takes part in a reveal must be known: it tells that nobody
	// decides about themself, and that two accounts are not one person's.
	User schemas.Pseudonym
	// Roles are what the account may do.
	Roles []Role
}

// Has says whether the actor has the role.
func (a Actor) Has(role Role) bool { return slices.Contains(a.Roles, role) }

// HasAny says whether the actor has one of the roles.
func (a Actor) HasAny(roles ...Role) bool { return slices.ContainsFunc(roles, a.Has) }

// same says whether two accounts are one or belong to one person.
func (a Actor) same(name string, user schemas.Pseudonym) bool {
	return a.Name == name || (a.User != (schemas.Pseudonym{}) && a.User == user)
}

// conflict returns a pair of incompatible roles that the actor has, one of
// which is the given one.
func (a Actor) conflict(role Role) ([2]Role, bool) {
	for _, pair := range incompatible() {
		if (pair[0] == role || pair[1] == role) && a.Has(pair[0]) && a.Has(pair[1]) {
			return pair, true
		}
	}
	return [2]Role{}, false
}
