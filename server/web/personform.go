package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/store"
)

// personForm is the common content of the forms with a name and a phone number.
type personForm struct {
	Name, Phone string
	Problem     string // key of the texts
	// Duplicates are participants who share the name or the phone number. The form warns
	// of them once; if it is submitted again, the input is stored.
	Duplicates []duplicate
	// OddName is the part of the name that breaks the sound of some conference systems; "" for none.
	// The form warns of it once, as it does of duplicates.
	OddName  string
	OddMarks string // the same as a list in words
	// Erased is the day on which somebody with this name was erased; "" for nobody. The form of a new
	// person says it once.
	Erased   string
	MaxName  int
	MaxPhone int
}

// duplicate is an enroll.Duplicate as a form shows it.
type duplicate struct {
	ID, Address, Name string
	Shared            string // key of the texts: what is the same
}

func newPersonForm(name, phone string) personForm {
	return personForm{Name: clean(name, maxNameRunes), Phone: clean(phone, maxNameRunes), MaxName: enroll.MaxName, MaxPhone: enroll.MaxPhone}
}

// check returns the status with which to show the form again, or 0 if the input can be stored.
// exceptID is the participant to change, "" for a new one.
//
// The form carries the ids of the duplicates that it has shown, not a mere confirmation: after the
// warning another name may be typed that has duplicates of its own.
func (f *personForm) check(s *site, r *http.Request, exceptID string) (status int, err error) {
	name, phone := r.PostForm.Get("name"), r.PostForm.Get("phone")
	found, err := s.Enroller.Duplicates(r.Context(), name, phone, exceptID)
	if _, invalid := errors.AsType[*enroll.InputError](err); invalid {
		f.Problem = personProblem(name, phone)
		return http.StatusUnprocessableEntity, nil
	}
	if err != nil {
		return 0, err
	}
	f.OddName, f.OddMarks = oddName(name), s.view(r).oddMarks(name)
	if f.OddName != "" && f.OddName != r.PostForm.Get("odd") {
		status = http.StatusConflict
	}
	if exceptID == "" {
		if err := f.checkErased(s, r, name); err != nil {
			return 0, err
		}
		if f.Erased != "" && f.Erased != r.PostForm.Get("erased") {
			status = http.StatusConflict
		}
	}
	shown := r.PostForm["shown"]
	for _, d := range found {
		if !slices.Contains(shown, d.ID) {
			status = http.StatusConflict
		}
		f.Duplicates = append(f.Duplicates, duplicate{ID: d.ID, Address: participantAddress(d.ID), Name: s.view(r).name(d.Participant), Shared: sharedKey(d)})
	}
	return status, nil
}

// checkErased finds out whether somebody with a name was erased.
func (f *personForm) checkErased(s *site, r *http.Request, name string) error {
	at, err := s.Store.ErasedPerson(r.Context(), name, "")
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	f.Erased = s.view(r).day(at)
	return nil
}

// Warned reports whether the form contains a warning that must be confirmed.
func (f personForm) Warned() bool { return len(f.Duplicates) > 0 || f.OddName != "" || f.Erased != "" }

// oddName returns the parts of a name that break the sound; "" for none.
func oddName(name string) string { return strings.Join(enroll.BreaksSound(name), "  ") }

// oddMarks returns these parts as a list in words.
func (v view) oddMarks(name string) string {
	marks := enroll.BreaksSound(name)
	for i, m := range marks {
		marks[i] = v.T("name.mark", "mark", m)
	}
	n := len(marks) - 1
	if n < 1 {
		return strings.Join(marks, "")
	}
	return v.T("name.marks", "first", strings.Join(marks[:n], ", "), "last", marks[n])
}

func sharedKey(d enroll.Duplicate) string {
	switch {
	case d.SameName && d.SamePhone:
		return "duplicate.both"
	case d.SamePhone:
		return "duplicate.phone"
	}
	return "duplicate.name"
}

// personProblem returns the key of the text for input that the Enroller has refused. The Enroller's own
// errors are English, for the command line.
func personProblem(name, phone string) string {
	switch {
	case clean(name, maxNameRunes) == "":
		return "admit.no_name"
	case utf8.RuneCountInString(name) > enroll.MaxName:
		return "admit.long_name"
	case utf8.RuneCountInString(phone) > enroll.MaxPhone:
		return "admit.long_phone"
	}
	return "admit.odd_characters"
}
