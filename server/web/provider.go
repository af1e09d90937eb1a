package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/auth/oidc"
	"github.com/tonprobe/tonprobe/server/store"
)

const providerSignOutAddress = "/logout/oidc"

// providerChoice is the button that signs in with the provider.
type providerChoice struct {
	Label   string // "" if the provider has no name
	Address string
	// Only means that there are no passwords.
	Only bool
	// SignOut is the address that ends the session at the provider; "" unless the member has just
	// signed out here.
	SignOut string
}

// provider returns the button for a login that continues at next; nil without a provider.
func (s *site) provider(next string) *providerChoice {
	p := s.Auth.Provider()
	if p == nil {
		return nil
	}
	c := &providerChoice{Label: p.Label(), Address: auth.ProviderPath, Only: s.Auth.PasswordsOff()}
	if next != "/" {
		c.Address += "?" + url.Values{"next": {next}}.Encode()
	}
	return c
}

// beginProvider sends the browser to the provider.
func (s *site) beginProvider(w http.ResponseWriter, r *http.Request) error {
	if s.Auth.Provider() == nil {
		return store.ErrNotFound
	}
	if r.Method != http.MethodGet {
		return nil
	}
	next := localAddress(r.URL.Query().Get("next"))
	address, attempt, err := s.Auth.BeginProvider(r.Context(), next)
	if err != nil {
		return s.providerProblem(w, r, auth.ProviderLogin{Next: next}, err)
	}
	s.Auth.SetProviderCookie(w, r, attempt)
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// providerAnswer signs in the person who comes back from the provider. A HEAD request must not use
// up the code.
func (s *site) providerAnswer(w http.ResponseWriter, r *http.Request) error {
	if s.Auth.Provider() == nil {
		return store.ErrNotFound
	}
	if r.Method != http.MethodGet {
		return nil
	}
	attempt := s.Auth.TakeProviderCookie(w, r)
	l, err := s.Auth.CompleteProvider(r.Context(), auth.AttemptOf(r), attempt, oidc.AnswerOf(r.URL.Query()))
	if err != nil {
		return s.providerProblem(w, r, l, err)
	}
	member := l.Member
	if l.Added {
		if err := s.record(r, store.AuditEntry{StaffName: member.Name, Role: member.Role, Kind: store.AuditStaffAdded, Subject: member.Name}); err != nil {
			return err
		}
	}
	if l.FormerRole != "" {
		if err := s.record(r, store.AuditEntry{StaffName: member.Name, Role: l.FormerRole, Kind: store.AuditStaffRole, Subject: store.RoleChange(member.Name, member.Role)}); err != nil {
			return err
		}
	}
	return s.signIn(w, r, l.Login, localAddress(l.Next)) // removes the code from the address bar
}

// providerProblem shows the login form with what to do. Only the log contains the details.
func (s *site) providerProblem(w http.ResponseWriter, r *http.Request, l auth.ProviderLogin, err error) error {
	form := loginPage{Next: localAddress(l.Next), Account: clean(l.Name, maxNameRunes)}
	status := http.StatusForbidden
	limited, tooOften := errors.AsType[*auth.LimitError](err)
	switch {
	case tooOften:
		form.Minutes = waitMinutes(w, limited.RetryAfter)
		form.Problem, status = tooOftenKey(form.Minutes), http.StatusTooManyRequests
	case errors.Is(err, oidc.ErrProvider):
		form.Problem, status = "oidc.unusable", http.StatusBadGateway
		if s.Auth.PasswordsOff() {
			form.Problem = "oidc.unusable_only"
		}
	case errors.Is(err, oidc.ErrRefused):
		form.Problem, status = "oidc.refused", http.StatusUnprocessableEntity
	case errors.Is(err, oidc.ErrCancelled):
		form.Problem, status = "oidc.cancelled", http.StatusUnprocessableEntity
	case errors.Is(err, oidc.ErrName), errors.Is(err, auth.ErrStaffName):
		form.Problem = "oidc.no_name"
	case errors.Is(err, oidc.ErrEmail):
		form.Problem = "oidc.email"
	case errors.Is(err, oidc.ErrNoRole):
		form.Problem = "oidc.no_role"
	case errors.Is(err, auth.ErrNotInvited):
		form.Problem = "oidc.not_invited"
	case errors.Is(err, auth.ErrNameTaken):
		form.Problem = "oidc.name_taken"
	case errors.Is(err, auth.ErrDisabled), errors.Is(err, auth.ErrCredentials): // disabled meanwhile
		form.Problem = "oidc.disabled"
	default:
		return err
	}
	s.Log.WarnContext(r.Context(), "a sign-in with OpenID Connect failed", "account", form.Account, "err", err)
	if status == http.StatusForbidden {
		if err := s.recordFailedSignIn(r, l.Name); err != nil {
			return err
		}
	}
	s.showLogin(w, r, status, form)
	return nil
}

// signOutAtProvider ends the session there. The provider asks whether that is meant.
func (s *site) signOutAtProvider(w http.ResponseWriter, r *http.Request) error {
	p := s.Auth.Provider()
	if p == nil {
		return store.ErrNotFound
	}
	address, err := p.SignOutAddress(r.Context())
	if err != nil {
		return s.providerProblem(w, r, auth.ProviderLogin{Next: "/"}, err)
	}
	if address == "" {
		s.showLogin(w, r, http.StatusNotFound, loginPage{Next: "/", Problem: "oidc.no_sign_out"})
		return nil
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}
