package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// TestTOTPVectors uses the test vectors of RFC 6238, appendix B, of which the last six digits are
// the code.
func TestTOTPVectors(t *testing.T) {
	secret := []byte("12345678901234567890")
	for unix, want := range map[int64]string{59: "94287082", 1111111109: "07081804", 1111111111: "14050471",
		1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130"} {
		if got := totpCode(secret, totpStep(time.Unix(unix, 0))); got != want[2:] {
			t.Errorf("at %d: got %s, want %s", unix, got, want[2:])
		}
	}
}

// withSecondFactor sets up a second factor for a member, as their app does.
func withSecondFactor(t *testing.T, a *Auth, c *clock, name string) (secret []byte, recovery []string) {
	t.Helper()
	if err := a.BeginSecondFactor(t.Context(), home, name, password); err != nil {
		t.Fatal(err)
	}
	f, err := a.SecondFactor(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if secret, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(f.Text); err != nil {
		t.Fatal(err)
	}
	if recovery, err = a.ConfirmSecondFactor(t.Context(), home, name, totpCode(secret, totpStep(c.at))); err != nil {
		t.Fatal(err)
	}
	c.at = c.at.Add(2 * totpPeriod) // the code of the set-up is used up
	return secret, recovery
}

// challenge signs in with the password, which is not enough.
func challenge(t *testing.T, a *Auth, by Attempt, name string) string {
	t.Helper()
	l, err := a.Login(t.Context(), by, name, password)
	if err != nil {
		t.Fatal(err)
	}
	if l.Token != "" || l.Device != "" || l.Challenge == "" {
		t.Fatalf("got %+v, want a challenge only", l)
	}
	return l.Challenge
}

func TestSecondFactor(t *testing.T) {
	a, c := newAuth(t)
	if f, err := a.SecondFactor(t.Context(), "support"); err != nil || f != (SecondFactor{}) {
		t.Errorf("got %+v, error %v; want none", f, err)
	}
	if err := a.BeginSecondFactor(t.Context(), home, "support", "a wrong password"); !errors.Is(err, ErrCredentials) {
		t.Errorf("begin with a wrong password: got error %v, want %v", err, ErrCredentials)
	}
	if _, err := a.ConfirmSecondFactor(t.Context(), home, "support", "123456"); !errors.Is(err, ErrNoSetup) {
		t.Errorf("confirm nothing: got error %v, want %v", err, ErrNoSetup)
	}
	if err := a.BeginSecondFactor(t.Context(), home, "support", password); err != nil {
		t.Fatal(err)
	}
	if l, err := a.Login(t.Context(), home, "support", password); err != nil || l.Token == "" {
		t.Errorf("before it is confirmed: got %+v, error %v; want a session", l, err)
	}
	if f, err := a.SecondFactor(t.Context(), "support"); err != nil || f.On || !strings.HasPrefix(f.Address, "otpauth://totp/Tonprobe:support?issuer=Tonprobe&secret="+f.Text) {
		t.Errorf("got %+v, error %v; want an address to scan", f, err)
	}
	if _, err := a.ConfirmSecondFactor(t.Context(), home, "support", "000000"); !errors.Is(err, ErrCode) {
		t.Errorf("confirm with a wrong code: got error %v, want %v", err, ErrCode)
	}
	secret, recovery := withSecondFactor(t, a, c, "support")
	if f, err := a.SecondFactor(t.Context(), "support"); err != nil || !f.On || f.Text != "" || f.RecoveryCodes != recoveryCodes || len(recovery) != recoveryCodes {
		t.Errorf("got %+v, error %v; want it on", f, err)
	}
	m, err := a.store.StaffMember(t.Context(), "support")
	if err != nil || m.SealedSecret == "" || strings.Contains(m.SealedSecret, totpText(secret)) || strings.Contains(m.SealedSecret, string(secret)) {
		t.Errorf("the store contains the secret: %+v, error %v", m, err)
	}

	// A right code, typed with a space; then the same code again.
	code := totpCode(secret, totpStep(c.at))
	l, err := a.Complete(t.Context(), home, challenge(t, a, home, "support"), code[:3]+" "+code[3:])
	if err != nil {
		t.Fatal(err)
	}
	if m, err := a.Session(t.Context(), l.Token); err != nil || m.Name != "support" {
		t.Errorf("got session %+v, error %v; want that of support", m, err)
	}
	if _, err := a.Complete(t.Context(), home, challenge(t, a, home, "support"), code); !errors.Is(err, ErrCode) {
		t.Errorf("a replayed code: got error %v, want %v", err, ErrCode)
	}
	for what, code := range map[string]string{"none": "", "a letter": "12345x", "too long": strings.Repeat("1", 1<<20), "of a former step": totpCode(secret, totpStep(c.at)-2),
		"of a later step": totpCode(secret, totpStep(c.at)+2), "of another secret": totpCode([]byte("12345678901234567890"), totpStep(c.at))} {
		c.at = c.at.Add(time.Hour) // the budget recovers, and the codes are no longer those of accepted steps
		if _, err := a.Complete(t.Context(), home, challenge(t, a, home, "support"), code); !errors.Is(err, ErrCode) {
			t.Errorf("%s: got error %v, want %v", what, err, ErrCode)
		}
	}
	for _, bad := range []string{"", "x", l.Token} {
		if _, err := a.Complete(t.Context(), home, bad, totpCode(secret, totpStep(c.at))); !errors.Is(err, ErrChallenge) {
			t.Errorf("challenge %.5q: got error %v, want %v", bad, err, ErrChallenge)
		}
	}
	late := challenge(t, a, home, "support")
	c.at = c.at.Add(ChallengeTTL)
	if _, err := a.Complete(t.Context(), home, late, totpCode(secret, totpStep(c.at))); !errors.Is(err, ErrChallenge) {
		t.Errorf("an expired challenge: got error %v, want %v", err, ErrChallenge)
	}

	if err := a.RemoveSecondFactor(t.Context(), home, "support", "a wrong password"); !errors.Is(err, ErrCredentials) {
		t.Errorf("remove with a wrong password: got error %v, want %v", err, ErrCredentials)
	}
	open := challenge(t, a, home, "support")
	if err := a.RemoveSecondFactor(t.Context(), home, "support", password); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Complete(t.Context(), home, open, "123456"); !errors.Is(err, ErrChallenge) {
		t.Errorf("after it was removed: got error %v, want %v", err, ErrChallenge)
	}
	if l, err := a.Login(t.Context(), home, "support", password); err != nil || l.Token == "" {
		t.Errorf("without it: got %+v, error %v; want a session", l, err)
	}
}

func TestNearbyStepsAreAccepted(t *testing.T) {
	a, c := newAuth(t)
	secret, _ := withSecondFactor(t, a, c, "support")
	for delta, want := range map[int64]error{-2: ErrCode, -1: nil, 0: nil, 1: nil, 2: ErrCode} {
		c.at = c.at.Add(time.Hour)
		if _, err := a.Complete(t.Context(), home, challenge(t, a, home, "support"), totpCode(secret, totpStep(c.at)+delta)); !errors.Is(err, want) {
			t.Errorf("a clock that is %d steps off: got error %v, want %v", delta, err, want)
		}
	}
}

// TestClockSteps: a clock that was wrong for an hour does not lock anybody out, and does not make a
// used code valid again.
func TestClockSteps(t *testing.T) {
	a, c := newAuth(t)
	secret, _ := withSecondFactor(t, a, c, "support")
	c.at = c.at.Add(time.Hour)
	ahead := totpCode(secret, totpStep(c.at))
	if _, err := a.Complete(t.Context(), home, challenge(t, a, home, "support"), ahead); err != nil {
		t.Fatal(err)
	}
	c.at = c.at.Add(-time.Hour)
	if _, err := a.Complete(t.Context(), home, challenge(t, a, home, "support"), totpCode(secret, totpStep(c.at))); err != nil {
		t.Errorf("after the clock was corrected: got error %v, want none", err)
	}
	c.at = c.at.Add(time.Hour)
	if _, err := a.Complete(t.Context(), home, challenge(t, a, home, "support"), ahead); !errors.Is(err, ErrCode) {
		t.Errorf("the code of the wrong hour again: got error %v, want %v", err, ErrCode)
	}
}

func TestRecoveryCodes(t *testing.T) {
	a, c := newAuth(t)
	_, recovery := withSecondFactor(t, a, c, "support")
	if err := a.AddStaff(t.Context(), "berta", store.RoleSupport, password); err != nil {
		t.Fatal(err)
	}
	_, bertas := withSecondFactor(t, a, c, "berta")
	spoken := strings.ToLower(strings.ReplaceAll(recovery[0], "-", " "))
	if _, err := a.Complete(t.Context(), home, challenge(t, a, home, "support"), spoken); err != nil {
		t.Errorf("got error %v, want none", err)
	}
	for what, code := range map[string]string{"used": recovery[0], "of a colleague": bertas[0], "made up": "0000-0000-0000"} {
		if _, err := a.Complete(t.Context(), home, challenge(t, a, home, "support"), code); !errors.Is(err, ErrCode) {
			t.Errorf("%s: got error %v, want %v", what, err, ErrCode)
		}
	}
	if f, err := a.SecondFactor(t.Context(), "support"); err != nil || f.RecoveryCodes != recoveryCodes-1 {
		t.Errorf("got %+v, error %v; want %d codes", f, err, recoveryCodes-1)
	}
	// New ones replace the old.
	withSecondFactor(t, a, c, "support")
	if _, err := a.Complete(t.Context(), home, challenge(t, a, home, "support"), recovery[1]); !errors.Is(err, ErrCode) {
		t.Errorf("a replaced one: got error %v, want %v", err, ErrCode)
	}
	// A reset removes the second factor with everything else.
	i, err := a.ResetStaff(t.Context(), "support")
	if err != nil {
		t.Fatal(err)
	}
	if l, err := a.AcceptInvitation(t.Context(), home, i.Token, password); err != nil || l.Token == "" {
		t.Errorf("after a reset: got %+v, error %v; want a session", l, err)
	}
}

// TestConcurrentCodes: of many requests with the same code, one succeeds.
func TestConcurrentCodes(t *testing.T) {
	a, c := newAuth(t)
	secret, recovery := withSecondFactor(t, a, c, "support")
	for what, code := range map[string]string{"code": totpCode(secret, totpStep(c.at)), "recovery code": recovery[0]} {
		errs := make([]error, 8)
		var challenges []string
		for range errs {
			challenges = append(challenges, challenge(t, a, home, "support"))
		}
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = a.Complete(t.Context(), from(fmt.Sprintf("198.51.100.%d", i)), challenges[i], code)
			})
		}
		wg.Wait()
		good := 0
		for _, err := range errs {
			if err == nil {
				good++
			} else if !errors.Is(err, ErrCode) {
				t.Errorf("%s: got error %v, want %v", what, err, ErrCode)
			}
		}
		if good != 1 {
			t.Errorf("%s: accepted %d times", what, good)
		}
	}
}

