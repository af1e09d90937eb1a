package store

import (
	"crypto/sha256"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Hash is the SHA-256 of a secret. Tokens and codes are random and long, so a
// plain hash is enough; they never stand in the store themselves.
type Hash [sha256.Size]byte

// HashOf is the hash of a token or a code in its normal form.
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
	ID            string // random UUID, kept by the agent
	ParticipantID string
	Version       string
	OS            string
	Arch          string
	CreatedAt     time.Time
	// LastSeenAt is the server's time of receipt, so that a wrong clock over
	// there makes nobody look stale; zero when it has not been heard of.
	LastSeenAt time.Time
	// RevokedAt is when staff ended the agent's token; zero when it is good.
	RevokedAt time.Time
}

// NewAgent is an agent about to be enrolled.
type NewAgent struct {
	ID        string
	TokenHash Hash
	Version   string
	OS        string
	Arch      string
}

// EnrolCode lets one agent enrol for a participant, once.
type EnrolCode struct {
	Hash          Hash
	ParticipantID string
	CreatedAt     time.Time
	ExpiresAt     time.Time
}

// NewReport is a report about to be kept.
type NewReport struct {
	Report *report.Report
	// Document is the report as it will be given out again: JSON, already
	// redacted.
	Document   []byte
	ReceivedAt time.Time // server's clock
	// CheckedAt places the check on the server's clock as well as is known.
	CheckedAt time.Time
}

// SaveStatus is what became of one report.
type SaveStatus string

// What becomes of a report.
const (
	Stored    SaveStatus = "stored"
	Duplicate SaveStatus = "duplicate"
	Foreign   SaveStatus = "foreign" // its id belongs to another agent's report
)

// SaveResult is what became of the report with this id.
type SaveResult struct {
	ID     string
	Status SaveStatus
}

// ReportSummary is what lists show of a report.
type ReportSummary struct {
	ID            string
	AgentID       string
	ParticipantID string
	Case          string
	Trigger       report.Trigger
	StartedAt     time.Time // agent's clock
	CheckedAt     time.Time // the same moment on the server's clock, as well as is known
	ReceivedAt    time.Time // server's clock
	Verdict       report.Verdict
	// Headline is the key of what is said of the check (diagnose.HeadlineKey); "" for
	// a report that came in before it was kept.
	Headline string
	// Primary is the cause to fix first; its Code is "" when there is none.
	Primary PrimaryCause
}

// PrimaryCause is the cause to fix first, as lists show it.
type PrimaryCause struct {
	Code     string
	Severity report.Severity
	Area     report.Area
}

// StoredReport is a report as it was kept.
type StoredReport struct {
	ReportSummary
	Document []byte // JSON
}

// ReportQuery asks for a page of a participant's history.
type ReportQuery struct {
	ParticipantID string
	After         string // Next of the page before; "" for the first
	Limit         int    // 1..MaxPage; 0 gives DefaultPage
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

// Order is how the list of participants is sorted.
type Order string

// The orders of the list of participants.
const (
	ByName    Order = "name"
	ByRecent  Order = "recent"  // last check first
	ByUrgency Order = "urgency" // fresh ones first, of them the worst, then last check first
)

// StateQuery asks for a page of the list of participants.
type StateQuery struct {
	// Search keeps those who are meant by it. Each of its words must be a part of
	// the name, ignoring case, accents and how an umlaut is written; or it is a
	// part of a phone number (see PhoneKeys); or a case code of any report that is
	// kept, or three or more symbols at its beginning or end.
	Search string
	// Verdict keeps those of whom this is known (ParticipantState.Verdict) and
	// fresh; "" keeps all.
	Verdict report.Verdict
	// FreshSince is from when on a check counts (see ParticipantState.Fresh). The
	// zero time: every check counts.
	FreshSince time.Time
	// Old keeps those who were checked, but not since FreshSince.
	Old bool
	// Never keeps those who were never checked.
	Never   bool
	Blocked Blocked
	Order   Order // "" is ByName
	After   string
	Limit   int
}

// Blocked says whether a list holds participants who are blocked.
type Blocked int

// What a list holds of the participants who are blocked.
const (
	BlockedToo Blocked = iota
	BlockedNot
	BlockedOnly
)

// StateCounts are how many participants stand how. Blocked ones count as nothing
// else.
type StateCounts struct {
	// Fresh counts those who were checked since a time, by what is known of them.
	Fresh map[report.Verdict]int
	// Old were checked before that, Never never.
	Old, Never, Blocked int
}

// ParticipantState is a row of the list of participants.
type ParticipantState struct {
	Participant
	// Enrolled says whether any agent has ever been enrolled.
	Enrolled bool
	// LastSeenAt is when the server last heard of any of the agents; zero for never.
	LastSeenAt time.Time
	// Last is the last check; nil when there was none.
	Last *ReportSummary
	// Full is the last check that heard the microphone; nil when there was none.
	Full *FullCheck
	// Verdict is what both say together: ready only once a full check said so,
	// and nothing since has said otherwise. "" when there was no check at all.
	Verdict report.Verdict
}

// CountsAt is the time by which what is known of p grows old: that of the last
// check, and of the last full one where the verdict is "ready" (see
// Known.CountsAt). It is zero for somebody who was never checked.
func (p ParticipantState) CountsAt() time.Time {
	switch {
	case p.Last == nil:
		return time.Time{}
	case p.Verdict == report.Ready && p.Full != nil && p.Full.CheckedAt.Before(p.Last.CheckedAt):
		return p.Full.CheckedAt
	}
	return p.Last.CheckedAt
}

// Fresh reports whether what is known of p still counts: the last check was made
// since then, and where it says "ready", so was the one that heard the microphone.
func (p ParticipantState) Fresh(since time.Time) bool {
	return p.Last != nil && !p.CountsAt().Before(since)
}

// FullCheck is what the list shows of a check that heard the microphone.
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

// StateChanges are what has changed in the list of participants.
type StateChanges struct {
	// Revision is that of the list with these changes. A change that has come in
	// meanwhile may be among them, and is given again then.
	Revision int64
	// Whole says that the rows do not tell all: too many have changed, or somebody
	// was deleted. States is empty then.
	Whole  bool
	States []ParticipantState
}

// StaffMember may look at the dashboard.
type StaffMember struct {
	Name         string
	PasswordHash string // argon2id, PHC string
	CreatedAt    time.Time
}

// Session is a signed-in browser.
type Session struct {
	TokenHash Hash
	StaffName string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Device is a browser in which a member has signed in before.
type Device struct {
	TokenHash Hash
	StaffName string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// OneTimeLogin is a link that signs a member in without a password, once.
type OneTimeLogin struct {
	TokenHash Hash
	StaffName string
	CreatedAt time.Time
	ExpiresAt time.Time
}
