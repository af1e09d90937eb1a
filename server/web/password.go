package web

import (
	"errors"
	"net/http"

	"github.com/tonprobe/tonprobe/server/auth"
)

// passwordPage is the content of the form for a new password.
type passwordPage struct {
	MinRunes int
	Problem  string // key of the texts
	Minutes  int
	Done     bool
}

func (s *site) passwordForm(w http.ResponseWriter, r *http.Request) error {
	s.show(w, r, page{Name: "password", Body: passwordPage{MinRunes: auth.MinPasswordRunes}})
	return nil
}

// changePassword ends all sessions of the member and starts a new one.
func (s *site) changePassword(w http.ResponseWriter, r *http.Request) error {
	body := passwordPage{MinRunes: auth.MinPasswordRunes}
	signedIn, err := s.replacePassword(r, r.PostForm.Get("current"), r.PostForm.Get("new"), r.PostForm.Get("repeat"))
	status := http.StatusUnprocessableEntity
	limited, tooOften := errors.AsType[*auth.LimitError](err)
	switch {
	case err == nil:
		s.Auth.SetCookies(w, r, signedIn)
		body.Done, status = true, http.StatusOK
	case errors.Is(err, errRepeat):
		body.Problem = "password.differ"
	case errors.Is(err, auth.ErrPassword):
		body.Problem = "password.length"
	case errors.Is(err, auth.ErrCredentials):
		body.Problem = "password.wrong"
	case tooOften:
		body.Minutes = waitMinutes(w, limited.RetryAfter)
		body.Problem, status = tooOftenKey(body.Minutes), http.StatusTooManyRequests
	default:
		return err
	}
	s.show(w, r, page{Status: status, Name: "password", Body: body})
	return nil
}

var errRepeat = errors.New("the two passwords differ")

// replacePassword requires the current password. The limits of sign-ins also apply here, because it
// could be guessed at an unattended screen.
func (s *site) replacePassword(r *http.Request, current, chosen, repeated string) (auth.Login, error) {
	if chosen != repeated {
		return auth.Login{}, errRepeat
	}
	return s.Auth.ChangePassword(r.Context(), auth.AttemptOf(r), auth.StaffName(r.Context()), current, chosen)
}
