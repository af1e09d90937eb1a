package auth

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/auth/oidc"
	"github.com/tonprobe/tonprobe/server/store"
)

func TestInvitation(t *testing.T) {
	a, c := newAuth(t)
	for name, want := range map[string]error{"support": store.ErrExists, "a\nb": ErrStaffName, "": ErrStaffName} {
		if _, err := a.InviteStaff(t.Context(), name, store.RoleLead); !errors.Is(err, want) {
			t.Errorf("invite %q: got error %v, want %v", name, err, want)
		}
	}
	if _, err := a.InviteStaff(t.Context(), "berta", "king"); !errors.Is(err, ErrRole) {
		t.Errorf("got error %v, want %v", err, ErrRole)
	}
	first, err := a.InviteStaff(t.Context(), "berta", store.RoleLead)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Login(t.Context(), home, "berta", ""); !errors.Is(err, ErrCredentials) {
		t.Errorf("sign in without a password: got error %v, want %v", err, ErrCredentials)
	}
	i, err := a.Reinvite(t.Context(), "berta")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{first.Token, "", "x", strings.Repeat("x", 1<<20)} {
		if _, err := a.AcceptInvitation(t.Context(), home, bad, password); !errors.Is(err, ErrInvitation) {
			t.Errorf("%.20q: got error %v, want %v", bad, err, ErrInvitation)
		}
	}
	if m, err := a.Invited(t.Context(), home, i.Token); err != nil || m.Name != "berta" || m.Role != store.RoleLead {
		t.Errorf("got %+v, error %v; want berta, lead", m, err)
	}
	if _, err := a.AcceptInvitation(t.Context(), home, i.Token, "short"); !errors.Is(err, ErrPassword) {
		t.Errorf("a short password: got error %v, want %v", err, ErrPassword)
	}
	l, err := a.AcceptInvitation(t.Context(), home, i.Token, password)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := a.Session(t.Context(), l.Token); err != nil || m != (Member{"berta", store.RoleLead}) {
		t.Errorf("got %+v, error %v; want berta, lead", m, err)
	}
	if _, err := a.AcceptInvitation(t.Context(), home, i.Token, "another long password"); !errors.Is(err, ErrInvitation) {
		t.Errorf("second use: got error %v, want %v", err, ErrInvitation)
	}
	if _, err := a.Login(t.Context(), home, "berta", password); err != nil {
		t.Errorf("the chosen password: got error %v, want none", err)
	}
	late, err := a.InviteStaff(t.Context(), "clara", store.RoleSupport)
	if err != nil {
		t.Fatal(err)
	}
	c.at = c.at.Add(InvitationTTL)
	if _, err := a.AcceptInvitation(t.Context(), home, late.Token, password); !errors.Is(err, ErrInvitation) {
		t.Errorf("an expired one: got error %v, want %v", err, ErrInvitation)
	}
}

func TestGuessingInvitationsIsSlowedDown(t *testing.T) {
	a, _ := newAuth(t)
	i, err := a.InviteStaff(t.Context(), "berta", store.RoleSupport)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err = a.Invited(t.Context(), home, i.Token[:tokenChars-1]+"!"); isLimited(err) {
			break
		}
	}
	if !isLimited(err) {
		t.Errorf("got error %v, want a LimitError", err)
	}
	if _, err := a.Invited(t.Context(), from("203.0.113.9"), i.Token); err != nil {
		t.Errorf("the invited person: got error %v, want none", err)
	}
	if _, err := a.Login(t.Context(), home, "support", password); err != nil {
		t.Errorf("a colleague at the guesser's address: got error %v, want none", err)
	}
}

