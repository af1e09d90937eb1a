package store

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Hash is the SHA-256 of a secret. Tokens and codes are random and long, so a plain
// hash is sufficient; they themselves are never stored.
type Hash [sha256.Size]byte

// HashOf returns the hash of a token or of a normalized code.
func HashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

// Participant is a person whose machines are checked.
type Participant struct {
	ID        string // random UUID
	Name      string
	Phone     string // "" when not known
	CreatedAt time.Time
	Blocked   bool
}

// Agent is one installed program of a participant.
type Agent struct {
	ID            string // random UUID, stored by the agent
	ParticipantID string
	Version       string
	OS            string
	Arch          string
	CreatedAt     time.Time
	// LastSeenAt is the server's time of the last contact, so that a wrong clock of the
	// agent has no effect; zero if there was none.
	LastSeenAt time.Time
	// RevokedAt is when staff revoked the agent's token; zero if it is valid.
	RevokedAt time.Time
	// RenewalAskedAt is when staff asked for a new token; zero if the agent has one since.
	RenewalAskedAt time.Time
}

// OtherToken is a token that is not the current one of its agent.
type OtherToken struct {
	Agent       Agent
	Participant Participant
	// ReplacedAt is when another token replaced it; zero for a new one that has not been used.
	ReplacedAt time.Time
}

// NewAgent is an agent to be enrolled.
type NewAgent struct {
	ID        string
	TokenHash Hash
	Version   string
	OS        string
	Arch      string
}

// EnrolCode permits one agent to enrol for a participant, once.
type EnrolCode struct {
	Hash          Hash
	ParticipantID string
	CreatedAt     time.Time
	ExpiresAt     time.Time
}

// NewReport is a report to be stored.
type NewReport struct {
	Report *report.Report
	// Document is the report in the form in which it will be returned: JSON, already
	// redacted.
	Document   []byte
	ReceivedAt time.Time // server's clock
	// CheckedAt is the time of the check on the server's clock, as far as known.
	CheckedAt time.Time
}

// SaveStatus is the result for one report.
type SaveStatus string

// Results for a report.
const (
	Stored    SaveStatus = "stored"
	Duplicate SaveStatus = "duplicate"
	Foreign   SaveStatus = "foreign" // its id belongs to another agent's report
)

// SaveResult is the result for the report with this id.
type SaveResult struct {
	ID     string
	Status SaveStatus
}

// ReportSummary is the part of a report that lists show.
type ReportSummary struct {
	ID            string
	AgentID       string
	ParticipantID string
	Case          string
	Trigger       report.Trigger
	StartedAt     time.Time // agent's clock
	CheckedAt     time.Time // the same time on the server's clock, as far as known
	ReceivedAt    time.Time // server's clock
	Verdict       report.Verdict
	// Headline is the key of the headline (diagnose.HeadlineKey); "" for a report that
	// was stored without one, by an older version.
	Headline string
	// Primary is the cause to fix first; its Code is "" if there is none.
	Primary PrimaryCause
}

// goodHeadline is the headline of a check that found no problem and omitted nothing
// (diagnose.HeadlineKey).
const goodHeadline = string(report.Ready)

// IsGood reports whether a check found no problem and omitted nothing. A check that was stored
// without a headline, by an older version, counts as not good.
func (s ReportSummary) IsGood() bool { return s.Verdict == report.Ready && s.Headline == goodHeadline }

// GoodFor is how long a good check is compared with later ones. It also bounds the search for one
// of somebody who has none.
const GoodFor = 60 * 24 * time.Hour

// GoodReport returns the verdict and the headline of a good check, for a query.
func GoodReport() (report.Verdict, string) { return report.Ready, goodHeadline }

// PrimaryCause is the cause to fix first, for lists.
type PrimaryCause struct {
	Code     string
	Severity report.Severity
	Area     report.Area
}

// StoredReport is a stored report.
type StoredReport struct {
	ReportSummary
	Document []byte // JSON
}

// ReportQuery requests a page of a participant's history.
type ReportQuery struct {
	ParticipantID string
	After         string // Next of the page before; "" for the first
	Limit         int    // 1..MaxPage; 0 means DefaultPage
}

// ReportPage is a page of a participant's history.
type ReportPage struct {
	Reports []ReportSummary
	Next    string // "" on the last page
}

// Sizes of a page.
const (
	DefaultPage = 50
	MaxPage     = 500
)

// Order is a sort order of the list of participants.
type Order string

// The orders of the list of participants.
const (
	ByName    Order = "name"
	ByRecent  Order = "recent"  // last check first
	ByUrgency Order = "urgency" // fresh ones first, of them the worst, then last check first
)

// StateQuery requests a page of the list of participants.
type StateQuery struct {
	// Search selects the participants that match it. Each of its words must be a part
	// of the name, ignoring case, accents and the spelling of umlauts; or it is a part
	// of the phone number, or all or part of a case code.
	Search string
	// Verdict selects those with this verdict (ParticipantState.Verdict) that are
	// fresh; "" selects all.
	Verdict report.Verdict
	// FreshSince is the time from which a check counts (see ParticipantState.Fresh).
	// With the zero time every check counts.
	FreshSince time.Time
	// Old selects those who were checked, but not since FreshSince.
	Old bool
	// Never selects those who were never checked.
	Never   bool
	Blocked Blocked
	Order   Order // "" is ByName
	After   string
	Limit   int
}

// Blocked selects participants by whether they are blocked.
type Blocked int

// The selections of blocked participants.
const (
	BlockedToo Blocked = iota
	BlockedNot
	BlockedOnly
)

