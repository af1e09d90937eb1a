package web

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/store"
)

// Repeated reads of one page by one member count as one, because an open page reloads itself.
const (
	auditReadEvery     = 10 * time.Minute
	maxRememberedReads = 10_000
)

// auditKind returns the kind of the audit entry for a successful request to a route; "" for a route
// that is not recorded. The latter are listed in TestEveryRouteIsAuditedOrNot.
func auditKind(pattern string) store.AuditKind {
	switch pattern {
	case "GET /participants/{id}", "GET /participants/{id}/reports/{report}":
		return store.AuditParticipantRead
	case "GET /participants/{id}/reports/{report}/document":
		return store.AuditDocumentRead
	case "GET /sessions/{id}":
		return store.AuditRollCallRead
	case "GET /sessions/{id}/disturbances", "GET /sessions/{id}/disturbances/table", "GET /sessions/{id}/disturbances/file":
		return store.AuditRecordRead
	case "POST /sessions/{id}/disturbances":
		return store.AuditRecordChanged
	case "POST /participants":
		return store.AuditParticipantAdded
	case "POST /participants/{id}/edit":
		return store.AuditParticipantEdited
	case "POST /participants/{id}/delete":
		return store.AuditParticipantDeleted
	case "POST /participants/{id}/block":
		return store.AuditParticipantBlocked
	case "POST /participants/{id}/unblock":
		return store.AuditParticipantUnblocked
	case "POST /participants/{id}/code", "POST /letters":
		return store.AuditCodeCreated
	case "POST /participants/{id}/reports/{report}/case":
		return store.AuditCaseChanged
	case "POST /participants/{id}/computers/{agent}/retest", "POST /participants/{id}/computers/{agent}/retest/cancel":
		return store.AuditRetest
	case "POST /participants/{id}/computers/{agent}/revoke":
		return store.AuditComputerRevoked
	case "POST /participants/{id}/computers/{agent}/token":
		return store.AuditTokenRequested
	case "POST /account/session", "POST /account/sessions", "POST /staff/session":
		return store.AuditSessionEnded
	case "POST /account/code/confirm":
		return store.AuditSecondFactorOn
	case "POST /account/code/remove":
		return store.AuditSecondFactorOff
	case "POST /password":
		return store.AuditPassword
	case "POST /staff", "POST /staff/invitation":
		return store.AuditStaffInvited
	case "POST /staff/role":
		return store.AuditStaffRole
	case "POST /staff/reset":
		return store.AuditStaffReset
	case "POST /staff/disable":
		return store.AuditStaffDisabled
	case "POST /staff/enable":
		return store.AuditStaffEnabled
	case "POST /staff/delete":
		return store.AuditStaffDeleted
	case "GET /audit.csv", "GET /participants/{id}/export":
		return store.AuditExported
	}
	return ""
}

// auditNote is the part of an audit entry that does not follow from the route.
type auditNote struct {
	participants []string
	reportID     string
}

type auditNoteKey struct{}

// noteOf returns the note of a request, which a handler completes before it answers.
func noteOf(r *http.Request) *auditNote {
	if n, ok := r.Context().Value(auditNoteKey{}).(*auditNote); ok {
		return n
	}
	return new(auditNote)
}

// audited records successful requests before they are answered. If that fails, the answer is an error
// page, so that nobody reads data without an entry. If the request was a change, it has already been
// made then, and only the log of the program contains it.
func (s *site) audited(kind store.AuditKind, next http.Handler) http.Handler {
	if kind == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := new(auditNote)
		r = r.WithContext(context.WithValue(r.Context(), auditNoteKey{}, n))
		next.ServeHTTP(&auditWriter{ResponseWriter: w,
			record: func() error { return s.recordRequest(r, kind, n) },
			fail:   func(err error) { s.refuse(w, r, err) }}, r)
	})
}

// auditWriter calls record before the first byte of a successful answer.
type auditWriter struct {
	http.ResponseWriter
	record          func() error
	fail            func(error)
	decided, failed bool
}

