package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/web"
)

func TestStaffPagesRequireALogin(t *testing.T) {
	g := newRig(t)
	p, r := g.checked("Erika Beispiel", "", "K7P-3QX", microphone(nil))
	for _, address := range []string{"/", "/participants/new", "/letters", "/sessions", "/sessions/x", "/password", "/numbers", "/causes", "/alerts", "/participants/" + p.ID, "/participants/" + p.ID + "/reports/" + r.ID,
		"/participants/" + p.ID + "/reports/" + r.ID + "/document"} {
		w := g.get(address)
		if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/login") || strings.Contains(w.Body.String(), "Erika") {
			t.Errorf("%s: got status %d: %s, want a redirect to /login without the name", address, w.Code, w.Body)
		}
	}
	for _, address := range []string{"/participants", "/password", "/alerts/test", "/participants/" + p.ID + "/reports/" + r.ID + "/case", "/participants/" + p.ID + "/code", "/participants/" + p.ID + "/block", "/participants/" + p.ID + "/unblock"} {
		g.wantRedirect(g.post(address, "name", "x"), "/login")
	}
	if w := g.get("/events"); w.Code != http.StatusUnauthorized {
		t.Errorf("events without a login: got status %d, want %d", w.Code, http.StatusUnauthorized)
	}
	if after, err := g.store.Participant(t.Context(), p.ID); err != nil || after.Blocked {
		t.Errorf("a participant was blocked without a login: %+v, error %v", after, err)
	}
}

func TestLoginRedirectsToTheRequestedPage(t *testing.T) {
	g := newRig(t)
	to := g.get("/?q=m%C3%BCller&show=problems").Header().Get("Location")
	g.want(g.get(to), http.StatusOK, `name="next" value="/?q=m%C3%BCller&amp;show=problems"`)
	g.wantRedirect(g.post("/login", "name", staffName, "password", staffPassword, "next", "/?q=m%C3%BCller&show=problems"), "/?q=m%C3%BCller&show=problems")
	g.wantRedirect(g.get("/login"), "/")
}

func TestLoginNeverRedirectsToAnotherSite(t *testing.T) {
	for _, next := range []string{"https://evil.example/", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "javascript:alert(1)", "http:evil", "evil"} {
		g := newRig(t)
		g.wantRedirect(g.post("/login", "name", staffName, "password", staffPassword, "next", next), "/")
	}
}

// TestFailedLoginsDoNotWaitForTheAuditLog: neither its time nor a full disk shows which names exist.
func TestFailedLoginsDoNotWaitForTheAuditLog(t *testing.T) {
	broken := true
	var later []func()
	g := newRig(t, func(c *web.Config) {
		c.Store, c.Later = brokenLog{c.Store, &broken}, func(f func()) { later = append(later, f) }
	})
	for _, name := range []string{staffName, "nobody"} {
		later = nil
		g.want(g.post("/login", "name", name, "password", "not the password"), http.StatusUnprocessableEntity)
		if len(later) != 1 {
			t.Fatalf("%s: got %d functions to run after the answer, want 1", name, len(later))
		}
		later[0]()
	}
	if n := strings.Count(g.log.String(), "no entry in the audit log"); n != 1 {
		t.Errorf("%d failures are in the log, want 1: %s", n, g.log)
	}
	broken = false
	g.wantEntries()
	g.post("/login", "name", staffName, "password", "not the password")
	g.wantEntries()
	later[len(later)-1]()
	g.wantEntries("support sign_in_failed 192.0.2.0/24")
}

