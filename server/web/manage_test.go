package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/server/store"
)

func TestEditingAPerson(t *testing.T) {
	g := newRig(t).login()
	p, _ := g.person("Anna Muster", "0228 1")
	other, _ := g.person("Berta Bunt", "")
	at := "/participants/" + p.ID + "/edit"
	g.want(g.get("/participants/"+p.ID), http.StatusOK, at, "Name oder Telefon ändern")
	g.want(g.get(at), http.StatusOK, `value="Anna Muster"`, `value="0228 1"`)
	g.want(g.post(at, "name", "  ", "phone", "0228 1"), http.StatusUnprocessableEntity, "Bitte geben Sie einen Namen ein.")
	g.want(g.post(at, "name", "Anna\u202e", "phone", ""), http.StatusUnprocessableEntity, "unsichtbare Zeichen")
	g.want(g.post(at, "name", "berta bunt", "phone", "0228 2"), http.StatusConflict, "/participants/"+other.ID, "Trotzdem ändern", `value="0228 2"`, "(gleicher Name)")
	g.wantRedirect(g.post(at, "name", "Anna Muster", "phone", "0228 3"), "/participants/"+p.ID) // its own name is not a duplicate
	g.wantRedirect(g.post(at, "name", "berta bunt", "phone", "", "shown", other.ID), "/participants/"+p.ID)
	if got, err := g.store.Participant(t.Context(), p.ID); err != nil || got.Name != "berta bunt" || got.Phone != "" {
		t.Errorf("got %+v, error %v; want Name %q, Phone none", got, err, "berta bunt")
	}
	g.want(g.get("/participants/none/edit"), http.StatusNotFound)
	g.want(g.post("/participants/none/edit", "name", "X"), http.StatusNotFound)
}

func TestDeletingAPerson(t *testing.T) {
	g := newRig(t).login()
	p, _ := g.checked("Berta Muted", "0228 2", "M2W-8RT", microphone(muted), passage(), voice(9.5))
	g.agent(p)
	at := "/participants/" + p.ID + "/delete"
	g.want(g.get("/participants/"+p.ID), http.StatusOK, at)
	g.want(g.get(at), http.StatusOK, "Berta Muted", "1 Bericht", "2 eingerichtete Computer", "nicht rückgängig")
	if _, err := g.store.Participant(t.Context(), p.ID); err != nil {
		t.Fatalf("the participant was deleted before the confirmation: %v", err)
	}
	g.wantRedirect(g.post(at), "/?done=deleted")
	g.want(g.get("/?done=deleted"), http.StatusOK, "Die Person ist gelöscht.")
	g.want(g.get("/?done=anything"), http.StatusOK)
	if _, err := g.store.Participant(t.Context(), p.ID); err == nil {
		t.Error("the participant still exists")
	}
	g.want(g.post(at), http.StatusNotFound) // the form once more
}

