package web

import (
	"errors"
	"net/http"

	"github.com/tonprobe/tonprobe/server/enrol"
	"github.com/tonprobe/tonprobe/server/peer"
)

// admitPage is the content of the form for a new participant.
type admitPage struct {
	Name, Phone string
	Problem     string // key of the texts
	MaxName     int
	MaxPhone    int
}

// codePage shows an enrolment code, once: the store keeps its hash only.
type codePage struct {
	Name    string
	Address string
	Code    string
	Command string
	Expires *when
	// Authority is the file on the collector's machine that agents need as well;
	// "" where they trust it anyway.
	Authority string
}

func (s *site) admitForm(w http.ResponseWriter, r *http.Request) error {
	s.show(w, r, page{Name: "admit", Body: admitPage{MaxName: enrol.MaxNameBytes, MaxPhone: enrol.MaxPhoneBytes}})
	return nil
}

func (s *site) admit(w http.ResponseWriter, r *http.Request) error {
	name, phone := r.PostForm.Get("name"), r.PostForm.Get("phone")
	i, err := s.Desk.Invite(r.Context(), name, phone)
	if _, wrong := errors.AsType[*enrol.InputError](err); wrong {
		s.show(w, r, page{Status: http.StatusUnprocessableEntity, Name: "admit", Body: admitPage{
			Name: clean(name, maxNameRunes), Phone: clean(phone, maxNameRunes), Problem: admitProblem(name, phone),
			MaxName: enrol.MaxNameBytes, MaxPhone: enrol.MaxPhoneBytes}})
		return nil
	}
	if err != nil {
		return err
	}
	return s.showCode(w, r, i)
}

// admitProblem is the text for what the desk refused: its own words are for the
// command line, and English.
func admitProblem(name, phone string) string {
	switch {
	case clean(name, maxNameRunes) == "":
		return "admit.no_name"
	case len(name) > enrol.MaxNameBytes:
		return "admit.long_name"
	case len(phone) > enrol.MaxPhoneBytes:
		return "admit.long_phone"
	}
	return "admit.odd_characters"
}

// newCode gives a participant a code for one more computer.
func (s *site) newCode(w http.ResponseWriter, r *http.Request) error {
	p, err := s.Store.Participant(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	i, err := s.Desk.Code(r.Context(), p)
	if err != nil {
		return err
	}
	return s.showCode(w, r, i)
}

func (s *site) showCode(w http.ResponseWriter, r *http.Request, i enrol.Invitation) error {
	v := s.view(r)
	s.show(w, r, page{Status: http.StatusCreated, Name: "code", Body: codePage{
		Name: v.name(i.Participant), Address: participantAddress(i.Participant.ID), Code: i.Code,
		Command: "tonprobe enroll " + i.Code + " --server " + s.origin(r), Expires: v.when(i.ExpiresAt), Authority: s.OwnAuthority}})
	return nil
}

// origin is where agents reach the collector.
func (s *site) origin(r *http.Request) string {
	if s.PublicOrigin != "" {
		return s.PublicOrigin
	}
	if peer.TLS(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
