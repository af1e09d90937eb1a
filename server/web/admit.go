package web

import (
	"net/http"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/peer"
)

// admitPage is the content of the form for a new participant.
type admitPage struct {
	personForm
	Once string // see shownCodes
}

// codePage is the content of the page with an enrolment code. The code cannot be shown later,
// because the store contains only its hash.
type codePage struct {
	Name    string
	Address string
	Code    string
	// Command is the command line for the person's computer. Link is the link that it contains;
	// "" if this collector has no TLS.
	Command string
	Link    string
	Expires *when
	Letter  letterSheet
}

func (s *site) admitForm(w http.ResponseWriter, r *http.Request) error {
	s.show(w, r, page{Name: "admit", Body: admitPage{personForm: newPersonForm("", ""), Once: s.newFormKey()}})
	return nil
}

func (s *site) admit(w http.ResponseWriter, r *http.Request) error {
	name, phone, once := r.PostForm.Get("name"), r.PostForm.Get("phone"), r.PostForm.Get("once")
	if i, ok := s.shown.find(once, s.Now()); ok {
		noteOf(r).participants = []string{i.Participant.ID}
		return s.showCode(w, r, i)
	}
	body := admitPage{personForm: newPersonForm(name, phone), Once: once}
	status, err := body.check(s, r, "")
	if err != nil {
		return err
	}
	if status != 0 {
		s.show(w, r, page{Status: status, Name: "admit", Body: body})
		return nil
	}
	i, err := s.Enroller.Invite(r.Context(), name, phone)
	if err != nil {
		return err
	}
	s.shown.keep(once, i, s.Now())
	noteOf(r).participants = []string{i.Participant.ID}
	s.changed(i.Participant.ID)
	return s.showCode(w, r, i)
}

// newCode creates a code for another computer of a participant.
func (s *site) newCode(w http.ResponseWriter, r *http.Request) error {
	once := r.PostForm.Get("once")
	if i, ok := s.shown.find(once, s.Now()); ok {
		return s.showCode(w, r, i)
	}
	p, err := s.Store.Participant(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	i, err := s.Enroller.Code(r.Context(), p)
	if err != nil {
		return err
	}
	s.shown.keep(once, i, s.Now())
	return s.showCode(w, r, i)
}

func (s *site) showCode(w http.ResponseWriter, r *http.Request, i enroll.Invitation) error {
	v := s.view(r)
	sheet, err := s.letter(r, v, i)
	if err != nil {
		return err
	}
	body := codePage{Name: sheet.Name, Address: participantAddress(i.Participant.ID), Code: i.Code, Expires: sheet.Expires,
		Command: sheet.Command, Link: sheet.Link, Letter: sheet}
	s.show(w, r, page{Status: http.StatusCreated, Name: "code", Body: body})
	return nil
}

// origin returns the origin (scheme://host) at which agents reach the collector.
func (s *site) origin(r *http.Request) string {
	if s.PublicOrigin != "" {
		return s.PublicOrigin
	}
	if peer.TLS(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
