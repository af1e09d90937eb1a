package web_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/web"
)

var onceField = regexp.MustCompile(`name="once" value="([^"]+)"`)
var bigCode = regexp.MustCompile(`class="bigcode">([^<]+)<`)

func first(t *testing.T, re *regexp.Regexp, body string) string {
	t.Helper()
	m := re.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("got no %s in %s", re, body)
	}
	return m[1]
}

// TestReloadingTheCodePage sends the form again, as F5 does.
func TestReloadingTheCodePage(t *testing.T) {
	g := newRig(t).login()
	once := first(t, onceField, g.get("/participants/new").Body.String())
	code := func() string {
		w := g.post("/participants", "name", "Anna Muster", "phone", "", "once", once)
		g.want(w, http.StatusCreated)
		return first(t, bigCode, w.Body.String())
	}
	if a, b := code(), code(); a != b {
		t.Errorf("a reload created another code: %s, %s", a, b)
	}
	found, err := g.store.ParticipantStates(t.Context(), store.StateQuery{Search: "Anna"})
	if err != nil || len(found.States) != 1 {
		t.Fatalf("got %d people, error %v; want 1", len(found.States), err)
	}
	// The same for an additional computer.
	page := "/participants/" + found.States[0].ID
	once = first(t, onceField, g.get(page).Body.String())
	again := first(t, bigCode, g.post(page+"/code", "once", once).Body.String())
	if b := first(t, bigCode, g.post(page+"/code", "once", once).Body.String()); again != b {
		t.Errorf("a reload created another code: %s, %s", again, b)
	}
	g.pass(time.Hour)
	if b := first(t, bigCode, g.post(page+"/code", "once", once).Body.String()); again == b {
		t.Error("the code is kept indefinitely")
	}
}

func TestSameNamesAreReported(t *testing.T) {
	g := newRig(t).login()
	g.want(g.post("/participants", "name", "Anna Muster"), http.StatusCreated)
	w := g.post("/participants", "name", " anna muster ", "phone", "0228 1")
	g.want(w, http.StatusConflict, "Auf der Liste steht schon:", "Für einen zweiten Computer brauchen Sie keine neue Person.", "Trotzdem hinzufügen", `value="0228 1"`)
	shown := first(t, regexp.MustCompile(`name="shown" value="([^"]+)"`), w.Body.String())
	g.want(g.post("/participants", "name", "Anna Muster", "shown", shown), http.StatusCreated)
	g.want(g.post("/participants", "name", "Anna Mustermann"), http.StatusCreated)
}

func TestCodePageContainsOneCommand(t *testing.T) {
	g := newRig(t, func(c *web.Config) {
		c.PublicOrigin, c.AuthorityPin = "https://tonprobe.example.org:8443", func() string { return strings.Repeat("A", 43) }
	}).login()
	body := html.UnescapeString(g.post("/participants", "name", "Anna").Body.String())
	link := first(t, regexp.MustCompile(`tonprobe enroll "([^"]+)"`), body)
	i, err := wire.ParseInvitation(link)
	if err != nil || i.Host != "tonprobe.example.org:8443" || i.AuthorityPin == "" || !strings.Contains(body, i.Code) {
		t.Errorf("%s: got %+v, error %v; want the host, a pin and the code of the page", link, i, err)
	}
	if strings.Contains(body, "--ca") || strings.Contains(body, "ca.pem") {
		t.Error("the page mentions a file on the server")
	}
}
