package web_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/auth/oidc"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/web"
)

const callback = "https://ton.example" + auth.ProviderAnswerPath

// realProvider starts the server of github.com/zitadel/oidc with some users, whose password is
// "secret", and returns its issuer.
func realProvider(t *testing.T) string {
	t.Helper()
	program := need.Program(t, "oidc-example-server")
	users := map[string]any{}
	for id, u := range map[string]struct {
		verified bool
		locale   string // assigns the role in these tests
	}{"anna": {true, "en"}, "berta": {true, "de"}, "clara": {false, "de"}, "dora": {true, "fr"}} {
		users[id] = map[string]any{"ID": id, "Username": id, "Password": "secret", "Email": id + "@stadt.example", "EmailVerified": u.verified, "PreferredLanguage": u.locale}
	}
	b, err := json.Marshal(users)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "users.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	c := exec.CommandContext(t.Context(), program)
	c.Env = append(os.Environ(), "PORT="+port, "USERS_FILE="+file, "REDIRECT_URI="+callback)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	issuer := "http://localhost:" + port + "/"
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(issuer + ".well-known/openid-configuration")
		if err == nil {
			_ = response.Body.Close()
			return issuer
		}
	}
	t.Fatal(program + " does not answer")
	return ""
}

// withProvider returns pages with a provider.
func withProvider(t *testing.T, c oidc.Config, only bool) *rig {
	t.Helper()
	g := newRig(t, func(w *web.Config) {
		c.ClientID, c.ClientSecret, c.RedirectURL = "web", "secret", callback
		w.Auth = auth.New(auth.Config{Store: w.Store.(auth.Store), Now: time.Now, Random: rand.Reader, Cost: auth.Cost{MemoryKiB: 64, Passes: 1, Lanes: 1},
			SealKey: make([]byte, auth.SealKeyBytes), Provider: oidc.New(c), PasswordsOff: only})
		w.Now = time.Now // as the provider does
	})
	g.now = time.Now()
	return g
}

// atProvider signs in at the provider, as a browser does, and returns the address to which it sends
// the browser back.
func atProvider(t *testing.T, address, user string) string {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	back := ""
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), callback) {
			back = r.URL.RequestURI()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	response, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	form := response.Request.URL
	id := form.Query().Get("authRequestID")
	response, err = browser.PostForm(form.Scheme+"://"+form.Host+"/login/username", url.Values{"id": {id}, "username": {user}, "password": {"secret"}})
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if back == "" {
		t.Fatalf("the provider did not send the browser back: %s at %s: %.500s", response.Status, response.Request.URL, body)
	}
	return back
}

// begin starts a sign-in and returns the address at the provider.
func (g *rig) begin(next string) string {
	g.t.Helper()
	w := g.get("/login/oidc?" + url.Values{"next": {next}}.Encode())
	if w.Code != http.StatusSeeOther {
		g.t.Fatalf("got %d: %s, want 303", w.Code, w.Body)
	}
	return w.Header().Get("Location")
}

