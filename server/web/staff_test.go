package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

var (
	reInvitation = regexp.MustCompile(`http://example\.com(/invitation\?token=[A-Za-z0-9_-]{43})`)
	reSession    = regexp.MustCompile(`name="session" value="([0-9a-f]{64})"`)
)

// invitation returns the link on a page, as an address of this server, and its token.
func invitation(t *testing.T, page string) (address, token string) {
	t.Helper()
	m := reInvitation.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("there is no invitation on the page:\n%s", page)
	}
	_, token, _ = strings.Cut(m[1], "=")
	return m[1], token
}

func TestInvitingStaff(t *testing.T) {
	g := newRig(t).login()
	admin := g.cookies
	g.want(g.get("/staff"), http.StatusOK, staffName, "Jemanden einladen")
	w := g.post("/staff", "name", "berta", "role", "lead")
	g.want(w, http.StatusCreated, "berta", "Geben Sie diesen Link nur der Person selbst")
	address, token := invitation(t, w.Body.String())
	g.want(g.get("/staff"), http.StatusOK, "eingeladen, noch ohne Passwort")
	g.want(g.get("/staff/member?name=berta"), http.StatusOK, "Neuen Link zeigen")

	g.cookies = nil
	g.want(g.get(address), http.StatusOK, "Willkommen", "berta", "Leitung", `minlength="12"`)
	g.want(g.get(address), http.StatusOK, "Willkommen") // opening the link does not use it up
	const chosen = "noch ein langer Satz"
	g.want(g.post("/invitation", "token", token, "new", chosen, "repeat", "x"), http.StatusUnprocessableEntity, "nicht gleich")
	g.want(g.post("/invitation", "token", token, "new", "kurz", "repeat", "kurz"), http.StatusUnprocessableEntity, "mindestens 12 Zeichen")
	g.wantRedirect(g.post("/invitation", "token", token, "new", chosen, "repeat", chosen), "/account")
	g.want(g.get("/account"), http.StatusOK, "berta", "Leitung", "dieser Browser")
	g.want(g.get(address), http.StatusUnprocessableEntity, "schon benutzt")
	g.want(g.post("/invitation", "token", token, "new", chosen+"!", "repeat", chosen+"!"), http.StatusUnprocessableEntity, "schon benutzt")
	g.cookies = nil
	g.wantRedirect(g.post("/login", "name", "berta", "password", chosen), "/")

	g.cookies = admin
	g.want(g.post("/staff/invitation", "name", "berta"), http.StatusUnprocessableEntity, "hat schon ein Passwort")
	g.want(g.post("/staff", "name", "berta", "role", "lead"), http.StatusUnprocessableEntity, "gibt es schon")
	g.want(g.post("/staff", "name", "clara", "role", "king"), http.StatusUnprocessableEntity, "wählen Sie eine Rolle")
	g.want(g.post("/staff", "name", " \u202e", "role", "lead"), http.StatusUnprocessableEntity, "unsichtbare Zeichen")
	g.want(g.post("/staff", "name", strings.Repeat("x", 1000), "role", "lead"), http.StatusUnprocessableEntity)
	g.want(g.post("/staff", "name", strings.Repeat("x", 100_000), "role", "lead"), http.StatusRequestEntityTooLarge)
	for _, hostile := range []string{`<script>alert(1)</script>`, `"><b`, "../../etc", "a?b=c&d#e", "%00", "'; DROP TABLE staff"} {
		g.want(g.post("/staff", "name", hostile, "role", "auditor"), http.StatusCreated)
		g.want(g.get("/staff"), http.StatusOK, hostile)
	}
	g.want(g.get("/staff/member?name=nobody"), http.StatusNotFound)
}

func TestExpiredInvitation(t *testing.T) {
	g := newRig(t).login()
	address, token := invitation(t, g.post("/staff", "name", "berta", "role", "support").Body.String())
	g.pass(auth.InvitationTTL)
	g.cookies = nil
	g.want(g.get(address), http.StatusUnprocessableEntity, "abgelaufen")
	g.want(g.post("/invitation", "token", token, "new", staffPassword, "repeat", staffPassword), http.StatusUnprocessableEntity, "abgelaufen")
	g.want(g.get("/invitation"), http.StatusUnprocessableEntity, "abgelaufen")
}

