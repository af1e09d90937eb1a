package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/peer"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlitetest"
)

var (
	cheap = Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}
	home  = Attempt{From: netip.MustParseAddr("192.0.2.1")}
)

const password = "correct horse battery"

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newAuth(t *testing.T) (*Auth, *clock) {
	t.Helper()
	s := sqlitetest.Open(t)
	c := &clock{at: time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)}
	a := New(Config{Store: s, Now: c.now, Random: rand.Reader, Cost: cheap, SealKey: make([]byte, SealKeyBytes)})
	if err := a.AddStaff(t.Context(), "support", store.RoleAdministrator, password); err != nil {
		t.Fatal(err)
	}
	return a, c
}

func TestLoginAndSession(t *testing.T) {
	a, c := newAuth(t)
	for _, try := range [][2]string{{"support", "wrong password"}, {"nobody", password}, {"support", strings.Repeat("x", 10<<20)}, {strings.Repeat("n", 10<<20), password}} {
		if _, err := a.Login(t.Context(), home, try[0], try[1]); !errors.Is(err, ErrCredentials) {
			t.Errorf("%.20s: got error %v, want ErrCredentials", try[0], err)
		}
	}
	signedIn, err := a.Login(t.Context(), home, "support", password)
	if err != nil {
		t.Fatal(err)
	}
	token := signedIn.Token
	if m, err := a.Session(t.Context(), token); err != nil || m.Name != "support" {
		t.Errorf("got session of %q, error %v; want %q", m.Name, err, "support")
	}
	c.at = c.at.Add(SessionTTL)
	if _, err := a.Session(t.Context(), token); !errors.Is(err, ErrNoSession) {
		t.Errorf("expired session: got error %v, want %v", err, ErrNoSession)
	}
}

