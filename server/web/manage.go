package web

import (
	"net/http"
	"net/url"

	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
)

// editPage is the content of the form to change a participant's name and phone number.
type editPage struct {
	personForm
	Address string // of the participant's page
}

// deletePage is the content of the confirmation to delete a participant.
type deletePage struct {
	Address   string
	Name      string
	Reports   string // number of reports, in words
	Computers string // number of computers, in words
}

// revokePage is the content of the confirmation to revoke the token of one computer.
type revokePage struct {
	Address string // of the participant's page
	Action  string
	Name    string
	computer
}

func (s *site) editForm(w http.ResponseWriter, r *http.Request) error {
	p, err := s.Store.Participant(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	s.show(w, r, page{Name: "edit", Body: editPage{newPersonForm(p.Name, p.Phone), participantAddress(p.ID)}})
	return nil
}

func (s *site) edit(w http.ResponseWriter, r *http.Request) error {
	name, phone := r.PostForm.Get("name"), r.PostForm.Get("phone")
	p, err := s.Store.Participant(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	body := editPage{newPersonForm(name, phone), participantAddress(p.ID)}
	status, err := body.check(s, r, p.ID)
	if err != nil {
		return err
	}
	if status != 0 {
		s.show(w, r, page{Status: status, Name: "edit", Body: body})
		return nil
	}
	if err := s.Enroller.Edit(r.Context(), p.ID, name, phone); err != nil {
		return err
	}
	s.changed(p.ID)
	http.Redirect(w, r, participantAddress(p.ID), http.StatusSeeOther)
	return nil
}

func (s *site) deleteForm(w http.ResponseWriter, r *http.Request) error {
	p, err := s.Store.Participant(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	reports, err := s.Store.CountReports(r.Context(), p.ID)
	if err != nil {
		return err
	}
	agents, err := s.Store.Agents(r.Context(), p.ID)
	if err != nil {
		return err
	}
	v := s.view(r)
	s.show(w, r, page{Name: "delete", Body: deletePage{Address: participantAddress(p.ID), Name: v.name(p),
		Reports: v.count("delete.report", reports), Computers: v.count("delete.computer", len(agents))}})
	return nil
}

func (s *site) delete(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	agents, err := s.Store.Agents(r.Context(), id)
	if err != nil {
		return err
	}
	if err := s.Erase(r.Context(), id); err != nil {
		return err
	}
	for _, a := range agents {
		s.Agents.Disconnect(a.ID)
	}
	s.Log.InfoContext(r.Context(), "participant erased")
	s.changed(id)
	http.Redirect(w, r, "/?"+doneParam+"="+doneDeleted, http.StatusSeeOther)
	return nil
}

// doneParam is the query parameter with the action that the list confirms.
const (
	doneParam   = "done"
	doneDeleted = "deleted"
)

// done returns the key of the confirmation; "" for none.
func done(r *http.Request) string {
	if r.URL.Query().Get(doneParam) == doneDeleted {
		return "delete.done"
	}
	return ""
}

// agentOf returns the computer in the address of the request.
func (s *site) agentOf(r *http.Request) (store.Agent, error) {
	agents, err := s.Store.Agents(r.Context(), r.PathValue("id"))
	if err != nil {
		return store.Agent{}, err
	}
	for _, a := range agents {
		if a.ID == r.PathValue("agent") {
			return a, nil
		}
	}
	return store.Agent{}, store.ErrNotFound
}

func (s *site) revokeForm(w http.ResponseWriter, r *http.Request) error {
	p, err := s.Store.Participant(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	a, err := s.agentOf(r)
	if err != nil {
		return err
	}
	v := s.view(r)
	one := v.computer(a)
	s.show(w, r, page{Name: "revoke", Body: revokePage{Address: participantAddress(p.ID), Action: one.Revoke, Name: v.name(p), computer: one}})
	return nil
}

// redirectToRevoke redirects from the former address of the page, which may be a bookmark.
func redirectToRevoke(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, revokeAddress(r.PathValue("id"), r.PathValue("agent")), http.StatusMovedPermanently)
	return nil
}

// revokeAddress returns the address of the page that revokes the token of a computer.
func revokeAddress(participantID, agentID string) string {
	return participantAddress(participantID) + "/computers/" + url.PathEscape(agentID) + "/revoke"
}

// revoke revokes the token of one computer, such as a stolen one.
func (s *site) revoke(w http.ResponseWriter, r *http.Request) error {
	a, err := s.agentOf(r)
	if err != nil {
		return err
	}
	if err := s.Store.RevokeAgent(r.Context(), a.ID, s.Now()); err != nil {
		return err
	}
	s.Agents.Disconnect(a.ID)
	id := r.PathValue("id")
	s.Log.InfoContext(r.Context(), "access of a computer revoked", "participant", id, "agent", a.ID)
	s.changed(id)
	http.Redirect(w, r, participantAddress(id), http.StatusSeeOther)
	return nil
}

// requestToken makes one computer replace its token.
func (s *site) requestToken(w http.ResponseWriter, r *http.Request) error {
	a, err := s.agentOf(r)
	if err != nil {
		return err
	}
	if err := s.Store.AskForRenewal(r.Context(), a.ID, s.Now()); err != nil {
		return err
	}
	s.Agents.AskForToken(a.ID)
	id := r.PathValue("id")
	s.Log.InfoContext(r.Context(), "new token requested", "participant", id, "agent", a.ID)
	s.changed(id)
	http.Redirect(w, r, participantAddress(id), http.StatusSeeOther)
	return nil
}

// changed notifies open pages that staff have changed a participant.
func (s *site) changed(id string) {
	s.Live.Publish(live.Event{Kind: live.ParticipantChanged, ParticipantID: id, At: s.Now()})
}
