package trust

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

const host = "ton.example.org"

// authority is a certificate authority.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func key(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// issue creates a certificate for a key; it is self-signed if by is nil.
func issue(t *testing.T, c *x509.Certificate, k *ecdsa.PrivateKey, by *authority) *x509.Certificate {
	t.Helper()
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	if c.NotAfter.IsZero() {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	if by == nil {
		by = &authority{c, k}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, k.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func newAuthority(t *testing.T, name string, by *authority) *authority {
	k := key(t)
	return &authority{issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, k, by), k}
}

func (a *authority) leaf(t *testing.T, more ...pkix.Extension) *x509.Certificate {
	return issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, ExtraExtensions: more}, key(t), a)
}

func pool(roots ...*authority) *x509.CertPool {
	p := x509.NewCertPool()
	for _, r := range roots {
		p.AddCert(r.cert)
	}
	return p
}

// contact is a connection with the certificates in chain, as verified by an agent
// with pins.
func contact(p *Pins, roots *x509.CertPool, keys *wire.Keys, chain ...*x509.Certificate) Contact {
	c := Contact{Chain: chain, Keys: keys}
	c.Verified, _ = p.Verify(chain, host, roots, time.Time{})
	return c
}

// TestWhoseCertificate is the truth table of Judge, for an agent that enrolled with
// a certificate of a public authority.
func TestWhoseCertificate(t *testing.T) {
	root := newAuthority(t, "Public Root", nil)
	first, second := newAuthority(t, "R10", root), newAuthority(t, "E7", root)
	otherRoot, box := newAuthority(t, "Another Public Root", nil), newAuthority(t, "IT Operations Root", nil)
	private := newAuthority(t, "Tonprobe collector", nil)
	roots := pool(root, otherRoot, box)
	timestamps := pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: []byte{4, 1, 0}}
	old, renewed, moved, forged := first.leaf(t), second.leaf(t), otherRoot.leaf(t, timestamps), box.leaf(t)
	says := func(id string, leaves ...*x509.Certificate) *wire.Keys {
		k := &wire.Keys{Collector: id}
		for _, l := range leaves {
			k.Leaf = append(k.Leaf, wire.PinOf(l))
		}
		return k
	}
	learn := func(keys *wire.Keys, enrolment bool, chain ...*x509.Certificate) *Pins {
		p, _ := (*Pins)(nil).Learn(contact(nil, roots, keys, chain...), enrolment)
		return p
	}
	confirmed := learn(says("town", old), true, old, first.cert)
	fronted := learn(&wire.Keys{Collector: "town"}, true, old, first.cert)    // --behind-proxy
	undeclared := learn(says("town", private.leaf(t)), true, old, first.cert) // an undeclared proxy
	silent := learn(nil, true, old, first.cert)                               // a collector without announcements
	inside := learn(says("town", renewed), true, forged)                      // enrolled behind the middlebox
	if !confirmed.Confirmed || fronted.Confirmed || undeclared.Confirmed || silent.Collector != "" || inside.Confirmed {
		t.Fatalf("learned %+v, %+v, %+v, %+v, %+v, want only the first confirmed, and no collector in the fourth", confirmed, fronted, undeclared, silent, inside)
	}
	for name, c := range map[string]struct {
		pins  *Pins
		keys  *wire.Keys
		chain []*x509.Certificate
		want  Verdict
	}{
		"as enrolled":                                 {confirmed, says("town", old), []*x509.Certificate{old, first.cert}, Own},
		"90 days on: new key, new intermediate":       {confirmed, says("town", old, renewed), []*x509.Certificate{renewed, second.cert}, Own},
		"the same, and nothing announced":             {confirmed, nil, []*x509.Certificate{renewed, second.cert}, Own},
		"moved to another authority":                  {confirmed, says("town", moved), []*x509.Certificate{moved}, Own},
		"moved, nothing announced":                    {confirmed, nil, []*x509.Certificate{moved}, Unknown},
		"moved to its own authority":                  {confirmed, says("town", private.leaf(t)), []*x509.Certificate{private.leaf(t)}, Foreign}, // the certificate is not the announced one
		"a trusted middlebox, announcement forwarded": {confirmed, says("town", old), []*x509.Certificate{forged}, Foreign},
		"a trusted middlebox, no announcement":        {confirmed, nil, []*x509.Certificate{forged}, Foreign},
		"an untrusted middlebox":                      {confirmed, nil, []*x509.Certificate{newAuthority(t, "x", nil).leaf(t)}, Foreign},
		"a middlebox with the same issuer name":       {confirmed, says("town", old), []*x509.Certificate{newAuthority(t, "R10", nil).leaf(t)}, Foreign},
		"another collector at the address":            {confirmed, says("city", moved), []*x509.Certificate{moved}, Unknown},
		"a reinstalled collector, not yet trusted":    {confirmed, says("anew", forged), []*x509.Certificate{forged}, Unknown},
		"behind a proxy, renewed":                     {fronted, &wire.Keys{Collector: "town"}, []*x509.Certificate{renewed, second.cert}, Own},
		"behind a proxy, with a middlebox":            {fronted, &wire.Keys{Collector: "town"}, []*x509.Certificate{forged}, Foreign},
		"an undeclared proxy":                         {undeclared, says("town", private.leaf(t)), []*x509.Certificate{renewed, second.cert}, Own},
		"announces nothing, as enrolled":              {silent, nil, []*x509.Certificate{old, first.cert}, Own},
		"announces nothing, with a middlebox":         {silent, nil, []*x509.Certificate{forged}, Foreign},
		"enrolled behind the middlebox, now at home":  {inside, says("town", renewed), []*x509.Certificate{renewed, second.cert}, Own},
		"enrolled without pins":                       {nil, says("town", old), []*x509.Certificate{forged}, Unknown},
		"no certificate":                              {confirmed, nil, nil, Unknown},
	} {
		if got := c.pins.Judge(contact(c.pins, roots, c.keys, c.chain...)); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	// An agent that was enrolled behind a known middlebox does not store its key.
	suspect := contact(nil, roots, says("town", renewed), forged)
	suspect.Suspect = true
	if p, changed := (*Pins)(nil).Learn(suspect, true); !changed || p.Confirmed || len(p.Chain) != 0 {
		t.Errorf("learned %+v, %t, want true, and neither a chain nor confirmed", p, changed)
	}
	// Outside of the office, an agent that was enrolled behind the middlebox learns
	// the right key, and then detects the middlebox.
	home := contact(inside, roots, says("town", renewed), renewed, second.cert)
	after, changed := inside.Learn(home, false)
	if office := contact(after, roots, says("town", renewed), forged); !changed || after.Judge(office) != Foreign {
		t.Errorf("got %+v, %t, want true, and the middlebox is foreign", after, changed)
	}
}

