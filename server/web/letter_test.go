package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/web"
)

var reCode = regexp.MustCompile(`<p class="bigcode">([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})</p>`)

func TestLetters(t *testing.T) {
	g := newRig(t, func(c *web.Config) { c.PublicOrigin = "https://tonprobe.example:8443" }).login()
	g.want(g.get("/letters"), http.StatusOK, "Zurzeit braucht niemand einen Brief.")
	var ids []string
	post := func(as string, ids []string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/letters", strings.NewReader(url.Values{"as": {as}, "participant": ids}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return g.do(r)
	}
	for i := range 60 {
		inv, err := g.enroller.Invite(t.Context(), fmt.Sprintf("Person %02d", i), "")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, inv.Participant.ID)
	}
	g.checked("Erika", "", "K7P-3QX")
	w := g.get("/letters")
	g.want(w, http.StatusOK, "Person 00", "Person 59", `action="/letters"`)
	if strings.Contains(w.Body.String(), "Erika") {
		t.Error("a letter is offered for a participant with an enrolled computer")
	}
	w = post("print", ids)
	g.want(w, http.StatusCreated, `<svg class="qr"`, "<strong>https://tonprobe.example:8443/setup</strong>", "https://tonprobe.example:8443/setup#")
	codes := reCode.FindAllStringSubmatch(w.Body.String(), -1)
	if len(codes) != 60 {
		t.Fatalf("got %d codes, want 60", len(codes))
	}
	if n := w.Body.Len(); n > 600<<10 {
		t.Errorf("got %d bytes for 60 letters, want at most 600 kB", n)
	} else {
		t.Logf("60 letters have %d bytes", n)
	}
	if _, err := g.enroller.Accept(t.Context(), codes[59][1], enroll.Applicant{}); err != nil {
		t.Errorf("the code of the last letter: got error %v, want none", err)
	}
	w = post("csv", ids[:2])
	if rows := strings.Split(w.Body.String(), "\r\n"); len(rows) != 4 || !strings.HasPrefix(rows[0], "\ufeffname;phone;code;link;expires;page") || !strings.HasPrefix(rows[1], "Person 00;;") || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("got rows %q, want a header and three people as CSV in UTF-8", rows)
	}
	g.wantRedirect(g.post("/letters"), "/letters")
	g.want(g.post("/letters", "participant", "nobody"), http.StatusNotFound)
}

// TestLettersOfACouncil: the roll call leads to the letters of its members who have not set up a computer.
func TestLettersOfACouncil(t *testing.T) {
	g := newRig(t).login()
	council := store.Council{ID: uuid.NewString(), Name: "<b>Stadtrat</b>", CreatedAt: g.clock()}
	session := store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, StartsAt: g.clock().Add(time.Hour)}
	if err := errors.Join(g.store.AddCouncil(t.Context(), council), g.store.AddCouncilSession(t.Context(), session)); err != nil {
		t.Fatal(err)
	}
	address := "/letters?council=" + council.ID
	g.want(g.get(address), http.StatusOK, "&lt;b&gt;Stadtrat", "In diesem Gremium braucht zurzeit niemand einen Brief.")
	member := func(name string) store.Participant {
		i, err := g.enroller.Invite(t.Context(), name, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := g.store.AddCouncilMember(t.Context(), council.ID, i.Participant.ID); err != nil {
			t.Fatal(err)
		}
		return i.Participant
	}
	for _, name := range []string{"Zoe", "Anton", "Blocked"} {
		if p := member(name); name == "Blocked" {
			if err := g.store.SetBlocked(t.Context(), p.ID, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	erika, _ := g.person("Erika", "")
	if err := g.store.AddCouncilMember(t.Context(), council.ID, erika.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := g.enroller.Invite(t.Context(), "Stranger", ""); err != nil {
		t.Fatal(err)
	}
	roll := "/sessions/" + session.ID
	g.want(g.get(roll), http.StatusOK, "Ohne eingerichteten Computer: 2.", `href="`+address+`"`)
	if strings.Contains(g.get(roll+"?projector=1").Body.String(), address) {
		t.Error("the projector shows the link to the letters")
	}
	w := g.get(address)
	g.want(w, http.StatusOK, `action="`+address+`"`, `href="/letters"`)
	body := w.Body.String()
	if anton, zoe := strings.Index(body, "Anton"), strings.Index(body, "Zoe"); anton < 0 || zoe < anton {
		t.Errorf("Anton is at %d, Zoe at %d, want both by name", anton, zoe)
	}
	for _, other := range []string{"Erika", "Blocked", "Stranger"} {
		if strings.Contains(body, other) {
			t.Errorf("a letter is offered for %s", other)
		}
	}
	g.wantRedirect(g.post(address), address)
	g.want(g.get("/letters?council=x"), http.StatusNotFound)
	g.want(g.get("/letters"), http.StatusOK, "Stranger")
}
