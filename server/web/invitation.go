package web

import (
	"errors"
	"net/http"

	"github.com/tonprobe/tonprobe/server/auth"
)

// invitationPage is the content of the form by which a new member chooses a password.
type invitationPage struct {
	Token    string
	Name     string // "" if the invitation is not valid
	Role     string
	MinRunes int
	Problem  string // key of the texts; "" for none
	Minutes  int    // to wait after too many attempts
	// Provider signs in with OpenID Connect; nil for none.
	Provider *providerChoice
}

func (s *site) invitationForm(w http.ResponseWriter, r *http.Request) error {
	return s.showInvitation(w, r, http.StatusOK, r.URL.Query().Get(auth.InvitationParam), nil)
}

func (s *site) showInvitation(w http.ResponseWriter, r *http.Request, status int, token string, problem error) error {
	body := invitationPage{Token: token, MinRunes: auth.MinPasswordRunes}
	if _, tooOften := errors.AsType[*auth.LimitError](problem); !tooOften && !errors.Is(problem, auth.ErrInvitation) {
		m, err := s.Auth.Invited(r.Context(), auth.AttemptOf(r), token)
		if err == nil {
			body.Name, body.Role = m.Name, s.view(r).T("role."+string(m.Role))
		} else {
			problem = err
		}
	}
	limited, tooOften := errors.AsType[*auth.LimitError](problem)
	switch {
	case problem == nil:
	case errors.Is(problem, auth.ErrPasswordsOff):
		body.Problem, status = "oidc.passwords_off", http.StatusForbidden
	case errors.Is(problem, errRepeat):
		body.Problem = "password.differ"
	case errors.Is(problem, auth.ErrPassword):
		body.Problem = "password.length"
	case errors.Is(problem, auth.ErrInvitation):
		body.Token, body.Problem, status = "", "invitation.invalid", http.StatusUnprocessableEntity
	case tooOften:
		body.Minutes = waitMinutes(w, limited.RetryAfter)
		body.Problem, status = tooOftenKey(body.Minutes), http.StatusTooManyRequests
	default:
		return problem
	}
	body.Provider = s.provider("/")
	s.show(w, r, page{Status: status, Name: "invitation", Path: "/login", Body: body})
	return nil
}

// acceptInvitation sets the password and signs in.
func (s *site) acceptInvitation(w http.ResponseWriter, r *http.Request) error {
	token, chosen := r.PostForm.Get("token"), r.PostForm.Get("new")
	err := errRepeat
	if chosen == r.PostForm.Get("repeat") {
		var signedIn auth.Login
		if signedIn, err = s.Auth.AcceptInvitation(r.Context(), auth.AttemptOf(r), token, chosen); err == nil {
			return s.signIn(w, r, signedIn, "/account")
		}
	}
	return s.showInvitation(w, r, http.StatusUnprocessableEntity, token, err)
}
