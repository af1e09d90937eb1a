package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AuditKind is what a member of staff did.
type AuditKind string

// The kinds of entries in the audit log.
const (
	AuditSignedIn        AuditKind = "signed_in"
	AuditSignInFailed    AuditKind = "sign_in_failed"
	AuditSignedOut       AuditKind = "signed_out"
	AuditPassword        AuditKind = "password_changed"
	AuditSecondFactorOn  AuditKind = "second_factor_on"
	AuditSecondFactorOff AuditKind = "second_factor_off"
	AuditSessionEnded    AuditKind = "session_ended"

	AuditStaffInvited  AuditKind = "staff_invited"
	AuditStaffAdded    AuditKind = "staff_added"
	AuditStaffRole     AuditKind = "staff_role"
	AuditStaffReset    AuditKind = "staff_reset"
	AuditCopyDeleted   AuditKind = "copy_deleted" // a copy of the database; Subject is its name
	AuditStaffDisabled AuditKind = "staff_disabled"
	AuditStaffEnabled  AuditKind = "staff_enabled"
	AuditStaffDeleted  AuditKind = "staff_deleted"
	AuditStaffLink     AuditKind = "staff_link"

	AuditParticipantRead      AuditKind = "participant_read"
	AuditDocumentRead         AuditKind = "document_read"
	AuditRollCallRead         AuditKind = "roll_call_read"
	AuditParticipantAdded     AuditKind = "participant_added"
	AuditParticipantEdited    AuditKind = "participant_edited"
	AuditParticipantDeleted   AuditKind = "participant_deleted"
	AuditParticipantBlocked   AuditKind = "participant_blocked"
	AuditParticipantUnblocked AuditKind = "participant_unblocked"
	AuditCodeCreated          AuditKind = "code_created"
	AuditCaseChanged          AuditKind = "case_changed"
	AuditRecordRead           AuditKind = "record_read"    // of the disturbances of a session
	AuditRecordChanged        AuditKind = "record_changed" // likewise
	AuditRetest               AuditKind = "retest"
	AuditComputerRevoked      AuditKind = "computer_revoked"
	AuditTokenRequested       AuditKind = "token_requested"
	AuditExported             AuditKind = "exported"
	AuditOwnPageOpened        AuditKind = "own_page_opened"     // by the participant, as all about an own page
	AuditOwnPageDownloaded    AuditKind = "own_page_downloaded" // a report or everything

	// AuditDeletedByAge is by the collector itself; its subject is an AgeDeletion.
	AuditDeletedByAge AuditKind = "deleted_by_age"

	// The subject of these is the name of an APIToken. Its use is recorded once a day.
	AuditAPITokenAdded   AuditKind = "api_token_added"
	AuditAPITokenRemoved AuditKind = "api_token_removed"
	AuditAPITokenUsed    AuditKind = "api_token_used"
)

// AuditKinds returns all kinds, in the order in which a form offers them.
func AuditKinds() []AuditKind {
	return []AuditKind{
		AuditParticipantRead, AuditDocumentRead, AuditRollCallRead, AuditRecordRead, AuditRecordChanged, AuditCaseChanged, AuditRetest,
		AuditParticipantAdded, AuditParticipantEdited, AuditParticipantDeleted, AuditParticipantBlocked, AuditParticipantUnblocked,
		AuditCodeCreated, AuditComputerRevoked, AuditTokenRequested, AuditExported, AuditOwnPageOpened, AuditOwnPageDownloaded,
		AuditSignedIn, AuditSignInFailed, AuditSignedOut, AuditPassword, AuditSecondFactorOn, AuditSecondFactorOff, AuditSessionEnded,
		AuditStaffInvited, AuditStaffAdded, AuditStaffRole, AuditStaffReset, AuditStaffDisabled, AuditStaffEnabled, AuditStaffDeleted, AuditStaffLink, AuditCopyDeleted,
		AuditAPITokenAdded, AuditAPITokenRemoved, AuditAPITokenUsed, AuditDeletedByAge,
	}
}

// AgeDeletion is the subject of an entry AuditDeletedByAge: a class of data and the number of its entries.
func AgeDeletion(class DataClass, n int) string { return string(class) + ": " + strconv.Itoa(n) }

// ParseAgeDeletion returns the parts of AgeDeletion; ok is false if there are none.
func ParseAgeDeletion(subject string) (class DataClass, n int, ok bool) {
	name, count, _ := strings.Cut(subject, ": ")
	n, err := strconv.Atoi(count)
	return DataClass(name), n, err == nil && slices.Contains(DataClasses(), DataClass(name))
}

// IsOwnAccess reports whether a kind is an access of participants to data about themselves.
func IsOwnAccess(k AuditKind) bool { return k == AuditOwnPageOpened || k == AuditOwnPageDownloaded }

// RoleChange is the subject of an entry AuditStaffRole: the account and its new role.
func RoleChange(name string, role Role) string { return name + ": " + string(role) }

// ParseRoleChange returns the parts of RoleChange; "" for the role of an entry of an older version.
func ParseRoleChange(subject string) (name string, role Role) {
	if i := strings.LastIndex(subject, ": "); i >= 0 && IsRole(subject[i+2:]) {
		return subject[:i], Role(subject[i+2:])
	}
	return subject, ""
}

// IsAuditKind reports whether a text is a kind.
func IsAuditKind(s string) bool { return slices.Contains(AuditKinds(), AuditKind(s)) }

// AuditEntry says who did what, and to whom. It contains the id of a participant and not the name.
// When the participant is erased, a Pseudonym replaces the id.
type AuditEntry struct {
	ID string // UUIDv7
	At time.Time
	// StaffName is who did it; "" for a command on the machine of the collector, for a program
	// with an APIToken, for the participant (IsOwnAccess), and for the collector itself
	// (AuditDeletedByAge).
	StaffName string
	Role      Role // at that time; "" with StaffName, and if nobody was signed in
	Kind      AuditKind
	// ParticipantID and ReportID are what it was about; "" for none.
	ParticipantID, ReportID string
	// Subject is what else it was about: the name of an account (see RoleChange) or of an APIToken, the
	// id of a session, or an AgeDeletion.
	Subject string
	// Network is the /24 or /48 of the address; "" for a command.
	Network string
}

// AuditQuery requests a page of the audit log. Its zero fields select everything.
type AuditQuery struct {
	StaffName     string
	ParticipantID string
	Kind          AuditKind
	From, To      time.Time // To is not included
	After         string    // Next of the page before; "" for the first
	Limit         int       // 1..MaxPage; 0 means DefaultPage
}

// AuditPage is a page of the audit log, newest first.
type AuditPage struct {
	Entries []AuditEntry
	Next    string // "" on the last page
}

// Audit stores what staff did. Entries are never changed, and only retention deletes them.
type Audit interface {
	AddAuditEntry(ctx context.Context, e AuditEntry) error
	AuditEntries(ctx context.Context, q AuditQuery) (AuditPage, error)
	// DeleteAuditEntries removes at most limit entries from before a time, and returns their
	// number.
	DeleteAuditEntries(ctx context.Context, before time.Time, limit int) (deleted int, err error)
}
