package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/disturbance"
	"github.com/tonprobe/tonprobe/server/store"
)

// recordActions are the values of the buttons.
var recordActions = map[string]store.DisturbanceKind{"report": store.DisturbanceReported, "end": store.DisturbanceEnded, "diagnose": store.DisturbanceDiagnosed,
	"correct": store.DisturbanceCorrected, "close": store.RecordClosed}

// changeRecord adds an entry to the record of a session.
func (s *site) changeRecord(w http.ResponseWriter, r *http.Request) error {
	form, id := r.PostForm, r.PathValue("id")
	kind, ok := recordActions[form.Get("do")]
	if !ok {
		return fmt.Errorf("%w: do is %.20q", errMalformed, form.Get("do"))
	}
	number, err := strconv.Atoi(form.Get("entry"))
	if err != nil || number < 0 {
		number = 0
	}
	v := s.view(r)
	input, at := recordInput{Person: form.Get("participant")}, clean(form.Get("at"), 10)
	if kind == store.DisturbanceReported {
		input.Time = at
	}
	typed := form.Get("remark")
	if kind == store.DisturbanceCorrected {
		input.Correction = clean(typed, 2*disturbance.MaxRemarkRunes)
	} else {
		input.Remark = clean(typed, 2*disturbance.MaxRemarkRunes)
	}
	c := disturbance.Call{By: disturbance.BySupport, Staff: auth.StaffName(r.Context()), Key: form.Get("once"), Remark: clean(typed, disturbance.MaxRemarkRunes)}
	if c.Key == "" {
		c.Key = s.newFormKey()
	}
	if kind == store.RecordClosed {
		for _, text := range form["not_fixed"] {
			n, err := strconv.Atoi(text)
			if err != nil {
				return fmt.Errorf("%w: not_fixed is %.20q", errMalformed, text)
			}
			c.NotFixed = append(c.NotFixed, n)
		}
	}
	problem := ""
	switch {
	case utf8.RuneCountInString(typed) > disturbance.MaxRemarkRunes:
		problem = v.T("record_problem.too_long", "max", disturbance.MaxRemarkRunes)
	case kind == store.DisturbanceCorrected && c.Remark == "":
		problem = v.T("record_problem.empty")
	case kind == store.DisturbanceReported && input.Person == "":
		problem = v.T("record_problem.no_person")
	}
	if problem == "" && at != "" {
		if c.At, ok = s.timeInSession(r, id, at, v); !ok {
			problem = v.T("record_problem.time")
		}
	}
	var e store.DisturbanceEntry
	if problem == "" {
		if kind == store.DisturbanceReported {
			e, err = s.recorder.Report(r.Context(), id, input.Person, c)
		} else {
			e, err = s.recorder.Follow(r.Context(), id, kind, number, c)
		}
		if problem, err = v.recordProblem(err); err != nil {
			return err
		}
	}
	if problem != "" {
		input.Problem = problem
		return s.showRecord(w, r, http.StatusUnprocessableEntity, input)
	}
	s.Log.InfoContext(r.Context(), "disturbance record changed", "session", id, "entry", kind, "number", e.Number)
	s.changed(e.ParticipantID)
	to := recordAddress(id)
	if kind == store.DisturbanceReported {
		to += "#disturbance-" + strconv.Itoa(e.Number)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// recordProblem returns what was wrong with an entry in words; "" if there was no error.
func (v view) recordProblem(err error) (problem string, other error) {
	_, isInput := errors.AsType[*store.InputError](err)
	switch {
	case err == nil:
		return "", nil
	case errors.Is(err, disturbance.ErrNotMember):
		return v.T("record_problem.not_member"), nil
	case errors.Is(err, disturbance.ErrTime):
		return v.T("record_problem.time"), nil
	case errors.Is(err, store.ErrNoDisturbance):
		return v.T("record_problem.over"), nil
	case errors.Is(err, store.ErrRecordClosed):
		return v.T("record_problem.closed"), nil
	case errors.Is(err, store.ErrRecordFull):
		return v.T("record_problem.full"), nil
	case isInput:
		return v.T("record_problem.before"), nil
	}
	return "", err
}

// timeInSession returns the time of a form, which has no date, in the session: the last one that is in
// the session and not in the future, otherwise the first one after its beginning.
func (s *site) timeInSession(r *http.Request, sessionID, text string, v view) (found time.Time, ok bool) {
	clock, err := time.Parse("15:04", text)
	if err != nil {
		return time.Time{}, false
	}
	session, err := s.Store.CouncilSession(r.Context(), sessionID)
	if err != nil {
		return time.Time{}, false
	}
	first, last := session.StartsAt.Add(-disturbance.Before).In(v.zone), session.Closes().Add(disturbance.Overtime)
	if v.now.Before(last) {
		last = v.now
	}
	for day := 0; ; day++ {
		at := time.Date(first.Year(), first.Month(), first.Day()+day, clock.Hour(), clock.Minute(), 0, 0, v.zone)
		switch {
		case at.Before(first):
		case found.IsZero() || !at.After(last):
			found = at
		default:
			return found, true
		}
	}
}