func TestManagingAccounts(t *testing.T) {
	g := newRig(t).login()
	if err := g.auth.AddStaff(t.Context(), "berta", store.RoleSupport, staffPassword); err != nil {
		t.Fatal(err)
	}
	admin := g.cookies
	g.cookies = nil
	g.wantRedirect(g.post("/login", "name", "berta", "password", staffPassword), "/")
	berta := g.cookies

	g.cookies = admin
	for _, address := range []string{"/staff/role", "/staff/disable", "/staff/reset"} {
		g.want(g.post(address, "name", staffName, "role", "support"), http.StatusUnprocessableEntity, "eine andere Person aus der Administration")
		g.want(g.post(address, "name", "nobody", "role", "support"), http.StatusNotFound)
	}
	g.want(g.get("/staff"), http.StatusOK) // still an administrator
	g.wantRedirect(g.post("/staff/role", "name", "berta", "role", "auditor"), "/staff/member?name=berta")
	g.want(g.post("/staff/role", "name", "berta", "role", ""), http.StatusUnprocessableEntity, "wählen Sie eine Rolle")
	g.want(g.get("/staff/member?name=berta"), http.StatusOK, "Prüfung")

	// An administrator ends a session.
	page := g.get("/staff/member?name=berta").Body.String()
	session := reSession.FindStringSubmatch(page)
	if session == nil {
		t.Fatalf("the page lists no session:\n%s", page)
	}
	g.want(g.post("/staff/session", "name", staffName, "session", session[1]), http.StatusNotFound) // another member's session
	g.want(g.post("/staff/session", "name", "berta", "session", "xyz"), http.StatusNotFound)
	g.wantRedirect(g.post("/staff/session", "name", "berta", "session", session[1]), "/staff/member?name=berta")
	g.cookies = berta
	g.wantRedirect(g.get("/account"), "/login?next=%2Faccount")
	g.wantRedirect(g.post("/login", "name", "berta", "password", staffPassword), "/")
	berta = g.cookies

	g.cookies = admin
	g.wantRedirect(g.post("/staff/disable", "name", "berta"), "/staff/member?name=berta")
	g.want(g.get("/staff/member?name=berta"), http.StatusOK, "abgeschaltet", "Konto wieder einschalten")
	g.want(g.post("/staff/reset", "name", "berta"), http.StatusNotFound)
	g.cookies = berta
	g.wantRedirect(g.get("/account"), "/login?next=%2Faccount")
	g.want(g.post("/login", "name", "berta", "password", staffPassword), http.StatusUnprocessableEntity, "Name oder Passwort stimmt nicht")
	g.cookies = admin
	g.wantRedirect(g.post("/staff/enable", "name", "berta"), "/staff/member?name=berta")

	w := g.post("/staff/reset", "name", "berta")
	g.want(w, http.StatusCreated)
	address, _ := invitation(t, w.Body.String())
	g.cookies = nil
	g.want(g.post("/login", "name", "berta", "password", staffPassword), http.StatusUnprocessableEntity)
	g.want(g.get(address), http.StatusOK, "Willkommen")

	g.cookies = admin
	g.want(g.post("/staff/delete", "name", "berta"), http.StatusNotFound) // not disabled
	g.wantRedirect(g.post("/staff/disable", "name", "berta"), "/staff/member?name=berta")
	g.want(g.get("/staff/member?name=berta"), http.StatusOK, "Konto endgültig löschen")
	g.wantRedirect(g.post("/staff/delete", "name", "berta"), "/staff")
	g.want(g.get("/staff/member?name=berta"), http.StatusNotFound)
	g.want(g.get("/audit"), http.StatusOK, "Konto: gelöscht")
	g.cookies = nil
	g.want(g.get(address), http.StatusUnprocessableEntity)
}

func TestEndingOnesSessions(t *testing.T) {
	g := newRig(t).login()
	first := g.cookies
	g.cookies = nil
	g.pass(time.Minute)
	g.login()
	second := g.cookies
	page := g.get("/account").Body.String()
	if n := len(reSession.FindAllString(page, -1)); n != 1 || strings.Count(page, "dieser Browser") != 1 {
		t.Errorf("got %d sessions to end, want the other one:\n%s", n, page)
	}
	g.wantRedirect(g.post("/account/session", "session", reSession.FindStringSubmatch(page)[1]), "/account")
	g.want(g.post("/account/session", "session", reSession.FindStringSubmatch(page)[1]), http.StatusNotFound)
	g.cookies = first
	g.wantRedirect(g.get("/account"), "/login?next=%2Faccount")
	g.login()
	third := g.cookies
	g.wantRedirect(g.post("/account/sessions"), "/account")
	g.want(g.get("/account"), http.StatusOK)
	g.cookies = second
	g.wantRedirect(g.get("/account"), "/login?next=%2Faccount")
	// A member cannot end another member's session.
	if err := g.auth.AddStaff(t.Context(), "berta", store.RoleSupport, staffPassword); err != nil {
		t.Fatal(err)
	}
	sessions, err := g.auth.Sessions(t.Context(), staffName)
	if err != nil || len(sessions) != 1 {
		t.Fatalf("got %d sessions, error %v; want 1", len(sessions), err)
	}
	g.cookies = nil
	g.wantRedirect(g.post("/login", "name", "berta", "password", staffPassword), "/")
	g.want(g.post("/account/session", "session", hexOf(sessions[0].TokenHash)), http.StatusNotFound)
	g.cookies = third
	g.want(g.get("/account"), http.StatusOK)
}

func hexOf(h store.Hash) string { return fmt.Sprintf("%x", h[:]) }
