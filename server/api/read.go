package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/limit"
	"github.com/tonprobe/tonprobe/server/peer"
	"github.com/tonprobe/tonprobe/server/store"
)

// Rate limits of programs that read: requests of a token, and wrong tokens of an address.
const (
	readBurst     = 120
	readEvery     = 250 * time.Millisecond
	strangerBurst = 20
	strangerEvery = 10 * time.Second
)

// defaultFreshFor is the time for which a check counts.
const defaultFreshFor = 24 * time.Hour

// readRoutes are the routes for other programs, which only read.
func (a *API) readRoutes() []route {
	get := func(path string, scope store.Scope, h func(http.ResponseWriter, *http.Request) error) route {
		return route{http.MethodGet, "/api/v1/read/" + path, a.readers(scope, h)}
	}
	return []route{
		get("participants", store.ScopeParticipants, a.readParticipants),
		get("participants/{id}", store.ScopeParticipants, a.readParticipant),
		get("participants/{id}/reports", store.ScopeReports, a.readHistory),
		get("reports/{id}", store.ScopeReports, a.readReport),
		get("participants/{id}/cases", store.ScopeCases, a.readCases),
		get("reports/{id}/case", store.ScopeCases, a.readCase),
		get("cases", store.ScopeCases, a.findCases),
		get("sessions", store.ScopeSessions, a.readSessions),
		get("sessions/{id}", store.ScopeSessions, a.readSession),
		get("causes", store.ScopeCauses, a.readCauses),
	}
}

// readers admits programs whose token has a scope.
func (a *API) readers(scope store.Scope, h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return a.handle(func(w http.ResponseWriter, r *http.Request) error {
		t, err := a.reader(r)
		if err != nil {
			return err
		}
		if wait, ok := a.byReader.Allow(t.ID); !ok {
			return tooMany(wait)
		}
		if !t.May(scope) {
			return fault(http.StatusForbidden, "scope_missing", fmt.Sprintf("this token does not include the scope %s", scope))
		}
		return h(w, r.WithContext(context.WithValue(r.Context(), readerKey{}, t)))
	})
}

type readerKey struct{}

// reader returns the token of a request. An expired one is like an unknown one. Only failures count
// against an address: a token has 256 bits, so it cannot be guessed, and a program with a wrong token must
// not block others at its address.
func (a *API) reader(r *http.Request) (store.APIToken, error) {
	hash, ok := auth.BearerToken(r)
	if !ok {
		return store.APIToken{}, a.unknownReader(r)
	}
	t, err := a.Store.APIToken(r.Context(), hash)
	now := a.Now()
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && !now.Before(t.ExpiresAt):
		return store.APIToken{}, a.unknownReader(r)
	case err != nil:
		return store.APIToken{}, err
	}
	newDay := t.UsedAt.In(a.Zone).Format(time.DateOnly) != now.In(a.Zone).Format(time.DateOnly)
	if newDay {
		if err := a.recordDay(r, t, now); err != nil {
			return store.APIToken{}, err
		}
	}
	if newDay || now.Sub(t.UsedAt).Abs() > touchEvery {
		// It may have been removed meanwhile.
		if err := a.Store.UseAPIToken(r.Context(), t.ID, now); errors.Is(err, store.ErrNotFound) {
			return store.APIToken{}, a.unknownReader(r)
		} else if err != nil {
			return store.APIToken{}, err
		}
	}
	return t, nil
}

// recordDay adds an entry about a token to the audit log, before the first answer of a day. If that
// fails, nobody reads.
func (a *API) recordDay(r *http.Request, t store.APIToken, now time.Time) error {
	return a.recordOnce(r, store.AuditEntry{Kind: store.AuditAPITokenUsed, Subject: t.Name}, t, now)
}

// recordRead adds an entry about a person whose data a program reads, once a day for each report. If
// that fails, the program does not get it.
func (a *API) recordRead(r *http.Request, kind store.AuditKind, participantID, reportID string) error {
	t, _ := r.Context().Value(readerKey{}).(store.APIToken)
	return a.recordOnce(r, store.AuditEntry{Kind: kind, Subject: t.Name, ParticipantID: participantID, ReportID: reportID}, t, a.Now())
}

// recordOnce adds an entry unless there is one of that day. Requests at the same time wait for the entry
// of the first one, so that none of them reads without it.
func (a *API) recordOnce(r *http.Request, e store.AuditEntry, t store.APIToken, now time.Time) error {
	key := strings.Join([]string{t.ID, string(e.Kind), e.ParticipantID, e.ReportID, now.In(a.Zone).Format(time.DateOnly)}, " ")
	_, err, _ := a.entries.Do(key, func() (any, error) {
		if _, ok := a.byTokenDay.Allow(key); !ok {
			return nil, nil
		}
		err := a.record(r, e, now)
		if err != nil {
			a.byTokenDay.Forget(key)
		}
		return nil, err
	})
	return err
}

// record adds an entry, even if the program has gone.
func (a *API) record(r *http.Request, e store.AuditEntry, now time.Time) error {
	id, err := uuid.NewV7FromReader(a.Random)
	if err != nil {
		return fmt.Errorf("draw the id of an entry: %w", err)
	}
	e.ID, e.At, e.Network = id.String(), now, auth.Network(r)
	return a.Store.AddAuditEntry(context.WithoutCancel(r.Context()), e)
}

// unknownReader returns the answer to a request without a valid token.
func (a *API) unknownReader(r *http.Request) error {
	if wait, ok := a.byStranger.Allow(limit.AddressKey(peer.Addr(r))); !ok {
		return tooMany(wait)
	}
	return fault(http.StatusUnauthorized, "token_unknown", "this token is unknown or has expired: 'tonprobe-collector token add' creates one")
}

// pageOf returns the parameters of a list.
func pageOf(r *http.Request) (after string, n int, err error) {
	q := r.URL.Query()
	n = store.DefaultPage
	if text := q.Get("limit"); text != "" {
		if n, err = strconv.Atoi(text); err != nil || n < 1 || n > store.MaxPage {
			return "", 0, fault(http.StatusBadRequest, "limit_invalid", fmt.Sprintf("limit is a number from 1 to %d", store.MaxPage))
		}
	}
	return q.Get("after"), n, nil
}

// maxIDBytes is the length of a UUID.
const maxIDBytes = 36

// pathID returns the identifier in the path; "" if it cannot be one, which is not found.
func pathID(r *http.Request) string {
	id := r.PathValue("id")
	for _, c := range []byte(id) {
		if len(id) > maxIDBytes || c <= ' ' || c > '~' {
			return ""
		}
	}
	return id
}

// readFault converts the errors that the parameters of a request can cause.
func readFault(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fault(http.StatusNotFound, "not_found", "there is nothing with this identifier")
	case errors.Is(err, store.ErrBadCursor):
		return fault(http.StatusBadRequest, "cursor_invalid", "after is not from the response to the same request")
	}
	return err
}

// moment returns a time for a response; nil if it is zero.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