// TestGuessingCodesIsSlowedDown: the limits also apply to an attacker who has the password and many
// addresses, or a stolen browser. The member's own browser is not affected.
func TestGuessingCodesIsSlowedDown(t *testing.T) {
	a, c := newAuth(t)
	office, err := a.Login(t.Context(), home, "support", password)
	if err != nil {
		t.Fatal(err)
	}
	known := Attempt{From: home.From, Device: office.Device}
	secret, _ := withSecondFactor(t, a, c, "support")
	guesses := func(by func(i int) Attempt) (checked int) {
		for i := range 60 {
			_, err := a.Complete(t.Context(), by(i), challenge(t, a, by(i), "support"), "000000")
			switch {
			case isLimited(err):
			case errors.Is(err, ErrCode):
				checked++
			default:
				t.Fatal(err)
			}
		}
		return checked
	}
	if n := guesses(func(int) Attempt { return from("203.0.113.5") }); n != attemptsPerName {
		t.Errorf("one address: got %d codes checked, want %d", n, attemptsPerName)
	}
	if n := guesses(func(i int) Attempt { return Attempt{From: netip.AddrFrom4([4]byte{198, 51, byte(i), 1})} }); n != codesPerAccount-attemptsPerName {
		t.Errorf("many addresses: got %d codes checked, want %d", n, codesPerAccount-attemptsPerName)
	}
	l, err := a.Complete(t.Context(), known, challenge(t, a, known, "support"), totpCode(secret, totpStep(c.at)))
	if err != nil || l.Token == "" {
		t.Errorf("the member's own browser: got %+v, error %v; want a session", l, err)
	}
	if n := guesses(func(int) Attempt { return known }); n != attemptsPerDevice {
		t.Errorf("a stolen browser: got %d codes checked, want %d", n, attemptsPerDevice)
	}
}