func TestRealProvider(t *testing.T) {
	issuer := realProvider(t)
	roles := []oidc.RoleOf{{Value: "en", Role: store.RoleAdministrator}, {Value: "de", Role: store.RoleSupport}}
	g := withProvider(t, oidc.Config{Issuer: issuer, Roles: roles, RoleClaim: "locale", Label: "Stadt-Konto"}, false)
	g.want(g.get("/login?next=/cases"), http.StatusOK, "Mit Stadt-Konto anmelden", `href="/login/oidc?next=%2Fcases"`, `name="password"`)

	// The first sign-in adds the account with the role of the claim.
	back := atProvider(t, g.begin("/account"), "anna")
	g.wantRedirect(g.get(back), "/account")
	g.want(g.get("/account"), http.StatusOK, "anna@stadt.example", "Administration", "Dienst-Konto", "dieser Browser")
	g.want(g.get("/staff/member?name=anna@stadt.example"), http.StatusOK, "Meldet sich mit dem Anmelde-Dienst an")
	if strings.Contains(g.get("/account").Body.String(), "/password") {
		t.Error("the account offers to change a password that it does not have")
	}
	// The code is used up, and so is the attempt.
	kept := g.cookies
	g.cookies = nil
	g.want(g.get(back), http.StatusUnprocessableEntity, "beginnen Sie noch einmal")
	g.cookies = kept
	g.wantRedirect(g.post("/logout"), "/login?signed_out")
	g.want(g.get("/login?signed_out"), http.StatusOK, `href="/logout/oidc"`)
	if w := g.get("/logout/oidc"); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), issuer) {
		t.Errorf("got %d to %q, want the provider", w.Code, w.Header().Get("Location"))
	}

	// The code in another browser, and an answer to another attempt.
	other := atProvider(t, g.begin("/"), "berta")
	g.begin("/")
	g.want(g.get(other), http.StatusUnprocessableEntity, "beginnen Sie noch einmal")

	// The same person again is the same account. Nobody leaves the collector by the address.
	g.wantRedirect(g.get(atProvider(t, g.begin("https://evil.example/"), "anna")), "/")
	g.wantRedirect(g.post("/logout"), "/login?signed_out")
	g.want(g.get(atProvider(t, g.begin("/"), "clara")), http.StatusForbidden, "E-Mail-Adresse nicht bestätigt")
	g.want(g.get(atProvider(t, g.begin("/"), "dora")), http.StatusForbidden, "in die richtige Gruppe")

	// The role follows the claim, and without one the sessions end.
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(g.store.SetStaffRole(t.Context(), "anna@stadt.example", store.RoleAuditor, nil))
	g.wantRedirect(g.get(atProvider(t, g.begin("/"), "anna")), "/")
	m, err := g.store.StaffMember(t.Context(), "anna@stadt.example")
	if must(err); m.Role != store.RoleAdministrator {
		t.Errorf("got role %s, want %s", m.Role, store.RoleAdministrator)
	}
	must(g.store.DisableStaff(t.Context(), m.Name, time.Now(), nil))
	g.wantRedirect(g.get("/account"), "/login?next=%2Faccount")
	g.want(g.get(atProvider(t, g.begin("/"), "anna")), http.StatusForbidden, "abgeschaltet")

	// A name is no way into an account of somebody else.
	must(g.auth.AddStaff(t.Context(), "berta@stadt.example", store.RoleLead, staffPassword))
	g.want(g.get(atProvider(t, g.begin("/"), "berta")), http.StatusForbidden, "meldet sich hier mit einem Passwort an")
	page, err := g.store.AuditEntries(t.Context(), store.AuditQuery{Limit: store.MaxPage})
	must(err)
	var kinds []string
	for _, e := range page.Entries {
		kinds = append(kinds, fmt.Sprint(e.StaffName, " ", e.Kind))
	}
	slices.Reverse(kinds)
	want := []string{"anna@stadt.example staff_added", "anna@stadt.example signed_in", "anna@stadt.example signed_out", "anna@stadt.example signed_in", "anna@stadt.example signed_out",
		"anna@stadt.example staff_role", "anna@stadt.example signed_in", "anna@stadt.example sign_in_failed", "berta@stadt.example sign_in_failed"}
	if !slices.Equal(kinds, want) {
		t.Errorf("got entries\n%s\nwant\n%s", strings.Join(kinds, "\n"), strings.Join(want, "\n"))
	}
}

// TestRealProviderForTheInvited: without roles, whoever was invited by the verified address signs in.
func TestRealProviderForTheInvited(t *testing.T) {
	g := withProvider(t, oidc.Config{Issuer: realProvider(t)}, true)
	i, err := g.auth.InviteStaff(t.Context(), "berta@stadt.example", store.RoleLead)
	if err != nil {
		t.Fatal(err)
	}
	w := g.get("/login")
	g.want(w, http.StatusOK, "Mit dem Dienst-Konto anmelden")
	if strings.Contains(w.Body.String(), `name="password"`) {
		t.Error("the page asks for a password")
	}
	g.want(g.post("/login", "name", staffName, "password", staffPassword), http.StatusForbidden, "Passwörter sind hier abgeschaltet")
	g.want(g.get("/invitation?token="+i.Token), http.StatusOK, "berta@stadt.example", "Mit dem Dienst-Konto anmelden")
	g.want(g.post("/invitation", "token", i.Token, "new", staffPassword, "repeat", staffPassword), http.StatusForbidden, "abgeschaltet")
	g.want(g.get(atProvider(t, g.begin("/"), "anna")), http.StatusForbidden, "Für anna@stadt.example gibt es hier kein Konto")
	g.wantRedirect(g.get(atProvider(t, g.begin("/cases"), "berta")), "/cases")
	g.want(g.get("/account"), http.StatusOK, "berta@stadt.example", "Leitung")
	g.want(g.get("/invitation?token="+i.Token), http.StatusUnprocessableEntity, "ersetzt")

	// The command line lets an administrator in.
	g.cookies = nil
	token, err := g.auth.NewOneTimeLogin(t.Context(), staffName)
	if err != nil {
		t.Fatal(err)
	}
	g.wantRedirect(g.get(auth.OneTimeLoginPath+"?"+auth.OneTimeLoginParam+"="+token), "/")
	g.want(g.get("/staff"), http.StatusOK, "berta@stadt.example")
}

func TestProviderAway(t *testing.T) {
	g := withProvider(t, oidc.Config{Issuer: "http://127.0.0.1:1/"}, false)
	g.want(g.get("/login/oidc?next=/cases"), http.StatusBadGateway, "Der Anmelde-Dienst antwortet nicht", `name="password"`, `value="/cases"`)
	g.login()
	only := withProvider(t, oidc.Config{Issuer: "http://127.0.0.1:1/"}, true)
	only.want(only.get("/login/oidc"), http.StatusBadGateway, "auf dem Prüf-Server einen Link")
	none := newRig(t)
	for _, address := range []string{"/login/oidc", "/login/oidc/callback", "/logout/oidc"} {
		none.want(none.get(address), http.StatusNotFound)
	}
}