func TestFailedLoginsAreIndistinguishable(t *testing.T) {
	g := newRig(t)
	known := g.post("/login", "name", staffName, "password", "not the password")
	unknown := g.post("/login", "name", "nobody!", "password", "not the password")
	g.want(known, http.StatusUnprocessableEntity, "Name oder Passwort stimmt nicht.")
	if a, b := known.Body.String(), strings.ReplaceAll(unknown.Body.String(), "nobody!", staffName); a != b || known.Code != unknown.Code {
		t.Errorf("the response for an unknown name differs:\n%s\n%s", a, b)
	}
	if len(g.cookies) != 0 {
		t.Errorf("got cookies %v, want none", g.cookies)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	g := newRig(t)
	for range 10 {
		g.post("/login", "name", staffName, "password", "guess")
	}
	w := g.post("/login", "name", staffName, "password", staffPassword)
	g.want(w, http.StatusTooManyRequests, "Warten Sie eine Minute und")
	if w.Header().Get("Retry-After") == "" {
		t.Error("got no Retry-After")
	}
	g.pass(time.Minute)
	g.login()
}

func TestOneTimeLoginWorksOnce(t *testing.T) {
	g := newRig(t)
	token, err := g.auth.NewOneTimeLogin(t.Context(), staffName)
	if err != nil {
		t.Fatal(err)
	}
	address := auth.OneTimeLoginPath + "?" + auth.OneTimeLoginParam + "=" + token
	g.do(httptest.NewRequest(http.MethodHead, address, nil)) // programs that check links must not use them up
	g.wantRedirect(g.get(address), "/")
	g.want(g.get("/"), http.StatusOK)
	g.wantRedirect(g.get(address), "/") // signed in already
	g.cookies = nil
	g.want(g.get(address), http.StatusUnprocessableEntity, "schon benutzt")
	g.want(g.get("/login/once?token=nonsense"), http.StatusUnprocessableEntity, "schon benutzt")
	g.want(g.get("/login/once"), http.StatusUnprocessableEntity, "schon benutzt")
}

func TestLogoutAndExpiry(t *testing.T) {
	g := newRig(t).login()
	g.want(g.get("/"), http.StatusOK)
	kept := g.cookies
	g.wantRedirect(g.post("/logout"), "/login")
	g.cookies = kept
	g.wantRedirect(g.get("/"), "/login")
	g.login()
	g.pass(auth.SessionTTL)
	g.wantRedirect(g.get("/"), "/login")
}

func TestChangingOnesPassword(t *testing.T) {
	g := newRig(t).login()
	const chosen = "noch ein langer Satz"
	g.want(g.get("/password"), http.StatusOK, `minlength="12"`)
	g.want(g.post("/password", "current", staffPassword, "new", chosen, "repeat", chosen+"x"), http.StatusUnprocessableEntity, "nicht gleich")
	g.want(g.post("/password", "current", staffPassword, "new", "kurz", "repeat", "kurz"), http.StatusUnprocessableEntity, "mindestens 12 Zeichen")
	g.want(g.post("/password", "current", "wrong", "new", chosen, "repeat", chosen), http.StatusUnprocessableEntity, "jetzige Passwort stimmt nicht")
	before := g.cookies
	g.want(g.post("/password", "current", staffPassword, "new", chosen, "repeat", chosen), http.StatusOK, "geändert")
	g.want(g.get("/"), http.StatusOK)
	g.cookies = before
	g.wantRedirect(g.get("/"), "/login") // other browsers are signed out
	g.want(g.post("/login", "name", staffName, "password", staffPassword), http.StatusUnprocessableEntity)
	g.wantRedirect(g.post("/login", "name", staffName, "password", chosen), "/")
}

func TestLanguage(t *testing.T) {
	g := newRig(t)
	g.want(g.get("/login"), http.StatusOK, "Anmelden", `<html lang="de">`)
	g.lang = "fr, en-GB;q=0.8, de;q=0.3"
	g.want(g.get("/login"), http.StatusOK, "Sign in", `<html lang="en">`)
	g.wantRedirect(g.post("/language", "lang", "de", "back", "/login?next=%2Fpassword"), "/login?next=%2Fpassword")
	g.want(g.get("/login"), http.StatusOK, "Anmelden")
	g.wantRedirect(g.post("/language", "lang", "tlh", "back", "https://evil.example"), "/")
	g.want(g.get("/login"), http.StatusOK, "Anmelden")
}

func TestAccessibilityStatement(t *testing.T) {
	g := newRig(t)
	g.want(g.get("/accessibility"), http.StatusOK, "die Stelle, die Ihnen den Zugang gegeben hat", "Ombudsstelle Ihres Bundeslandes", "WCAG 2.1", "teilweise")
	g = newRig(t, func(c *web.Config) {
		c.Contact, c.Arbitration = "amt@stadt.example", "https://schlichtung.example/hilfe"
	})
	g.want(g.get("/accessibility"), http.StatusOK, `<a href="mailto:amt@stadt.example">amt@stadt.example</a>`, `<a href="https://schlichtung.example/hilfe">`)
	g = newRig(t, func(c *web.Config) {
		c.Contact, c.Arbitration = "javascript:alert(1)", "Schlichtungsstelle, Musterweg 1"
	})
	page := g.get("/accessibility")
	g.want(page, http.StatusOK, "javascript:alert(1)", "Schlichtungsstelle, Musterweg 1")
	if strings.Contains(page.Body.String(), "<a href=\"javascript") || strings.Contains(page.Body.String(), ">Schlichtungsstelle, Musterweg 1</a>") {
		t.Errorf("a text that is not an address became a link:\n%s", page.Body)
	}
}