func TestDisabledAccount(t *testing.T) {
	a, _ := newAuth(t)
	l, err := a.Login(t.Context(), home, "support", password)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Disable(t.Context(), "support", "support", nil); !errors.Is(err, ErrOwnAccount) {
		t.Errorf("one's own: got error %v, want %v", err, ErrOwnAccount)
	}
	if err := a.SetRole(t.Context(), "support", "support", store.RoleSupport, nil); !errors.Is(err, ErrOwnAccount) {
		t.Errorf("one's own role: got error %v, want %v", err, ErrOwnAccount)
	}
	if err := a.Disable(t.Context(), "berta", "support", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Session(t.Context(), l.Token); !errors.Is(err, ErrNoSession) {
		t.Errorf("its session: got error %v, want %v", err, ErrNoSession)
	}
	if _, err := a.Login(t.Context(), home, "support", password); !errors.Is(err, ErrCredentials) {
		t.Errorf("sign in: got error %v, want %v", err, ErrCredentials)
	}
	if _, err := a.ResetStaff(t.Context(), "support"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("reset: got error %v, want %v", err, store.ErrNotFound)
	}
	if err := a.Enable(t.Context(), "support"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Login(t.Context(), home, "support", password); err != nil {
		t.Errorf("after it was enabled: got error %v, want none", err)
	}
}

func TestReset(t *testing.T) {
	a, _ := newAuth(t)
	l, err := a.Login(t.Context(), home, "support", password)
	if err != nil {
		t.Fatal(err)
	}
	i, err := a.ResetStaff(t.Context(), "support")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Session(t.Context(), l.Token); !errors.Is(err, ErrNoSession) {
		t.Errorf("a session from before: got error %v, want %v", err, ErrNoSession)
	}
	if _, err := a.Login(t.Context(), home, "support", password); !errors.Is(err, ErrCredentials) {
		t.Errorf("the old password: got error %v, want %v", err, ErrCredentials)
	}
	if _, known, err := a.device(t.Context(), l.Device, "support"); err != nil || known {
		t.Errorf("a browser from before: got known %v, error %v; want false", known, err)
	}
	if _, err := a.AcceptInvitation(t.Context(), home, i.Token, "another long password"); err != nil {
		t.Error(err)
	}
}

// meanwhile is a store that runs a function once, between the check of a password and the first write
// of the login.
type meanwhile struct {
	Store
	happen func()
}

func (m *meanwhile) once() {
	if f := m.happen; f != nil {
		m.happen = nil
		f()
	}
}

func (m *meanwhile) AddSession(ctx context.Context, s store.Session) error {
	m.once()
	return m.Store.AddSession(ctx, s)
}

func (m *meanwhile) AddLoginChallenge(ctx context.Context, c store.LoginChallenge) error {
	m.once()
	return m.Store.AddLoginChallenge(ctx, c)
}

func (m *meanwhile) ReplaceStaffPassword(ctx context.Context, name, old, passwordHash string) error {
	m.once()
	return m.Store.ReplaceStaffPassword(ctx, name, old, passwordHash)
}

// TestLoginsDoNotOutliveAReset: a login that is in progress fails if meanwhile the account is reset,
// gets another password, or is disabled and enabled again.
func TestLoginsDoNotOutliveAReset(t *testing.T) {
	const other = "another long password"
	for name, end := range map[string]func(t *testing.T, a *Auth){
		"reset": func(t *testing.T, a *Auth) {
			if _, err := a.ResetStaff(t.Context(), "support"); err != nil {
				t.Error(err)
			}
		},
		"another password": func(t *testing.T, a *Auth) {
			if err := a.SetPassword(t.Context(), "support", other); err != nil {
				t.Error(err)
			}
		},
		"disabled": func(t *testing.T, a *Auth) {
			if err := a.Disable(t.Context(), "berta", "support", nil); err != nil {
				t.Error(err)
			}
		},
	} {
		for what, begin := range map[string]func(t *testing.T, a *Auth, c *clock, happen func(func())) error{
			"login": func(t *testing.T, a *Auth, _ *clock, happen func(func())) error {
				happen(func() { end(t, a) })
				_, err := a.Login(t.Context(), home, "support", password)
				return err
			},
			"new password": func(t *testing.T, a *Auth, _ *clock, happen func(func())) error {
				happen(func() { end(t, a) })
				_, err := a.ChangePassword(t.Context(), home, "support", password, "the password of a stranger")
				return err
			},
			"link": func(t *testing.T, a *Auth, _ *clock, happen func(func())) error {
				link, err := a.NewOneTimeLogin(t.Context(), "support")
				if err != nil {
					t.Fatal(err)
				}
				happen(func() { end(t, a) })
				_, err = a.LoginOnce(t.Context(), home, link)
				return err
			},
			"password before a code": func(t *testing.T, a *Auth, c *clock, happen func(func())) error {
				withSecondFactor(t, a, c, "support")
				happen(func() { end(t, a) })
				_, err := a.Login(t.Context(), home, "support", password)
				return err
			},
			"code": func(t *testing.T, a *Auth, c *clock, happen func(func())) error {
				secret, _ := withSecondFactor(t, a, c, "support")
				token := challenge(t, a, home, "support")
				happen(func() { end(t, a) })
				_, err := a.Complete(t.Context(), home, token, totpCode(secret, totpStep(c.at)))
				if !errors.Is(err, ErrChallenge) {
					t.Errorf("got error %v, want %v", err, ErrChallenge)
				}
				return ErrCredentials
			},
		} {
			t.Run(what+", "+name, func(t *testing.T) {
				a, c := newAuth(t)
				between := &meanwhile{Store: a.store}
				a.store = between
				err := begin(t, a, c, func(f func()) { between.happen = f })
				if !errors.Is(err, ErrCredentials) || between.happen != nil {
					t.Errorf("got error %v, want %v after it happened", err, ErrCredentials)
				}
				if err := a.Enable(t.Context(), "support"); err != nil {
					t.Fatal(err)
				}
				if list, err := a.Sessions(t.Context(), "support"); err != nil || len(list) > 0 {
					t.Errorf("got %d sessions, error %v; want none", len(list), err)
				}
				m, err := a.StaffMember(t.Context(), "support")
				if err != nil {
					t.Fatal(err)
				}
				for chosen, want := range map[string]bool{"the password of a stranger": false, password: name == "disabled", other: name == "another password"} {
					if ok, err := a.passwords.VerifyKnown(t.Context(), m.PasswordHash, chosen); err != nil || ok != want {
						t.Errorf("the password %q: got %v, error %v; want %v", chosen, ok, err, want)
					}
				}
			})
		}
	}
}

func TestSessions(t *testing.T) {
	a, c := newAuth(t)
	var tokens []string
	for range 3 {
		by := home
		by.Browser = "Firefox, Windows"
		l, err := a.Login(t.Context(), by, "support", password)
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, l.Token)
		c.at = c.at.Add(time.Second)
	}
	list, err := a.Sessions(t.Context(), "support")
	if err != nil || len(list) != 3 || list[0].TokenHash != store.HashOf(tokens[2]) || list[0].Browser != "Firefox, Windows" || list[0].Network != "192.0.2.0/24" {
		t.Errorf("got %+v, error %v; want 3, the newest first", list, err)
	}
	if err := a.EndSession(t.Context(), "berta", list[0].TokenHash); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another member's: got error %v, want %v", err, store.ErrNotFound)
	}
	if err := a.EndSession(t.Context(), "support", list[0].TokenHash); err != nil {
		t.Error(err)
	}
	if err := a.EndSessions(t.Context(), "support", tokens[0]); err != nil {
		t.Error(err)
	}
	for i, want := range []error{nil, ErrNoSession, ErrNoSession} {
		if _, err := a.Session(t.Context(), tokens[i]); !errors.Is(err, want) {
			t.Errorf("session %d: got error %v, want %v", i, err, want)
		}
	}
}

