package oidc_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/auth/oidc"
	"github.com/tonprobe/tonprobe/server/store"
)

var evening = time.Date(2026, 11, 30, 18, 0, 0, 0, time.UTC)

// provider is a provider whose answers a test changes. TestRealProvider in package web has a real one.
type provider struct {
	*httptest.Server
	key *rsa.PrivateKey

	mu     sync.Mutex
	claims map[string]any // of the ID token, without its nonce if there is one here
	info   map[string]any // user information
	more   map[string]any // metadata in addition
	header map[string]any
	codes  map[string]string // code to challenge
	nonce  string
	down   bool
	reads  int // of the metadata
}

// newKey returns one key for all providers.
var newKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newProvider(t *testing.T) *provider {
	t.Helper()
	key, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key, codes: map[string]string{}, header: map[string]any{"alg": "RS256", "kid": "1"}}
	mux := http.NewServeMux()
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.down {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	p.claims = map[string]any{"iss": p.URL, "aud": "tonprobe", "sub": "1", "iat": evening.Unix(), "exp": evening.Add(5 * time.Minute).Unix(),
		"email": "Berta@Stadt.example", "email_verified": true, "groups": []string{"desk"}}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.reads++
		m := map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/auth", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys", "userinfo_endpoint": p.URL + "/me"}
		maps.Copy(m, p.more)
		_ = json.NewEncoder(w).Encode(m)
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig",
			"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("/me", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(p.info) })
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		challenge, ok := p.codes[r.PostFormValue("code")]
		delete(p.codes, r.PostFormValue("code"))
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if !ok || base64.RawURLEncoding.EncodeToString(sum[:]) != challenge {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": p.token()})
	})
	return p
}

