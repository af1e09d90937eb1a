package auth

import (
	"slices"

	"github.com/tonprobe/tonprobe/server/store"
)

// Right is what a page requires. Each page of staff requires exactly one.
type Right string

// The rights.
const (
	// Own is required for a member's own account.
	Own Right = "own"
	// Overview is required for pages without data about participants.
	Overview Right = "overview"
	// Read is required for data about participants: their checks, cases and sessions.
	Read Right = "read"
	// Assist is required for the work of phone support: cases, retests, codes, and adding or editing
	// people.
	Assist Right = "assist"
	// Manage is required for actions against a participant or their data: block, revoke, delete.
	Manage Right = "manage"
	// Review is required for the audit log.
	Review Right = "review"
	// Administer is required for the accounts of staff.
	Administer Right = "administer"
)

// May reports whether a role has a right.
func May(role store.Role, right Right) bool {
	var rights []Right
	switch role {
	case store.RoleSupport:
		rights = []Right{Own, Overview, Read, Assist}
	case store.RoleLead:
		rights = []Right{Own, Overview, Read, Assist, Manage}
	case store.RoleAdministrator:
		rights = []Right{Own, Overview, Read, Assist, Manage, Review, Administer}
	case store.RoleAuditor:
		rights = []Right{Own, Overview, Review}
	}
	return slices.Contains(rights, right)
}