func TestBrowserOf(t *testing.T) {
	for userAgent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0":                                                        "Firefox, Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0":           "Edge, Windows",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36":                                   "Chrome, Linux",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1": "Safari, iPhone",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36":                         "Chrome, Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15":                   "Safari, macOS",
		"": "", "curl/8": "", "<script>Windows": "Windows",
	} {
		if got := browserOf(userAgent); got != want {
			t.Errorf("%s: got %q, want %q", userAgent, got, want)
		}
	}
}

func TestRights(t *testing.T) {
	all := []Right{Own, Overview, Read, Assist, Manage, Review, Administer}
	for role, want := range map[store.Role]int{store.RoleSupport: 4, store.RoleLead: 5, store.RoleAdministrator: 7, store.RoleAuditor: 3, "": 0, "king": 0} {
		got := 0
		for _, right := range all {
			if May(role, right) {
				got++
			}
		}
		if got != want {
			t.Errorf("%q: got %d rights, want %d", role, got, want)
		}
		if May(role, "") || May(role, "all") {
			t.Errorf("%q has a right that does not exist", role)
		}
	}
}

// TestAccess: an account counts as that of an administrator only if the present settings allow to sign in with it.
func TestAccess(t *testing.T) {
	const issuer, former = "https://login.example", "https://former.example"
	members := map[string]store.StaffMember{
		"invited":            {},
		"password":           {PasswordHash: "x"},
		"provider":           {Issuer: issuer, Subject: "1"},
		"former provider":    {Issuer: former, Subject: "1"},
		"password, provider": {PasswordHash: "x", Issuer: issuer, Subject: "1"},
	}
	for name, c := range map[string]struct {
		provider *oidc.Provider
		only     bool
		want     string
	}{
		"passwords":          {nil, false, "password; password, provider"},
		"only, but none":     {nil, true, "password; password, provider"},
		"both":               {oidc.New(oidc.Config{Issuer: issuer}), false, "password; password, provider; provider"},
		"only with provider": {oidc.New(oidc.Config{Issuer: issuer}), true, "password, provider; provider"},
	} {
		a, _ := newAuth(t)
		a.provider, a.passwordsOff = c.provider, c.only
		access, got := a.Access(), []string{}
		for _, who := range slices.Sorted(maps.Keys(members)) {
			if access(members[who]) {
				got = append(got, who)
			}
		}
		if got := strings.Join(got, "; "); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestAPasswordIsNoWayIn: the only administrator at the provider stays, whoever else has a password that is
// switched off.
func TestAPasswordIsNoWayIn(t *testing.T) {
	a, _ := newAuth(t)
	const issuer = "https://login.example"
	a.provider, a.passwordsOff = oidc.New(oidc.Config{Issuer: issuer}), true
	for _, err := range []error{
		a.store.AddStaff(t.Context(), store.StaffMember{Name: "old", Role: store.RoleAdministrator, PasswordHash: "x"}),
		a.store.AddStaff(t.Context(), store.StaffMember{Name: "new", Role: store.RoleAdministrator, Issuer: issuer, Subject: "1"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Disable(t.Context(), "old", "new", a.Access()); !errors.Is(err, store.ErrLastAdministrator) {
		t.Errorf("got error %v, want %v", err, store.ErrLastAdministrator)
	}
	if err := a.Disable(t.Context(), "new", "old", a.Access()); err != nil {
		t.Errorf("the one with a password: got error %v, want none", err)
	}
}
