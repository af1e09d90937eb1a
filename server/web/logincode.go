package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/tonprobe/tonprobe/server/auth"
)

// codeFormPage is the content of the form for the code of the second factor.
type codeFormPage struct {
	Next    string
	Problem string // key of the texts; "" for none
	Minutes int    // to wait after too many attempts
}

func codeAddress(next string) string {
	if next == "/" {
		return "/login/code"
	}
	return "/login/code?" + url.Values{"next": {next}}.Encode()
}

func (s *site) codeForm(w http.ResponseWriter, r *http.Request) error {
	next := localAddress(r.URL.Query().Get("next"))
	if auth.ChallengeToken(r) == "" {
		http.Redirect(w, r, loginAddress(next), http.StatusSeeOther)
		return nil
	}
	s.show(w, r, page{Name: "login_code", Body: codeFormPage{Next: next}})
	return nil
}

func (s *site) loginByCode(w http.ResponseWriter, r *http.Request) error {
	form := codeFormPage{Next: localAddress(r.PostForm.Get("next"))}
	signedIn, err := s.Auth.Complete(r.Context(), auth.AttemptOf(r), auth.ChallengeToken(r), r.PostForm.Get("code"))
	status := http.StatusUnprocessableEntity
	limited, tooOften := errors.AsType[*auth.LimitError](err)
	switch {
	case err == nil:
		return s.signIn(w, r, signedIn, form.Next)
	case errors.Is(err, auth.ErrChallenge):
		return s.loginProblem(w, r, loginPage{Next: form.Next}, err)
	case errors.Is(err, auth.ErrCode):
		if err := s.recordFailedSignIn(r, signedIn.Member.Name); err != nil {
			return err
		}
		form.Problem = "second.wrong"
	case tooOften:
		form.Minutes = waitMinutes(w, limited.RetryAfter)
		form.Problem, status = tooOftenKey(form.Minutes), http.StatusTooManyRequests
	default:
		return err
	}
	s.show(w, r, page{Status: status, Name: "login_code", Path: "/login", Body: form})
	return nil
}
