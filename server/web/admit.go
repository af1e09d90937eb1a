package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/peer"
	"github.com/tonprobe/tonprobe/server/store"
)

// admitPage is the content of the form for a new participant.
type admitPage struct {
	Name, Phone string
	Problem     string // key of the texts
	// Same is the page of a participant with the same name; "" when there is none.
	Same     string
	MaxName  int
	MaxPhone int
	Once     string // see shownCodes
}

// codePage shows an enrolment code, once: the store keeps its hash only.
type codePage struct {
	Name    string
	Address string
	Code    string
	// Command is the one line for the person's computer, Link what it holds; ""
	// where this collector speaks no TLS.
	Command string
	Link    string
	Expires *when
}

func (s *site) admitForm(w http.ResponseWriter, r *http.Request) error {
	s.show(w, r, page{Name: "admit", Body: admitPage{MaxName: enroll.MaxNameBytes, MaxPhone: enroll.MaxPhoneBytes, Once: s.newOnce()}})
	return nil
}

func (s *site) admit(w http.ResponseWriter, r *http.Request) error {
	name, phone, once := r.PostForm.Get("name"), r.PostForm.Get("phone"), r.PostForm.Get("once")
	if i, ok := s.shown.find(once, s.Now()); ok {
		return s.showCode(w, r, i)
	}
	body := admitPage{Name: clean(name, maxNameRunes), Phone: clean(phone, maxNameRunes), MaxName: enroll.MaxNameBytes, MaxPhone: enroll.MaxPhoneBytes, Once: once}
	same, err := s.namesake(r, name, "")
	if err != nil {
		return err
	}
	if same != "" && r.PostForm.Get("anyway") == "" {
		body.Same = participantAddress(same)
		s.show(w, r, page{Status: http.StatusConflict, Name: "admit", Body: body})
		return nil
	}
	i, err := s.Desk.Invite(r.Context(), name, phone)
	if _, wrong := errors.AsType[*enroll.InputError](err); wrong {
		body.Problem = admitProblem(name, phone)
		s.show(w, r, page{Status: http.StatusUnprocessableEntity, Name: "admit", Body: body})
		return nil
	}
	if err != nil {
		return err
	}
	s.shown.keep(once, i, s.Now())
	s.changed(i.Participant.ID)
	return s.showCode(w, r, i)
}

// namesake returns the id of a participant other than except with exactly this name; ""
// if there is none.
func (s *site) namesake(r *http.Request, name, except string) (id string, err error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > enroll.MaxNameBytes {
		return "", nil
	}
	found, err := s.Store.ParticipantStates(r.Context(), store.StateQuery{Search: name, Limit: store.MaxPage})
	if err != nil {
		return "", err
	}
	for _, p := range found.States {
		if strings.EqualFold(p.Name, name) && p.ID != except {
			return p.ID, nil
		}
	}
	return "", nil
}

// admitProblem is the text for what the desk refused: its own words are for the
// command line, and English.
func admitProblem(name, phone string) string {
	switch {
	case clean(name, maxNameRunes) == "":
		return "admit.no_name"
	case len(name) > enroll.MaxNameBytes:
		return "admit.long_name"
	case len(phone) > enroll.MaxPhoneBytes:
		return "admit.long_phone"
	}
	return "admit.odd_characters"
}

// newCode gives a participant a code for one more computer.
func (s *site) newCode(w http.ResponseWriter, r *http.Request) error {
	once := r.PostForm.Get("once")
	if i, ok := s.shown.find(once, s.Now()); ok {
		return s.showCode(w, r, i)
	}
	p, err := s.Store.Participant(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	i, err := s.Desk.Code(r.Context(), p)
	if err != nil {
		return err
	}
	s.shown.keep(once, i, s.Now())
	return s.showCode(w, r, i)
}

func (s *site) showCode(w http.ResponseWriter, r *http.Request, i enroll.Invitation) error {
	v := s.view(r)
	body := codePage{Name: v.name(i.Participant), Address: participantAddress(i.Participant.ID), Code: i.Code, Expires: v.when(i.ExpiresAt),
		Command: "tonprobe enroll " + i.Code + " --server " + s.origin(r)}
	if link, ok := wire.InvitationFor(s.origin(r), i.Code, s.AuthorityPin()); ok {
		body.Link = link.String()
		body.Command = `tonprobe enroll "` + body.Link + `"`
	}
	s.show(w, r, page{Status: http.StatusCreated, Name: "code", Body: body})
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
