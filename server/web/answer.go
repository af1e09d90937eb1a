package web

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/observe"
	"github.com/tonprobe/tonprobe/server/store"
)

// maxFormBytes limits the body of a form.
const maxFormBytes = 64 << 10

// handler answers a request. If it returns an error, it has not written anything.
type handler func(http.ResponseWriter, *http.Request) error

// answer converts a handler. An error becomes an error page.
func (s *site) answer(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
			if err := r.ParseForm(); err != nil {
				s.refuse(w, r, fmt.Errorf("%w: %w", errMalformed, err))
				return
			}
		}
		if err := h(w, r); err != nil {
			s.refuse(w, r, err)
		}
	})
}

// errMalformed means that a form cannot be parsed. It is not logged, because it is an error of the client.
var errMalformed = errors.New("the form is malformed")

// failure is the content of an error page.
type failure struct {
	Key       string // of the texts
	RequestID string // "" if the log contains nothing about it
}

func (s *site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, f := http.StatusInternalServerError, failure{Key: "fault", RequestID: observe.RequestID(r.Context())}
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case errors.Is(err, store.ErrNotFound):
		status, f = http.StatusNotFound, failure{Key: "not_found"}
	case errors.Is(err, errNoBrowserCheck):
		status, f = http.StatusNotFound, failure{Key: "no_browser_check"}
	case errors.Is(err, errForbidden):
		status, f = http.StatusForbidden, failure{Key: "forbidden"}
	case errors.Is(err, errWrongMethod):
		status, f = http.StatusMethodNotAllowed, failure{Key: "wrong_method"}
	case errors.Is(err, errTooManyStreams):
		status, f = http.StatusTooManyRequests, failure{Key: "too_many"}
		w.Header().Set("Retry-After", "30")
	case tooLarge:
		status, f = http.StatusRequestEntityTooLarge, failure{Key: "too_large"}
	case r.Context().Err() != nil: // the client is gone
	case errors.Is(err, errMalformed):
		status, f = http.StatusBadRequest, failure{Key: "malformed"}
	default:
		s.Log.ErrorContext(r.Context(), "page failed", "route", r.Pattern, "err", err)
	}
	s.show(w, r, page{Status: status, Name: "failure", Body: f})
}

// errForbidden means that a member's role lacks the right.
var errForbidden = errors.New("this role does not have the right")

// staffOnly redirects visitors who are not signed in to the login form, which leads back to the
// requested page.
func (s *site) staffOnly(right auth.Right, next http.Handler) http.Handler {
	return s.Auth.Require(s.withRight(right, next), http.HandlerFunc(toLogin), s.refuse)
}

// withRight refuses members whose role lacks the right.
func (s *site) withRight(right auth.Right, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		role := auth.MemberOf(r.Context()).Role
		switch {
		case auth.May(role, right):
			next.ServeHTTP(w, r)
		case r.Method == http.MethodGet && r.URL.Path == "/":
			http.Redirect(w, r, startOf(role), http.StatusSeeOther) // where a login leads
		default:
			s.refuse(w, r, errForbidden)
		}
	})
}

// startOf is the first page of a role that may not see the list.
func startOf(role store.Role) string {
	if auth.May(role, auth.Review) {
		return auditAddress
	}
	return "/account"
}

func toLogin(w http.ResponseWriter, r *http.Request) {
	back := "/"
	if r.Method == http.MethodGet {
		back = r.URL.RequestURI()
	}
	http.Redirect(w, r, loginAddress(back), http.StatusSeeOther)
}

// staffStream responds with 401 instead, because an event stream cannot follow a redirect to a form.
func (s *site) staffStream(right auth.Right, next http.Handler) http.Handler {
	denied := func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, auth.ErrNoSession.Error(), http.StatusUnauthorized)
	}
	return s.Auth.Require(s.withRight(right, next), http.HandlerFunc(denied), s.refuse)
}