func TestSealedSecrets(t *testing.T) {
	s := newSealer(bytes.Repeat([]byte{7}, SealKeyBytes), rand.Reader)
	sealed, err := s.seal("berta", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := s.open("berta", sealed); err != nil || string(b) != "secret" {
		t.Errorf("got %q, error %v; want %q", b, err, "secret")
	}
	other := newSealer(make([]byte, SealKeyBytes), rand.Reader)
	for what, open := range map[string]func() ([]byte, error){
		"of another member": func() ([]byte, error) { return s.open("clara", sealed) },
		"with another key":  func() ([]byte, error) { return other.open("berta", sealed) },
		"changed":           func() ([]byte, error) { return s.open("berta", sealed[:len(sealed)-2]+"AA") },
		"short":             func() ([]byte, error) { return s.open("berta", "AAAA") },
		"no base64":         func() ([]byte, error) { return s.open("berta", "ä") },
	} {
		if b, err := open(); !errors.Is(err, errSeal) {
			t.Errorf("%s: got %q, error %v; want %v", what, b, err, errSeal)
		}
	}
	if _, err := newSealer(nil, rand.Reader).seal("berta", nil); !errors.Is(err, errNoSealKey) {
		t.Errorf("without a key: got error %v, want %v", err, errNoSealKey)
	}
}
