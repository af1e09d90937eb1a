package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

// from returns an attempt by an unknown browser.
func from(address string) Attempt { return Attempt{From: netip.MustParseAddr(address)} }

func isLimited(err error) bool {
	_, ok := errors.AsType[*LimitError](err)
	return ok
}

// guess tries wrong passwords until one is rejected without being hashed, at most n.
func guess(t *testing.T, a *Auth, by Attempt, name string, n int) (read int) {
	t.Helper()
	for range n {
		_, err := a.Login(t.Context(), by, name, "a wrong password")
		if isLimited(err) {
			return read
		}
		if !errors.Is(err, ErrCredentials) {
			t.Fatal(err)
		}
		read++
	}
	return read
}

// TestGuessingDoesNotLockAUserOut: guesses at the password of a known name, from any
// number of addresses, do not prevent the user from signing in.
func TestGuessingDoesNotLockAUserOut(t *testing.T) {
	a, c := newAuth(t)
	office, err := a.Login(t.Context(), home, "support", password)
	if err != nil {
		t.Fatal(err)
	}
	if office.Device == "" {
		t.Fatal("no device token after the first login")
	}
	for i := range 100 {
		guess(t, a, Attempt{From: netip.AddrFrom4([4]byte{198, 51, byte(i), 1})}, "support", 15)
	}
	for i := range 15 { // as many as in the report of this defect
		known := Attempt{From: home.From, Device: office.Device}
		if l, err := a.Login(t.Context(), known, "support", password); err != nil || l.Device != "" {
			t.Fatalf("known browser, login %d: got %+v, error %v; want Device none", i, l, err)
		}
		if _, err := a.Login(t.Context(), from("203.0.113.9"), "support", password); err != nil {
			t.Fatalf("from a new address, login %d: got error %v, want none", i, err)
		}
	}
	// The same address as a guesser's, such as a shared one: known browsers pass.
	guess(t, a, home, "support", 100)
	if _, err := a.Login(t.Context(), home, "support", password); !isLimited(err) {
		t.Errorf("an unknown browser at the guesser's address: got error %v, want a *LimitError", err)
	}
	if _, err := a.Login(t.Context(), Attempt{From: home.From, Device: office.Device}, "support", password); err != nil {
		t.Errorf("a known browser at the guesser's address: got error %v, want none", err)
	}
	c.at = c.at.Add(nameEvery)
	if _, err := a.Login(t.Context(), home, "support", password); err != nil {
		t.Errorf("after the wait: got error %v, want none", err)
	}
}

func TestColleaguesHaveBudgetsOfTheirOwn(t *testing.T) {
	a, _ := newAuth(t)
	if err := a.AddStaff(t.Context(), "berta", store.RoleSupport, password); err != nil {
		t.Fatal(err)
	}
	if n := guess(t, a, home, "berta", 100); n != attemptsPerName {
		t.Errorf("%d passwords were verified for one name", n)
	}
	if _, err := a.Login(t.Context(), home, "support", password); err != nil {
		t.Errorf("a colleague in the same office: got error %v, want none", err)
	}
}

func TestGuessersAreSlowedDown(t *testing.T) {
	a, c := newAuth(t)
	if n := guess(t, a, home, "support", 100); n != attemptsPerName {
		t.Errorf("one name from one address: got %d, want %d", n, attemptsPerName)
	}
	// Many names from one address.
	total := 0
	for i := range 20 {
		total += guess(t, a, from("203.0.113.7"), string(rune('a'+i)), 10)
	}
	if total != attemptsPerAddress {
		t.Errorf("many names from one address: got %d, want %d", total, attemptsPerAddress)
	}
	// Many addresses of one network.
	total = 0
	for i := range 60 {
		a16 := netip.MustParseAddr("2001:db8:1::1").As16()
		a16[7] = byte(i)
		total += guess(t, a, Attempt{From: netip.AddrFrom16(a16)}, "support", 10)
	}
	if total != attemptsPerNetwork {
		t.Errorf("many addresses of one network: got %d, want %d", total, attemptsPerNetwork)
	}
	// A known browser has no larger budget.
	l, err := a.Login(t.Context(), from("192.0.2.77"), "support", password)
	if err != nil {
		t.Fatal(err)
	}
	known := Attempt{From: netip.MustParseAddr("192.0.2.78"), Device: l.Device}
	if n := guess(t, a, known, "support", 100); n != attemptsPerDevice {
		t.Errorf("a known browser: got %d, want %d", n, attemptsPerDevice)
	}
	// Its token is not valid for another name, or after its lifetime.
	if n := guess(t, a, known, "berta", 100); n != attemptsPerName {
		t.Errorf("a known browser for another name: got %d, want %d", n, attemptsPerName)
	}
	c.at = c.at.Add(DeviceTTL)
	if _, isKnown, err := a.device(t.Context(), l.Device, "support"); err != nil || isKnown {
		t.Errorf("after its lifetime: got known %v, error %v; want false", isKnown, err)
	}
}

