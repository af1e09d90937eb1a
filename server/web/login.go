package web

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

// loginPage is the content of the login form.
type loginPage struct {
	Next    string // address to open after the login
	Name    string
	Problem string // key of the texts; "" for none
	Minutes int    // to wait after too many attempts
	// Account is the name of the account, or the name that the provider states; "" if unknown.
	Account string
	// Provider signs in with OpenID Connect; nil for none.
	Provider *providerChoice
}

// signedOut marks the address of the form after somebody has signed out who signs in with the provider.
const signedOut = "signed_out"

func loginAddress(back string) string {
	if back == "/" {
		return "/login"
	}
	return "/login?" + url.Values{"next": {back}}.Encode()
}

func (s *site) loginForm(w http.ResponseWriter, r *http.Request) error {
	next := localAddress(r.URL.Query().Get("next"))
	_, err := s.Auth.Session(r.Context(), auth.CookieToken(r))
	switch {
	case err == nil:
		http.Redirect(w, r, next, http.StatusSeeOther)
		return nil
	case !errors.Is(err, auth.ErrNoSession):
		return err
	}
	s.showLogin(w, r, http.StatusOK, loginPage{Next: next})
	return nil
}

func (s *site) showLogin(w http.ResponseWriter, r *http.Request, status int, form loginPage) {
	form.Provider = s.provider(form.Next)
	if form.Provider != nil && r.URL.Query().Has(signedOut) {
		form.Provider.SignOut = providerSignOutAddress
	}
	s.show(w, r, page{Status: status, Name: "login", Path: "/login", Body: form})
}

func (s *site) login(w http.ResponseWriter, r *http.Request) error {
	form := loginPage{Next: localAddress(r.PostForm.Get("next")), Name: r.PostForm.Get("name")}
	signedIn, err := s.Auth.Login(r.Context(), auth.AttemptOf(r), form.Name, r.PostForm.Get("password"))
	if errors.Is(err, auth.ErrCredentials) {
		s.Later(func() { s.recordFailedName(r, form.Name) })
	}
	if err != nil {
		return s.loginProblem(w, r, form, err)
	}
	return s.signIn(w, r, signedIn, form.Next)
}

// signIn sets the cookies and opens the next page, or the form for the code of the second factor.
func (s *site) signIn(w http.ResponseWriter, r *http.Request, l auth.Login, next string) error {
	if l.Challenge != "" {
		next = codeAddress(next)
	} else if err := s.recordSignIn(r, l); err != nil {
		return err
	}
	s.Auth.SetCookies(w, r, l)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// loginOnce signs in by a one-time link. A HEAD request, as programs send it that inspect links,
// must not use up the link. Whoever is signed in and opens a used link again continues.
func (s *site) loginOnce(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet {
		return nil
	}
	signedIn, err := s.Auth.LoginOnce(r.Context(), auth.AttemptOf(r), r.URL.Query().Get(auth.OneTimeLoginParam))
	if errors.Is(err, auth.ErrLink) && auth.StaffName(r.Context()) != "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return s.loginProblem(w, r, loginPage{Next: "/"}, err)
	}
	return s.signIn(w, r, signedIn, "/") // removes the token from the address bar
}

// loginProblem shows the form again. It does not reveal whether a name exists.
func (s *site) loginProblem(w http.ResponseWriter, r *http.Request, form loginPage, err error) error {
	form.Name = clean(form.Name, maxNameRunes)
	status := http.StatusUnprocessableEntity
	limited, tooOften := errors.AsType[*auth.LimitError](err)
	switch {
	case errors.Is(err, auth.ErrCredentials):
		form.Problem = "login.wrong"
	case errors.Is(err, auth.ErrPasswordsOff):
		form.Problem, status = "oidc.passwords_off", http.StatusForbidden
	case errors.Is(err, auth.ErrLink):
		form.Problem = "login.link"
	case errors.Is(err, auth.ErrChallenge):
		form.Problem = "second.over"
	case tooOften:
		form.Minutes = waitMinutes(w, limited.RetryAfter)
		form.Problem, status = tooOftenKey(form.Minutes), http.StatusTooManyRequests
	default:
		return err
	}
	s.showLogin(w, r, status, form)
	return nil
}

func tooOftenKey(minutes int) string {
	if minutes == 1 {
		return "login.too_often_minute"
	}
	return "login.too_often_minutes"
}

// waitMinutes sets Retry-After and returns the minutes for people, rounded up.
func waitMinutes(w http.ResponseWriter, d time.Duration) int {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(d.Seconds()))))
	return max(1, int(math.Ceil(d.Minutes())))
}

func (s *site) logout(w http.ResponseWriter, r *http.Request) error {
	member, signedIn := s.Auth.Session(r.Context(), auth.CookieToken(r))
	if err := s.Auth.Logout(r.Context(), auth.CookieToken(r)); err != nil {
		return err
	}
	if signedIn == nil {
		if err := s.record(r, store.AuditEntry{StaffName: member.Name, Role: member.Role, Kind: store.AuditSignedOut}); err != nil {
			return err
		}
	}
	next := "/login"
	if signedIn == nil && s.Auth.Provider() != nil {
		if m, err := s.Auth.StaffMember(r.Context(), member.Name); err == nil && m.Subject != "" {
			next += "?" + signedOut
		}
	}
	s.Auth.ClearCookie(w, r)
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}