func (p *provider) token() string {
	all := map[string]any{"nonce": p.nonce}
	maps.Copy(all, p.claims)
	part := func(v any) string {
		b, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	signed := part(p.header) + "." + part(all)
	sum := sha256.Sum256([]byte(signed))
	signature, _ := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if p.header["alg"] == "none" {
		signature = nil
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// visit signs somebody in at the provider, as a browser does at this address.
func (p *provider) visit(t *testing.T, address string) oidc.Answer {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, p.URL+"/auth?") {
		t.Fatalf("got address %q, want one that begins with %q", address, p.URL+"/auth?")
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != "https://ton.example/login/oidc/callback" || q.Get("response_type") != "code" {
		t.Fatalf("got %v, want a code flow with S256 and the redirect URI of the configuration", q)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nonce = q.Get("nonce")
	code := rand.Text()
	p.codes[code] = q.Get("code_challenge")
	return oidc.Answer{State: q.Get("state"), Code: code}
}

func (p *provider) config(now *time.Time) oidc.Config {
	return oidc.Config{Issuer: p.URL, ClientID: "tonprobe", ClientSecret: "secret", RedirectURL: "https://ton.example/login/oidc/callback",
		Roles: []oidc.RoleOf{{Value: "admins", Role: store.RoleAdministrator}, {Value: "desk", Role: store.RoleSupport}},
		Now:   func() time.Time { return *now }}
}

func TestComplete(t *testing.T) {
	// mallory's answers, and others that must not sign anybody in.
	for name, c := range map[string]struct {
		change func(*provider, *oidc.Config, *oidc.Attempt, *oidc.Answer)
		want   error
		role   store.Role
	}{
		"right": {role: store.RoleSupport},
		"first role counts": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			p.claims["groups"] = []string{"x", "desk", "admins"}
		}, role: store.RoleAdministrator},
		"role in an object": {change: func(p *provider, c *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			c.RoleClaim = "realm_access.roles"
			p.claims["realm_access"] = map[string]any{"roles": []string{"desk"}}
		}, role: store.RoleSupport},
		"claims by request": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			delete(p.claims, "groups")
			p.info = map[string]any{"sub": "1", "groups": "desk"}
		}, role: store.RoleSupport},
		"nobody is assigned": {change: func(_ *provider, c *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) { c.Roles = nil }},
		"issuer stated": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, a *oidc.Answer) {
			p.more = map[string]any{"authorization_response_iss_parameter_supported": true}
			a.Issuer = p.URL
		}, role: store.RoleSupport},
		"slow clock": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			p.claims["iat"] = evening.Add(time.Minute).Unix()
		}, role: store.RoleSupport},
		"just expired": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			p.claims["exp"] = evening.Add(-time.Minute).Unix()
		}, role: store.RoleSupport},

		"another state":   {change: func(_ *provider, _ *oidc.Config, _ *oidc.Attempt, a *oidc.Answer) { a.State = "x" }, want: oidc.ErrRefused},
		"no state at all": {change: func(_ *provider, _ *oidc.Config, at *oidc.Attempt, a *oidc.Answer) { at.State, a.State = "", "" }, want: oidc.ErrRefused},
		"another verifier": {change: func(_ *provider, _ *oidc.Config, at *oidc.Attempt, _ *oidc.Answer) {
			at.Verifier = strings.Repeat("x", 43)
		}, want: oidc.ErrRefused},
		"late":          {change: func(_ *provider, _ *oidc.Config, at *oidc.Attempt, _ *oidc.Answer) { at.Expires = evening.Unix() }, want: oidc.ErrRefused},
		"another nonce": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) { p.claims["nonce"] = "x" }, want: oidc.ErrRefused},
		"unknown code":  {change: func(_ *provider, _ *oidc.Config, _ *oidc.Attempt, a *oidc.Answer) { a.Code = "x" }, want: oidc.ErrRefused},
		"cancelled": {change: func(_ *provider, _ *oidc.Config, _ *oidc.Attempt, a *oidc.Answer) {
			a.Code, a.Error = "", "access_denied"
		}, want: oidc.ErrCancelled},
		"issuer of the token": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			p.claims["iss"] = "https://other.example"
		}, want: oidc.ErrRefused},
		"issuer of the answer": {change: func(_ *provider, _ *oidc.Config, _ *oidc.Attempt, a *oidc.Answer) { a.Issuer = "https://other.example" }, want: oidc.ErrRefused},
		"issuer not stated": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			p.more = map[string]any{"authorization_response_iss_parameter_supported": true}
		}, want: oidc.ErrRefused},
		"metadata of another": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			p.more = map[string]any{"issuer": "https://other.example"}
		}, want: oidc.ErrProvider},
		"for another program": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) { p.claims["aud"] = "other" }, want: oidc.ErrRefused},
		"expired": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			p.claims["exp"] = evening.Add(-3 * time.Minute).Unix()
		}, want: oidc.ErrRefused},
		"of the future": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			p.claims["iat"] = evening.Add(time.Hour).Unix()
		}, want: oidc.ErrRefused},
		"without a signature":    {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) { p.header["alg"] = "none" }, want: oidc.ErrRefused},
		"signed with the secret": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) { p.header["alg"] = "HS256" }, want: oidc.ErrRefused},
		"another key": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			p.key, _ = rsa.GenerateKey(rand.Reader, 2048)
		}, want: oidc.ErrRefused},
		"address not verified": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) { p.claims["email_verified"] = false }, want: oidc.ErrEmail},
		"no name": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			delete(p.claims, "email")
			p.info = map[string]any{"sub": "1"}
		}, want: oidc.ErrName},
		"no group": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			p.claims["groups"] = []string{"others"}
		}, want: oidc.ErrNoRole},
		"user information of another": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) {
			delete(p.claims, "groups")
			p.info = map[string]any{"sub": "2", "groups": "admins"}
		}, want: oidc.ErrRefused},
		"away": {change: func(p *provider, _ *oidc.Config, _ *oidc.Attempt, _ *oidc.Answer) { p.down = true }, want: oidc.ErrProvider},
	} {
		t.Run(name, func(t *testing.T) {
			now := evening
			f := newProvider(t)
			config := f.config(&now)
			attempt, address, err := oidc.New(config).Begin(t.Context(), "/cases")
			if err != nil {
				t.Fatal(err)
			}
			answer := f.visit(t, address)
			f.mu.Lock()
			if c.change != nil {
				c.change(f, &config, &attempt, &answer)
			}
			f.mu.Unlock()
			p := oidc.New(config) // another collector completes it
			got, err := p.Complete(t.Context(), attempt, answer)
			if !errors.Is(err, c.want) {
				t.Fatalf("got error %v, want %v", err, c.want)
			}
			if c.want != nil {
				return
			}
			if want := (oidc.Identity{Subject: "1", Name: "berta@stadt.example", Role: c.role}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if _, err := p.Complete(t.Context(), attempt, answer); !errors.Is(err, oidc.ErrRefused) {
				t.Errorf("the same code again: got error %v, want ErrRefused", err)
			}
		})
	}
}