func (w *auditWriter) WriteHeader(status int) {
	if !w.decided && status < http.StatusBadRequest {
		if err := w.record(); err != nil {
			w.decided, w.failed = true, true
			for _, name := range []string{"Location", "Content-Disposition", "Set-Cookie"} {
				w.Header().Del(name)
			}
			w.fail(err)
		}
	}
	w.decided = true
	if !w.failed {
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *auditWriter) Write(b []byte) (int, error) {
	if !w.decided {
		w.WriteHeader(http.StatusOK)
	}
	if w.failed {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

func (w *auditWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (s *site) recordRequest(r *http.Request, kind store.AuditKind, n *auditNote) error {
	member := auth.MemberOf(r.Context())
	e := store.AuditEntry{StaffName: member.Name, Role: member.Role, Kind: kind, ReportID: r.PathValue("report")}
	participants := n.participants
	switch kind {
	case store.AuditRollCallRead, store.AuditRecordRead, store.AuditRecordChanged:
		e.Subject = r.PathValue("id")
	case store.AuditStaffRole:
		e.Subject = store.RoleChange(clean(r.PostForm.Get("name"), maxNameRunes), store.Role(clean(r.PostForm.Get("role"), maxNameRunes)))
	case store.AuditStaffInvited, store.AuditStaffReset, store.AuditStaffDisabled, store.AuditStaffEnabled, store.AuditStaffDeleted, store.AuditSessionEnded:
		e.Subject = clean(r.PostForm.Get("name"), maxNameRunes)
	default:
		if id := r.PathValue("id"); id != "" {
			participants = []string{id}
		}
	}
	if n.reportID != "" {
		e.ReportID = n.reportID
	}
	if len(participants) == 0 {
		participants = []string{""}
	}
	for _, e.ParticipantID = range participants {
		if err := s.record(r, e); err != nil {
			s.Log.ErrorContext(r.Context(), "no entry in the audit log", "staff", e.StaffName, "kind", string(e.Kind), "participant", e.ParticipantID, "subject", e.Subject, "err", err)
			return err
		}
	}
	return nil
}

// record adds an entry to the audit log. Reads that repeat within auditReadEvery are left out. Those at
// the same time wait for the entry of the first one, so that none of them succeeds without it.
func (s *site) record(r *http.Request, e store.AuditEntry) error {
	key := fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%s", e.StaffName, e.Kind, e.ParticipantID, e.ReportID, e.Subject)
	repeats := e.Kind == store.AuditParticipantRead || e.Kind == store.AuditDocumentRead || e.Kind == store.AuditRollCallRead || e.Kind == store.AuditRecordRead || e.Kind == store.AuditSignInFailed
	if !repeats {
		return s.addEntry(r, e)
	}
	_, err, _ := s.entries.Do(key, func() (any, error) {
		if _, ok := s.reads.Allow(key); !ok {
			return nil, nil
		}
		err := s.addEntry(r, e)
		if err != nil {
			s.reads.Forget(key)
		}
		return nil, err
	})
	return err
}

// addEntry adds an entry, even if the browser has gone.
func (s *site) addEntry(r *http.Request, e store.AuditEntry) error {
	id, err := uuid.NewV7FromReader(s.Random)
	if err != nil {
		return fmt.Errorf("draw the id of an entry: %w", err)
	}
	e.ID, e.At, e.Network = id.String(), s.Now(), auth.Network(r)
	return s.Store.AddAuditEntry(context.WithoutCancel(r.Context()), e)
}

// recordSignIn records a session that began.
func (s *site) recordSignIn(r *http.Request, l auth.Login) error {
	return s.record(r, store.AuditEntry{StaffName: l.Member.Name, Role: l.Member.Role, Kind: store.AuditSignedIn})
}

// recordFailedSignIn records a wrong password or code of an account that exists. Names without an
// account are not recorded, because their number is unlimited.
func (s *site) recordFailedSignIn(r *http.Request, name string) error {
	m, err := s.Auth.StaffMember(r.Context(), name)
	if err != nil {
		return nil //nolint:nilerr // no such account, or a fault that the login reports itself
	}
	return s.record(r, store.AuditEntry{StaffName: m.Name, Role: m.Role, Kind: store.AuditSignInFailed, Subject: auth.Network(r)})
}

// recordFailedName is recordFailedSignIn for a name from a sign-in form. It runs after the answer, and
// its error is only logged: otherwise the time of the answer, or an error, would show whether the
// account exists.
func (s *site) recordFailedName(r *http.Request, name string) {
	r = r.WithContext(context.WithoutCancel(r.Context()))
	if err := s.recordFailedSignIn(r, name); err != nil {
		s.Log.ErrorContext(r.Context(), "no entry in the audit log", "kind", string(store.AuditSignInFailed), "err", err)
	}
}

func newReads(now func() time.Time) *limit.Limiter {
	return limit.New(auditReadEvery, 1, maxRememberedReads, now)
}