func TestLogoutAndNewPasswordEndSessions(t *testing.T) {
	a, _ := newAuth(t)
	login := func(password string) string {
		signedIn, err := a.Login(t.Context(), home, "support", password)
		if err != nil {
			t.Fatal(err)
		}
		return signedIn.Token
	}
	first, second := login(password), login(password)
	if err := a.Logout(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Session(t.Context(), first); !errors.Is(err, ErrNoSession) {
		t.Errorf("after logout: got error %v, want %v", err, ErrNoSession)
	}
	if _, err := a.Session(t.Context(), second); err != nil {
		t.Errorf("the other session: got error %v, want none", err)
	}
	if err := a.SetPassword(t.Context(), "support", "another long password"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Session(t.Context(), second); !errors.Is(err, ErrNoSession) {
		t.Errorf("after a new password: got error %v, want %v", err, ErrNoSession)
	}
	login("another long password")
	if err := a.SetPassword(t.Context(), "nobody", "another long password"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("password of an unknown user: got error %v, want %v", err, store.ErrNotFound)
	}
}

func TestOneTimeLogin(t *testing.T) {
	a, c := newAuth(t)
	link, err := a.NewOneTimeLogin(t.Context(), "support")
	if err != nil {
		t.Fatal(err)
	}
	signedIn, err := a.LoginOnce(t.Context(), home, link)
	if err != nil {
		t.Fatal(err)
	}
	token := signedIn.Token
	if m, err := a.Session(t.Context(), token); err != nil || m.Name != "support" {
		t.Errorf("got session of %q, error %v; want %q", m.Name, err, "support")
	}
	if _, err := a.LoginOnce(t.Context(), home, link); !errors.Is(err, ErrLink) {
		t.Errorf("second use: got error %v, want %v", err, ErrLink)
	}
	late, err := a.NewOneTimeLogin(t.Context(), "support")
	if err != nil {
		t.Fatal(err)
	}
	c.at = c.at.Add(OneTimeLoginTTL)
	for _, bad := range []string{late, "", "x", token} {
		if _, err := a.LoginOnce(t.Context(), home, bad); !errors.Is(err, ErrLink) {
			t.Errorf("%q: got error %v, want %v", bad, err, ErrLink)
		}
	}
	if _, err := a.NewOneTimeLogin(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("for an unknown user: got error %v, want %v", err, store.ErrNotFound)
	}
}

func TestStaffNamesAndPasswords(t *testing.T) {
	a, _ := newAuth(t)
	for name, want := range map[string]error{
		"support": store.ErrExists, "": ErrStaffName, " x": ErrStaffName, "a\nb": ErrStaffName,
		"a\u202eb": ErrStaffName, strings.Repeat("x", 65): ErrStaffName, "Jörg": nil, "<script>": nil,
	} {
		if err := a.AddStaff(t.Context(), name, store.RoleSupport, password); !errors.Is(err, want) {
			t.Errorf("%q: got error %v, want %v", name, err, want)
		}
	}
	for _, bad := range []string{"", "short", strings.Repeat("x", 257)} {
		if err := a.AddStaff(t.Context(), "new", store.RoleSupport, bad); !errors.Is(err, ErrPassword) {
			t.Errorf("password of %d bytes: got error %v; want %v", len(bad), err, ErrPassword)
		}
	}
	drawn, err := a.NewPassword()
	if err != nil || a.AddStaff(t.Context(), "new", store.RoleSupport, drawn) != nil {
		t.Errorf("the generated password %q was rejected: %v", drawn, err)
	}
}

func TestHash(t *testing.T) {
	p := NewPasswords(cheap, rand.Reader)
	hash, err := p.Hash(t.Context(), password)
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Fatalf("got hash %s, error %v; want it to begin with %q", hash, err, "$argon2id$v=19$m=8,t=1,p=1$")
	}
	for _, bad := range []string{"x", "$argon2i$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAA$AAAA", strings.Replace(hash, "m=8", "m=4294967295", 1), hash[:40]} {
		if ok, err := p.Verify(t.Context(), bad, password); ok || !errors.Is(err, errHash) {
			t.Errorf("%s: got ok %v, error %v; want %v", bad, ok, err, errHash)
		}
	}
	// Of the reference implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
	const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if ok, err := p.Verify(t.Context(), reference, "password"); !ok || err != nil {
		t.Errorf("reference vector: got ok %v, error %v; want true", ok, err)
	}
	p.known.running <- struct{}{} // every slot is in use
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Hash(ctx, password); !errors.Is(err, context.Canceled) {
		t.Errorf("without a free slot: got error %v, want %v", err, context.Canceled)
	}
}

func TestEnrolCode(t *testing.T) {
	code, err := NewEnrolCode(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := NormalizeEnrolCode(" " + strings.ToLower(strings.ReplaceAll(code, "-", " ")) + "\n"); !ok || got != code {
		t.Errorf("%s: got %s, ok %v; want %s, true", code, got, ok, code)
	}
	if got, ok := NormalizeEnrolCode("ilo0 ilo0-ILO0"); !ok || got != "1100-1100-1100" {
		t.Errorf("confusable letters: got %s, ok %v; want %q, true", got, ok, "1100-1100-1100")
	}
	for _, bad := range []string{"", "K7P3-QXM2", "K7P3-QXM2-RT5Z-0", "K7P3-QXM2-RT5U", "K7P3-QXM2-RT5ü", strings.Repeat("0", 10<<20)} {
		if got, ok := NormalizeEnrolCode(bad); ok {
			t.Errorf("%.20q: got %s, want it refused", bad, got)
		}
	}
}

func TestBearerToken(t *testing.T) {
	token, hash, err := NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]bool{
		"Bearer " + token: true, "bearer  " + token: true, "": false, "Bearer": false,
		"Basic " + token: false, "Bearer " + token[1:]: false, "Bearer " + token + "x": false,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", header)
		if got, ok := BearerToken(r); ok != want || ok && got != hash {
			t.Errorf("%q: got ok %v, want %v", header, ok, want)
		}
	}
}

func TestCookies(t *testing.T) {
	a, _ := newAuth(t)
	signedIn, err := a.Login(t.Context(), home, "support", password)
	if err != nil {
		t.Fatal(err)
	}
	for scheme, prefix := range map[string]string{"http": "", "https": securePrefix} {
		r := httptest.NewRequest(http.MethodGet, scheme+"://collector.example/", nil)
		w := httptest.NewRecorder()
		a.SetCookies(w, r, signedIn)
		cookies := w.Result().Cookies()
		if len(cookies) != 2 {
			t.Fatalf("%s: got %d cookies, want 2", scheme, len(cookies))
		}
		for i, name := range []string{sessionCookie, deviceCookie} {
			c := cookies[i]
			if c.Name != prefix+name || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != (scheme == "https") || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s: got %+v, want %s with the attributes of a session cookie", scheme, c, prefix+name)
			}
			r.AddCookie(c)
		}
		if CookieToken(r) != signedIn.Token || AttemptOf(r).Device != signedIn.Device {
			t.Errorf("%s: the cookies were not accepted", scheme)
		}
	}
}

func TestRequire(t *testing.T) {
	a, _ := newAuth(t)
	signedIn, err := a.Login(t.Context(), home, "support", password)
	if err != nil {
		t.Fatal(err)
	}
	h := peer.Resolve(nil, a.Require(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(StaffName(r.Context()))) }),
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }),
		func(w http.ResponseWriter, _ *http.Request, err error) { t.Error(err) }))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("without a cookie: got status %d, want %d", w.Code, http.StatusUnauthorized)
	}
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: signedIn.Token})
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Body.String() != "support" {
		t.Errorf("with a cookie: got status %d: %s, want support", w.Code, w.Body)
	}
}

func TestSameOrigin(t *testing.T) {
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	h, err := SameOrigin("https://tonprobe.example", status(http.StatusForbidden), status(http.StatusNoContent))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		method, site, origin string
		want                 int
	}{
		"own form":         {http.MethodPost, "same-origin", "", http.StatusNoContent},
		"foreign form":     {http.MethodPost, "cross-site", "https://evil.example", http.StatusForbidden},
		"old browser":      {http.MethodPost, "", "https://evil.example", http.StatusForbidden},
		"foreign link":     {http.MethodGet, "cross-site", "", http.StatusNoContent},
		"behind the proxy": {http.MethodPost, "", "https://tonprobe.example", http.StatusNoContent},
	} {
		r := httptest.NewRequest(c.method, "http://inside/", nil)
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: got status %d, want %d", name, w.Code, c.want)
		}
	}
	if _, err := SameOrigin("no url", nil, nil); err == nil {
		t.Error("a wrong origin was accepted")
	}
}
