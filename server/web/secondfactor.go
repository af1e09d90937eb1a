package web

import (
	"errors"
	"net/http"

	"github.com/tonprobe/tonprobe/server/auth"
)

const secondFactorAddress = "/account/code"

// secondFactorPage is the content of the page about the second factor of one's own account.
type secondFactorPage struct {
	auth.SecondFactor
	QR qrCode // of Address
	// Recovery contains the codes for a lost device, shown once.
	Recovery []string
	Problem  string // key of the texts; "" for none
	Minutes  int    // to wait after too many attempts
}

func (s *site) secondFactor(w http.ResponseWriter, r *http.Request) error {
	return s.showSecondFactor(w, r, http.StatusOK, secondFactorPage{})
}

func (s *site) showSecondFactor(w http.ResponseWriter, r *http.Request, status int, body secondFactorPage) (err error) {
	if body.SecondFactor, err = s.Auth.SecondFactor(r.Context(), auth.StaffName(r.Context())); err != nil {
		return err
	}
	if body.Address != "" {
		if body.QR, err = newQRCode(body.Address); err != nil {
			return err
		}
	}
	s.show(w, r, page{Status: status, Name: "second_factor", Path: secondFactorAddress, Body: body})
	return nil
}

// secondFactorProblem shows the page again with the error.
func (s *site) secondFactorProblem(w http.ResponseWriter, r *http.Request, err error) error {
	var body secondFactorPage
	status := http.StatusUnprocessableEntity
	limited, tooOften := errors.AsType[*auth.LimitError](err)
	switch {
	case errors.Is(err, auth.ErrCredentials):
		body.Problem = "password.wrong"
	case errors.Is(err, auth.ErrCode):
		body.Problem = "second.wrong"
	case errors.Is(err, auth.ErrNoSetup):
		body.Problem = "second.no_setup"
	case tooOften:
		body.Minutes = waitMinutes(w, limited.RetryAfter)
		body.Problem, status = tooOftenKey(body.Minutes), http.StatusTooManyRequests
	default:
		return err
	}
	return s.showSecondFactor(w, r, status, body)
}

func (s *site) beginSecondFactor(w http.ResponseWriter, r *http.Request) error {
	err := s.Auth.BeginSecondFactor(r.Context(), auth.AttemptOf(r), auth.StaffName(r.Context()), r.PostForm.Get("current"))
	if err != nil {
		return s.secondFactorProblem(w, r, err)
	}
	http.Redirect(w, r, secondFactorAddress, http.StatusSeeOther)
	return nil
}

func (s *site) confirmSecondFactor(w http.ResponseWriter, r *http.Request) error {
	recovery, err := s.Auth.ConfirmSecondFactor(r.Context(), auth.AttemptOf(r), auth.StaffName(r.Context()), r.PostForm.Get("code"))
	if err != nil {
		return s.secondFactorProblem(w, r, err)
	}
	return s.showSecondFactor(w, r, http.StatusCreated, secondFactorPage{Recovery: recovery})
}

func (s *site) removeSecondFactor(w http.ResponseWriter, r *http.Request) error {
	err := s.Auth.RemoveSecondFactor(r.Context(), auth.AttemptOf(r), auth.StaffName(r.Context()), r.PostForm.Get("current"))
	if err != nil {
		return s.secondFactorProblem(w, r, err)
	}
	http.Redirect(w, r, secondFactorAddress, http.StatusSeeOther)
	return nil
}