// StateCounts contains the number of participants per state. Blocked ones count as
// blocked only.
type StateCounts struct {
	// Fresh counts those who were checked since a time, by verdict.
	Fresh map[report.Verdict]int
	// Old counts those who were checked before that, Never those who never were.
	Old, Never, Blocked int
}

// ParticipantState is a row of the list of participants.
type ParticipantState struct {
	Participant
	// Enrolled reports whether any agent was ever enrolled.
	Enrolled bool
	// LastSeenAt is the time of the last contact with any of the agents; zero for
	// never.
	LastSeenAt time.Time
	// Last is the last check; nil if there was none.
	Last *ReportSummary
	// Full is the last check with a microphone; nil if there was none.
	Full *FullCheck
	// Verdict combines both: ready only if a full check was ready, and no later one
	// contradicts. "" if there was no check at all.
	Verdict report.Verdict
}

// CountsAt is the time from which the verdict ages: the time of the last check or, if the
// verdict is "ready" and the last full check is older, the time of that one (see
// Known.CountsAt). It is zero for a participant who was never checked.
func (p ParticipantState) CountsAt() time.Time {
	switch {
	case p.Last == nil:
		return time.Time{}
	case p.Verdict == report.Ready && p.Full != nil && p.Full.CheckedAt.Before(p.Last.CheckedAt):
		return p.Full.CheckedAt
	}
	return p.Last.CheckedAt
}

// Fresh reports whether the verdict of p still counts: the last check was made since then,
// and for the verdict "ready" the last full check too.
func (p ParticipantState) Fresh(since time.Time) bool {
	return p.Last != nil && !p.CountsAt().Before(since)
}

// FullCheck is the part of a check with a microphone that the list shows.
type FullCheck struct {
	ReportID  string
	Verdict   report.Verdict
	CheckedAt time.Time // server's clock
}

// StatePage is a page of the list of participants.
type StatePage struct {
	States []ParticipantState
	Next   string // "" on the last page
}

// StateChanges contains the changes of the list of participants.
type StateChanges struct {
	// Revision is the revision of the list with these changes. A change that was made
	// in the meantime may be included, and is returned again later.
	Revision int64
	// Whole means that the rows are not sufficient: too many have changed, or a
	// participant was deleted. States is empty then.
	Whole  bool
	States []ParticipantState
}

// Role is the part that a member of staff plays. What each may do is in auth.May.
type Role string

// The roles of staff.
const (
	RoleSupport       Role = "support"
	RoleLead          Role = "lead"
	RoleAdministrator Role = "administrator"
	RoleAuditor       Role = "auditor"
)

// Roles returns all roles.
func Roles() []Role { return []Role{RoleSupport, RoleLead, RoleAdministrator, RoleAuditor} }

// IsRole reports whether a text is a role.
func IsRole(s string) bool { return slices.Contains(Roles(), Role(s)) }

// CanSignIn reports whether the settings allow a member to sign in. Changes that would leave no administrator
// for whom it is true are refused. Nil allows them.
type CanSignIn func(StaffMember) bool

// StaffMember is a user of the dashboard.
type StaffMember struct {
	Name string
	Role Role
	// PasswordHash is an argon2id PHC string; "" until the member has chosen a password.
	PasswordHash string
	CreatedAt    time.Time
	// DisabledAt is when an administrator disabled the account; zero if it is in use.
	DisabledAt time.Time
	// SealedSecret is the encrypted secret of the second factor; "" if there is none.
	// SealedNextSecret is one that is being set up.
	SealedSecret, SealedNextSecret string
	// Issuer and Subject identify the member at a provider of OpenID Connect; "" for an account
	// that does not sign in with one.
	Issuer, Subject string
}

// HasAccess reports whether the member has a password or an account at a provider. Otherwise they
// are invited.
func (m StaffMember) HasAccess() bool { return m.PasswordHash != "" || m.Subject != "" }

// Session is a signed-in browser.
type Session struct {
	TokenHash Hash
	StaffName string
	// Role is the present role of the member. AddSession ignores it.
	Role Role
	// Browser and Network tell sessions apart: a program and system such as "Firefox, Windows",
	// and the /24 or /48 of the address.
	Browser, Network string
	CreatedAt        time.Time
	ExpiresAt        time.Time
	// PasswordHash and Subject are those with which the login began. Only AddSession uses them.
	PasswordHash, Subject string
}

// Device is a browser with which a member has signed in before.
type Device struct {
	TokenHash Hash
	StaffName string
	CreatedAt time.Time
	ExpiresAt time.Time
	// PasswordHash and Subject are those with which the login began. Only AddDevice uses them.
	PasswordHash, Subject string
}

// OneTimeLogin is a link that signs a member in without a password, once.
type OneTimeLogin struct {
	TokenHash Hash
	StaffName string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// StaffInvitation is a link by which a member of staff chooses a password, once.
type StaffInvitation struct {
	TokenHash Hash
	StaffName string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// LoginChallenge is a login whose password was right, and whose second factor is missing.
type LoginChallenge struct {
	TokenHash Hash
	StaffName string
	CreatedAt time.Time
	ExpiresAt time.Time
	// PasswordHash is the hash that was verified, and Subject the subject of the member. Only
	// AddLoginChallenge uses them.
	PasswordHash, Subject string
}

// UsedCode is a code of the second factor that was accepted, and is not accepted again.
type UsedCode struct {
	Hash      Hash
	StaffName string
	UsedAt    time.Time
	ExpiresAt time.Time
}
