package web_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/auth"
)

var (
	reSecret   = regexp.MustCompile(`<code>([A-Z2-7]{32})</code>`)
	reRecovery = regexp.MustCompile(`<code>([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})</code>`)
)

// app is an authenticator app with a secret, written after RFC 4226 and RFC 6238.
func app(t *testing.T, secret string, now time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, now.Unix()/30)
	sum := mac.Sum(nil)
	i := sum[19] & 15
	return fmt.Sprintf("%06d", (uint32(sum[i]&127)<<24|uint32(sum[i+1])<<16|uint32(sum[i+2])<<8|uint32(sum[i+3]))%1_000_000)
}

func TestSigningInWithACode(t *testing.T) {
	g := newRig(t).login()
	g.want(g.get("/account/code"), http.StatusOK, "genügt zurzeit Ihr Passwort")
	g.want(g.post("/account/code", "current", "wrong"), http.StatusUnprocessableEntity, "jetzige Passwort stimmt nicht")
	g.want(g.post("/account/code/confirm", "code", "123456"), http.StatusUnprocessableEntity, "noch einmal mit dem Einrichten")
	g.wantRedirect(g.post("/account/code", "current", staffPassword), "/account/code")
	w := g.get("/account/code")
	g.want(w, http.StatusOK, "QR-Code für die App")
	m := reSecret.FindStringSubmatch(w.Body.String())
	if m == nil {
		t.Fatalf("the page has no secret:\n%s", w.Body)
	}
	secret := m[1]
	g.want(g.post("/account/code/confirm", "code", "000000"), http.StatusUnprocessableEntity, "Der Code stimmt nicht")
	w = g.post("/account/code/confirm", "code", app(t, secret, g.clock()))
	g.want(w, http.StatusCreated, "Notfall-Codes")
	recovery := reRecovery.FindAllStringSubmatch(w.Body.String(), -1)
	if len(recovery) != 10 {
		t.Fatalf("got %d recovery codes, want 10", len(recovery))
	}
	w = g.get("/account/code")
	g.want(w, http.StatusOK, "auch den Code aus Ihrer App", "noch 10 Notfall-Codes")
	if reSecret.MatchString(w.Body.String()) || reRecovery.MatchString(w.Body.String()) {
		t.Error("the page shows a secret again")
	}
	g.want(g.get("/staff/member?name=support"), http.StatusOK, "Anmelden mit Code: ja")

	g.cookies = nil
	g.pass(time.Minute)
	g.wantRedirect(g.post("/login", "name", staffName, "password", staffPassword, "next", "/causes"), "/login/code?next=%2Fcauses")
	g.wantRedirect(g.get("/causes"), "/login?next=%2Fcauses") // not signed in yet
	g.want(g.get("/login/code?next=%2Fcauses"), http.StatusOK, `name="next" value="/causes"`, `autocomplete="one-time-code"`)
	g.want(g.post("/login/code", "code", "000000"), http.StatusUnprocessableEntity, "Der Code stimmt nicht")
	code := app(t, secret, g.clock())
	g.wantRedirect(g.post("/login/code", "code", code, "next", "https://evil.example/"), "/")
	g.want(g.get("/causes"), http.StatusOK)
	g.want(g.post("/login/code", "code", code), http.StatusUnprocessableEntity, "Melden Sie sich von vorn an")

	g.cookies = nil
	g.wantRedirect(g.get("/login/code"), "/login")
	g.wantRedirect(g.post("/login", "name", staffName, "password", staffPassword), "/login/code")
	g.want(g.post("/login/code", "code", code), http.StatusUnprocessableEntity, "schon benutzt")
	g.wantRedirect(g.post("/login/code", "code", recovery[3][1]), "/")
	g.want(g.get("/account/code"), http.StatusOK, "noch 9 Notfall-Codes")

	g.cookies = nil
	g.wantRedirect(g.post("/login", "name", staffName, "password", staffPassword), "/login/code")
	g.pass(auth.ChallengeTTL)
	g.want(g.post("/login/code", "code", app(t, secret, g.clock())), http.StatusUnprocessableEntity, "Zeit für den Code ist abgelaufen")
	g.wantRedirect(g.post("/login", "name", staffName, "password", staffPassword), "/login/code")
	g.wantRedirect(g.post("/login/code", "code", app(t, secret, g.clock())), "/")
	g.want(g.post("/account/code/remove", "current", "wrong"), http.StatusUnprocessableEntity, "jetzige Passwort stimmt nicht")
	g.wantRedirect(g.post("/account/code/remove", "current", staffPassword), "/account/code")
	g.cookies = nil
	g.login()
}

func TestGuessingCodesIsSlowedDownOnThePage(t *testing.T) {
	g := newRig(t).login()
	g.post("/account/code", "current", staffPassword)
	secret := reSecret.FindStringSubmatch(g.get("/account/code").Body.String())[1]
	g.want(g.post("/account/code/confirm", "code", app(t, secret, g.clock())), http.StatusCreated)
	g.cookies = nil
	g.pass(time.Minute)
	g.post("/login", "name", staffName, "password", staffPassword)
	for range 10 {
		g.post("/login/code", "code", "000000")
	}
	w := g.post("/login/code", "code", app(t, secret, g.clock()))
	g.want(w, http.StatusTooManyRequests, "Warten Sie eine Minute und")
	if w.Header().Get("Retry-After") == "" {
		t.Error("got no Retry-After")
	}
}