// TestPasswordChangeNearTheLimit: a completed change is reported as successful.
func TestPasswordChangeNearTheLimit(t *testing.T) {
	a, _ := newAuth(t)
	guess(t, a, home, "support", attemptsPerName-1)
	const chosen = "another long password"
	l, err := a.ChangePassword(t.Context(), home, "support", password, chosen)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := a.Session(t.Context(), l.Token); err != nil || m.Name != "support" {
		t.Errorf("its session: got %q, error %v; want %q", m.Name, err, "support")
	}
	if _, err := a.ChangePassword(t.Context(), home, "support", "a wrong password", chosen); !errors.Is(err, ErrCredentials) {
		t.Errorf("with a wrong password: got error %v, want %v", err, ErrCredentials)
	}
	if _, err := a.ChangePassword(t.Context(), home, "support", chosen, "short"); !errors.Is(err, ErrPassword) {
		t.Errorf("with a short password: got error %v, want %v", err, ErrPassword)
	}
	if _, err := a.Login(t.Context(), home, "support", chosen); err != nil {
		t.Errorf("the new password: got error %v, want none", err)
	}
}

// TestTheQueueOfStrangersIsShort: a flood is rejected at once, and does not delay known
// browsers.
func TestTheQueueOfStrangersIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPasswords(cheap, rand.Reader)
		hash, err := p.Hash(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		leave, err := p.strangers.enter(t.Context()) // one is being hashed until the test releases it
		if err != nil {
			t.Fatal(err)
		}
		waiting := make(chan error, waitingStrangers)
		for range waitingStrangers {
			go func() { _, err := p.Verify(t.Context(), hash, password); waiting <- err }()
		}
		synctest.Wait()
		if _, err := p.Verify(t.Context(), hash, password); !errors.Is(err, errBusy) {
			t.Errorf("another unknown browser: got error %v, want %v", err, errBusy)
		}
		if ok, err := p.VerifyKnown(t.Context(), hash, password); err != nil || !ok {
			t.Errorf("a known browser: got ok %v, error %v; want true", ok, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		leave()
		for range waitingStrangers {
			if err := <-waiting; err != nil {
				t.Error(err)
			}
		}
		if ok, err := p.Verify(ctx, hash, password); err != nil || !ok {
			t.Errorf("after the flood: got ok %v, error %v; want true", ok, err)
		}
	})
}

// TestPasswordChangeWithAFullQueue: the member is told to try again later.
func TestPasswordChangeWithAFullQueue(t *testing.T) {
	a, _ := newAuth(t)
	for range waitingKnown + 1 {
		a.passwords.known.waiting <- struct{}{}
	}
	if _, err := a.ChangePassword(t.Context(), home, "support", password, "another long password"); !isLimited(err) {
		t.Errorf("got error %v, want a *LimitError", err)
	}
}

func TestOneAddressCannotFillTheQueue(t *testing.T) {
	b := newBudgets(time.Now, nil)
	address := netip.MustParseAddr("192.0.2.1")
	var leave []func()
	for range hashesPerAddress {
		l, err := b.enter(address)
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, l)
	}
	if _, err := b.enter(address); !isLimited(err) {
		t.Errorf("another attempt: got error %v, want a *LimitError", err)
	}
	if _, err := b.enter(netip.MustParseAddr("192.0.2.2")); err != nil {
		t.Errorf("another address: got error %v, want none", err)
	}
	for _, l := range leave {
		l()
	}
	if _, err := b.enter(address); err != nil {
		t.Errorf("afterwards: got error %v, want none", err)
	}
}

func TestUnknownDeviceTokens(t *testing.T) {
	a, _ := newAuth(t)
	made, _, err := NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"", "x", made} {
		l, err := a.Login(t.Context(), Attempt{From: home.From, Device: token}, "support", password)
		if err != nil || l.Device == "" {
			t.Errorf("%.5q: got %+v, error %v; want Device set", token, l, err)
		}
		if l.Device == token {
			t.Error("a token chosen by the browser was accepted")
		}
	}
	if _, err := a.store.Device(t.Context(), store.HashOf(made)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got error %v, want %v", err, store.ErrNotFound)
	}
}