// TestProviderAway: shortly after a failure, requests fail without waiting for the provider again. If it
// fails later, the metadata that were read before remain in use.
func TestProviderAway(t *testing.T) {
	now := evening
	f := newProvider(t)
	f.down = true
	p := oidc.New(f.config(&now))
	if _, _, err := p.Begin(t.Context(), "/"); !errors.Is(err, oidc.ErrProvider) {
		t.Fatalf("got error %v, want ErrProvider", err)
	}
	f.mu.Lock()
	f.down = false
	f.mu.Unlock()
	if _, _, err := p.Begin(t.Context(), "/"); !errors.Is(err, oidc.ErrProvider) || f.reads != 0 {
		t.Errorf("at once: got error %v after %d reads, want the former one", err, f.reads)
	}
	now = now.Add(5 * time.Second)
	if _, _, err := p.Begin(t.Context(), "/"); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.down = true
	f.mu.Unlock()
	now = now.Add(2 * time.Hour)
	if _, _, err := p.Begin(t.Context(), "/"); err != nil {
		t.Errorf("with metadata of before: %v", err)
	}
}

func TestSignOutAddress(t *testing.T) {
	now := evening
	for endpoint, want := range map[string]string{"": "", "https://login.example/end?a=1": "https://login.example/end?a=1&client_id=tonprobe"} {
		f := newProvider(t)
		f.more = map[string]any{"end_session_endpoint": endpoint}
		if got, err := oidc.New(f.config(&now)).SignOutAddress(t.Context()); err != nil || got != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	f := newProvider(t)
	f.more = map[string]any{"end_session_endpoint": "javascript:alert(1)"}
	if got, err := oidc.New(f.config(&now)).SignOutAddress(t.Context()); !errors.Is(err, oidc.ErrProvider) {
		t.Errorf("got %q, %v; want ErrProvider", got, err)
	}
}

func TestConfig(t *testing.T) {
	if r, err := oidc.ParseRole("cn=desk,ou=it=support"); err != nil || r != (oidc.RoleOf{Value: "cn=desk,ou=it", Role: store.RoleSupport}) {
		t.Errorf("got %+v, %v; want cn=desk,ou=it as support", r, err)
	}
	for _, text := range []string{"", "desk", "=support", "desk=king"} {
		if r, err := oidc.ParseRole(text); err == nil {
			t.Errorf("%q: got %+v, want an error", text, r)
		}
	}
	for list, want := range map[string][]oidc.RoleOf{
		"desk=support":                  {{Value: "desk", Role: store.RoleSupport}},
		"a=lead, team=blue=support":     {{Value: "a", Role: store.RoleLead}, {Value: "team=blue", Role: store.RoleSupport}},
		"CN=Desk,OU=lead,DC=de=support": {{Value: "CN=Desk,OU=lead,DC=de", Role: store.RoleSupport}},
		`cn=support,ou=it=lead,b=auditor,CN=M\, A,DC=de=support`: {
			{Value: "cn=support,ou=it", Role: store.RoleLead}, {Value: "b", Role: store.RoleAuditor}, {Value: `CN=M\, A,DC=de`, Role: store.RoleSupport}},
		"":                     nil,
		"a=lead,b":             nil,
		"CN=Desk,OU=it":        nil,
		"CN=support,b=lead":    nil,
		"CN=Desk,DC=de=king":   nil,
		"CN=Desk,DC=de=lead,,": nil,
	} {
		if got, err := oidc.ParseRoles(list); !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: got %+v, %v, want %+v", list, got, err, want)
		}
	}
	for issuer, right := range map[string]bool{"https://login.example/realms/town": true, "http://127.0.0.1:9998/": true, "http://login.example": false,
		"login.example": false, "https://login.example?x=1": false, "https://a:b@login.example": false, "": false} {
		if err := (oidc.Config{Issuer: issuer, ClientID: "x"}).Validate(); (err == nil) != right {
			t.Errorf("%q: got error %v, want valid %v", issuer, err, right)
		}
	}
}