func TestRequestingANewToken(t *testing.T) {
	g := newRig(t).login()
	p, agent := g.person("Anna Muster", "")
	other, _ := g.person("Berta Bunt", "")
	at := "/participants/" + p.ID + "/computers/" + agent + "/token"
	g.want(g.get("/participants/"+p.ID), http.StatusOK, at, "Neuer Zugangsschlüssel")
	g.want(g.post("/participants/"+other.ID+"/computers/"+agent+"/token"), http.StatusNotFound)
	g.wantRedirect(g.post(at), "/participants/"+p.ID)
	g.want(g.get("/participants/"+p.ID), http.StatusOK, "neuer Zugangsschlüssel angefordert")
	agents, err := g.store.Agents(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(agents) != 1 || agents[0].RenewalAskedAt.IsZero() {
		t.Errorf("got %+v, want one agent with a request for a new token", agents)
	}
}

func TestRevokingAComputer(t *testing.T) {
	g := newRig(t).login()
	p, first := g.person("Anna Muster", "")
	second := g.agent(p)
	other, _ := g.person("Berta Bunt", "")
	at := "/participants/" + p.ID + "/computers/" + first + "/revoke"
	g.want(g.get("/participants/"+p.ID), http.StatusOK, at, "/computers/"+second+"/revoke")
	g.want(g.get(at), http.StatusOK, "Anna Muster", "gestohlen", "Jetzt den Zugang entziehen")
	g.want(g.get("/participants/"+other.ID+"/computers/"+first+"/revoke"), http.StatusNotFound)
	former := g.get("/participants/" + p.ID + "/computers/" + first + "/shutout")
	if got := former.Header().Get("Location"); former.Code != http.StatusMovedPermanently || got != at {
		t.Errorf("the former address: got status %d to %q, want %d to %q", former.Code, got, http.StatusMovedPermanently, at)
	}
	g.want(g.post("/participants/"+other.ID+"/computers/"+first+"/revoke"), http.StatusNotFound)
	g.wantRedirect(g.post(at), "/participants/"+p.ID)
	g.wantRedirect(g.post(at), "/participants/"+p.ID) // again: nothing changes
	body := g.get("/participants/" + p.ID).Body.String()
	if strings.Contains(body, at) || !strings.Contains(body, "Zugang entzogen") || !strings.Contains(body, "/computers/"+second+"/revoke") {
		t.Errorf("got page after the first was revoked:\n%s", body)
	}
	agents, err := g.store.Agents(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range agents {
		if a.RevokedAt.IsZero() == (a.ID == first) {
			t.Errorf("%s: got revoked at %v, want only %s revoked", a.ID, a.RevokedAt, first)
		}
	}
}

// TestDuplicatesAreShownBeforeTheyAreStored holds for both forms, for names and phone numbers, and
// in both languages: each duplicate is shown once before it is stored.
func TestDuplicatesAreShownBeforeTheyAreStored(t *testing.T) {
	g := newRig(t).login()
	anna, _ := g.person("Anna Müller", "0228 5550101")
	berta, _ := g.person("Berta Bunt", "0228 5550102")
	cem, _ := g.person("Cem", "")
	for _, form := range []string{"/participants", "/participants/" + cem.ID + "/edit"} {
		for _, c := range []struct {
			name, phone string
			de, en      string
			same        []string
		}{
			{"MUELLER, Anna", "0221 9", "(gleicher Name)", "(same name)", []string{anna.ID}},
			{"Neu", "+49 228 5550101", "(gleiche Telefonnummer)", "(same phone number)", []string{anna.ID}},
			{"Anna Muller", "0228/5550101", "(gleicher Name und gleiche Telefonnummer)", "(same name and phone number)", []string{anna.ID}},
			{"Anna Müller", "0228 5550102", "(gleiche Telefonnummer)", "(same phone number)", []string{anna.ID, berta.ID}},
		} {
			for lang, words := range map[string]string{"de": c.de, "en": c.en} {
				g.lang = lang
				parts := []string{words}
				for _, id := range c.same {
					parts = append(parts, `href="/participants/`+id+`"`, `name="shown" value="`+id+`"`)
				}
				g.want(g.post(form, "name", c.name, "phone", c.phone), http.StatusConflict, parts...)
			}
		}
		// Another name, typed after the warning, has its own duplicates.
		g.want(g.post(form, "name", "Berta Bunt", "shown", anna.ID), http.StatusConflict, berta.ID)
	}
	// Only the phone number changes.
	at := "/participants/" + berta.ID + "/edit"
	g.want(g.post(at, "name", "Berta Bunt", "phone", "0228 5550101"), http.StatusConflict, anna.ID)
	if got, err := g.store.Participant(t.Context(), berta.ID); err != nil || got.Phone != "0228 5550102" {
		t.Errorf("stored before the warning was shown: %+v, error %v; want the second phone number", got, err)
	}
	g.wantRedirect(g.post(at, "name", "Berta Bunt", "phone", "0228 5550101", "shown", anna.ID), "/participants/"+berta.ID)
}

// TestErasedPersonIsAddedAgainOnPurpose: the form says once that somebody with the name was erased.
func TestErasedPersonIsAddedAgainOnPurpose(t *testing.T) {
	g := newRig(t).login()
	anna, _ := g.person("Dr. Anna Müller", "")
	g.wantRedirect(g.post("/participants/"+anna.ID+"/delete"), "/?done=deleted")
	day := g.clock().Format("02.01.2006")
	g.want(g.post("/participants", "name", "Mueller, Anna"), http.StatusConflict, "Am "+day+" wurde eine Person mit diesem Namen gelöscht", `name="erased" value="`+day+`"`)
	g.want(g.post("/participants", "name", "Berta"), http.StatusCreated, "Berta")
	g.want(g.post("/participants", "name", "Mueller, Anna", "erased", day), http.StatusCreated, "Mueller, Anna")
	g.lang = "en"
	g.want(g.post("/participants", "name", "Anna Muller"), http.StatusConflict, "A person with this name was erased on "+g.clock().Format("2 Jan 2006"))
}

// TestManagingRequiresALogin: without a session nothing is shown or changed.
func TestManagingRequiresALogin(t *testing.T) {
	g := newRig(t)
	p, agent := g.person("Anna Muster", "")
	for _, at := range []string{"/edit", "/delete", "/computers/" + agent + "/revoke"} {
		if w := g.post("/participants/"+p.ID+at, "name", "Eve"); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/login") {
			t.Errorf("%s: got status %d, location %s; want %d, beginning with %q", at, w.Code, w.Header().Get("Location"), http.StatusSeeOther, "/login")
		}
	}
	if got, err := g.store.Participant(t.Context(), p.ID); err != nil || got.Name != "Anna Muster" {
		t.Errorf("got %+v, error %v; want the participant unchanged", got, err)
	}
	agents, err := g.store.Agents(t.Context(), p.ID)
	if err != nil || len(agents) != 1 || agents[0] == (store.Agent{}) || !agents[0].RevokedAt.IsZero() {
		t.Errorf("got agents %+v, error %v; want one agent that is not revoked", agents, err)
	}
}
