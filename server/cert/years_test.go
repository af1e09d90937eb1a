package cert

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/trust"
)

const day = 24 * time.Hour

// agent is an agent that was enrolled with the authority's file, and stores only that
// and the pins.
type agent struct {
	roots *x509.CertPool
	pins  *trust.Pins
}

func enrolled(t *testing.T, o *Own, now time.Time) *agent {
	t.Helper()
	file, err := os.ReadFile(o.AuthorityFile)
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{roots: x509.NewCertPool()}
	a.roots.AppendCertsFromPEM(file)
	if err := a.contact(t, o, now, true); err != nil {
		t.Fatalf("enrol: %v", err)
	}
	return a
}

// contact is one connection at now by the agent's clock.
func (a *agent) contact(t *testing.T, o *Own, now time.Time, enrolment bool) error {
	t.Helper()
	shown, err := o.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	c := trust.Contact{Chain: parsed(t, shown), Keys: new(o.Keys())}
	c.Keys.Collector = "town"
	if c.Verified, err = a.pins.Verify(c.Chain, "a.example", a.roots, now); err != nil {
		return err
	}
	if verdict := a.pins.Judge(c); a.pins != nil && verdict != trust.Own {
		t.Fatalf("at %s: got verdict %v, want %v", now, verdict, trust.Own)
	}
	a.pins, _ = a.pins.Learn(c, enrolment)
	return nil
}

func parsed(t *testing.T, c *tls.Certificate) (chain []*x509.Certificate) {
	t.Helper()
	for _, der := range c.Certificate {
		one, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, one)
	}
	return chain
}

// TestElevenYears: an agent that checks every 30 days keeps its trust, and never reports
// an interception, beyond the expiry of the authority's first certificate,
// over a restart each year, and over a new key in the sixth year. Its clock is off by
// up to an hour.
func TestElevenYears(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	now := start
	clock := func() time.Time { return now }
	dir := t.TempDir()
	open := func() *Own {
		o, err := NewOwn(dir, []string{"a.example"}, clock)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	o := open()
	a, away := enrolled(t, o, now), enrolled(t, o, now)
	first := o.Keys()
	for n := 1; now.Before(start.Add(11 * 365 * day)); n++ {
		now = now.Add(30 * day)
		if n%12 == 0 {
			o = open()
		}
		if n == 72 {
			for _, ending := range []string{".pem", ".key"} {
				if err := os.Remove(filepath.Join(dir, authorityName+ending)); err != nil {
					t.Fatal(err)
				}
			}
			o = open()
			if k := o.Keys(); k.CA[0] != first.CA[1] || k.CA[1] == first.CA[1] || k.CA[1] == first.CA[0] {
				t.Fatalf("the announced key was not the next one: announced %v, then %v", first.CA, k.CA)
			}
		}
		skew := time.Duration(n%3-1) * time.Hour
		if err := a.contact(t, o, now.Add(skew), false); err != nil {
			t.Fatalf("after %d months: got error %v, want none", n, err)
		}
	}
	// An agent without any contact in between knows the next key from the start.
	if err := away.contact(t, o, now, false); err != nil {
		t.Errorf("after eleven years without a contact: got error %v, want none", err)
	}
}

// TestWrongClockAtTheStart: dates from a wrong clock are replaced as soon as the clock
// is right, with the same key, and no agent is locked out.
func TestWrongClockAtTheStart(t *testing.T) {
	right := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for name, wrong := range map[string]time.Time{
		"1970": time.Unix(0, 0), "firmware date": time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC),
		"a month back": right.AddDate(0, -1, 0), "a week ahead": right.AddDate(0, 0, 7), "twenty years ahead": right.AddDate(20, 0, 0),
	} {
		for _, running := range []bool{false, true} {
			now := wrong
			clock := func() time.Time { return now }
			dir := t.TempDir()
			o, err := NewOwn(dir, []string{"a.example"}, clock)
			if err != nil {
				t.Fatal(err)
			}
			a := enrolled(t, o, wrong) // its clock is equally wrong, otherwise it could not enrol
			now = right
			if !running {
				if o, err = NewOwn(dir, []string{"a.example"}, clock); err != nil {
					t.Fatal(err)
				}
			}
			if err := a.contact(t, o, right, false); err != nil {
				t.Errorf("%s, running %t: got error %v, want none", name, running, err)
			}
			if err := enrolled(t, o, right).contact(t, o, right, false); err != nil {
				t.Errorf("%s, running %t, new agent: got error %v, want none", name, running, err)
			}
			if o.authority.Leaf.NotBefore.After(right) || o.authority.Leaf.NotAfter.Before(right.Add(renewAuthorityBefore)) {
				t.Errorf("%s: got an authority from %s to %s, want it valid at %s and for longer than its renewal takes", name, o.authority.Leaf.NotBefore, o.authority.Leaf.NotAfter, right)
			}
		}
	}
}

// TestAuthorityFilesThatAreMissing: what is created depends on the remaining files, and nothing that
// may still be needed is replaced.
func TestAuthorityFilesThatAreMissing(t *testing.T) {
	dir := t.TempDir()
	open := func() (*Own, error) { return NewOwn(dir, []string{"a.example"}, time.Now) }
	o, err := open()
	if err != nil {
		t.Fatal(err)
	}
	before := o.Keys().CA
	if err := os.Remove(filepath.Join(dir, "ca.pem")); err != nil {
		t.Fatal(err)
	}
	if o, err = open(); err != nil || o.Keys().CA[0] != before[0] {
		t.Errorf("without the certificate: got error %v, keys %v; want the previous key %v", err, o.Keys().CA, before[0])
	}
	if err := os.Remove(filepath.Join(dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	if o, err = open(); err != nil || o.Keys().CA[0] != before[1] {
		t.Errorf("without the key: got error %v, keys %v; want the announced key %v", err, o.Keys().CA, before[1])
	}
	if err := os.WriteFile(filepath.Join(dir, "ca-next.key"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(); err == nil {
		t.Error("a broken next key was replaced without an error")
	}
}

func TestAnnouncement(t *testing.T) {
	dir := t.TempDir()
	o, err := NewOwn(dir, []string{"a.example"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(source Source, nonce string) string {
		a, err := NewAnnouncer(dir, source, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set(wire.HeaderKeys, nonce)
		w := httptest.NewRecorder()
		a.Handler(http.NotFoundHandler()).ServeHTTP(w, r)
		return w.Header().Get(wire.HeaderKeys)
	}
	first, ok := wire.ParseKeys(ask(o, "one"), "one")
	second, ok2 := wire.ParseKeys(ask(o, "two"), "two") // of a collector that was restarted
	if !ok || !ok2 || first.Collector != second.Collector || len(first.Leaf) != 1 || len(first.CA) != 2 {
		t.Errorf("got %+v and %+v, want one collector, one leaf and two authorities", first, second)
	}
	if behind, ok := wire.ParseKeys(ask(nil, "n"), "n"); !ok || len(behind.Leaf)+len(behind.CA) != 0 {
		t.Errorf("behind a proxy: got %+v, want no keys", behind)
	}
	for _, nonce := range []string{"", "a b", "\r\nX: y", string(make([]byte, 100))} {
		if got := ask(o, nonce); got != "" {
			t.Errorf("nonce %q: got %q, want none", nonce, got)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "identity.key"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewAnnouncer(dir, o, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a broken identity was replaced without an error")
	}
}