// TestLearnsFromUnsuspectedContacts: an agent enrolled before announcements existed
// learns from the first connection without signs of interception, and from no
// other.
func TestLearnsFromUnsuspectedContacts(t *testing.T) {
	root, box := newAuthority(t, "Root", nil), newAuthority(t, "Box", nil)
	own, forged := root.leaf(t), box.leaf(t)
	roots := pool(root, box)
	keys := &wire.Keys{Collector: "town", Leaf: []string{wire.PinOf(own)}}
	var none *Pins
	for name, c := range map[string]Contact{
		"not trusted":               contact(nil, pool(), keys, own),
		"another's certificate":     contact(nil, roots, keys, forged),
		"nothing announced":         contact(nil, roots, nil, own),
		"the issuer is a middlebox": {Chain: []*x509.Certificate{own}, Verified: [][]*x509.Certificate{{own, root.cert}}, Keys: keys, Suspect: true},
		"no certificate at all":     {},
	} {
		if p, changed := none.Learn(c, false); changed || p != nil {
			t.Errorf("%s: learned %+v, want nothing", name, p)
		}
	}
	p, changed := none.Learn(contact(nil, roots, keys, own), false)
	if !changed || p.Collector != "town" || !p.Confirmed {
		t.Fatalf("learned %+v, want the confirmed key town", p)
	}
	if again, changed := p.Learn(contact(p, roots, keys, own), false); changed || again != p {
		t.Error("learned the same pins twice")
	}
	// The announcement of another signer changes nothing.
	evil := &wire.Keys{Collector: "evil", Leaf: []string{wire.PinOf(forged)}, CA: []string{wire.PinOf(box.cert)}}
	if _, changed := p.Learn(contact(p, roots, evil, forged), false); changed {
		t.Error("the announcement of another collector was accepted")
	}
}

// TestOwnAuthorityWithNewDates: the same key with other dates is trusted, another
// key with the same name is not.
func TestOwnAuthorityWithNewDates(t *testing.T) {
	old := newAuthority(t, "Tonprobe collector", nil)
	again := &authority{issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Tonprobe collector"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Now().AddDate(19, 0, 0), NotAfter: time.Now().AddDate(29, 0, 0)}, old.key, nil), old.key}
	later := time.Now().AddDate(20, 0, 0)
	leaf := func(a *authority) *x509.Certificate {
		return issue(t, &x509.Certificate{DNSNames: []string{host}, NotBefore: later.Add(-time.Hour), NotAfter: later.Add(time.Hour)}, key(t), a)
	}
	p := &Pins{Collector: "town", CA: []string{wire.PinOf(old.cert)}}
	if _, err := p.Verify([]*x509.Certificate{leaf(again), again.cert}, host, pool(old), later); err != nil {
		t.Errorf("its own key: got error %v, want none", err)
	}
	other := newAuthority(t, "Tonprobe collector", nil)
	mixed := leaf(other)
	for name, chain := range map[string][]*x509.Certificate{
		"another key":                 {mixed, other.cert},
		"another key, ours beside it": {mixed, other.cert, again.cert},
		"a wrong name":                {issue(t, &x509.Certificate{DNSNames: []string{"x.example"}, NotBefore: later.Add(-time.Hour), NotAfter: later.Add(time.Hour)}, key(t), again), again.cert},
		"out of date":                 {old.leaf(t), again.cert},
		"nothing":                     nil,
	} {
		if _, err := p.Verify(chain, host, pool(old), later); err == nil {
			t.Errorf("%s was trusted", name)
		}
	}
}
