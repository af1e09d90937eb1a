package collector

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/trust"
)

// learner requests the collector's keys with the first request that is answered, and
// passes them to Endpoint.Learn.
type learner struct {
	endpoint *Endpoint
	next     http.RoundTripper
	name     string

	mu   sync.Mutex
	done bool
}

func (l *learner) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	ask := !l.done && l.endpoint.Learn != nil
	l.mu.Unlock()
	nonce := ""
	if ask {
		nonce = newNonce()
		r = r.Clone(r.Context())
		r.Header.Set(wire.HeaderKeys, nonce)
	}
	resp, err := l.next.RoundTrip(r)
	if err == nil && ask && resp.TLS != nil {
		l.learn(resp, nonce)
	}
	if err == nil {
		l.endpoint.reportPhone(resp)
		if l.endpoint.Renew != nil && resp.Header.Get(wire.HeaderRenewToken) == wire.RenewTokenValue {
			l.endpoint.Renew()
		}
	}
	return resp, err
}

// CloseIdleConnections lets http.Client close the connections of the transport.
func (l *learner) CloseIdleConnections() {
	if c, ok := l.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// reportPhone passes on the phone number in a response, or "" if there is none. An
// invalid number is ignored, because it would be shown on a screen.
func (e *Endpoint) reportPhone(resp *http.Response) {
	phone, told := resp.Header[wire.HeaderSupportPhone]
	if e.SupportPhone == nil || !told || phone[0] != "" && !wire.IsPhone(phone[0]) {
		return
	}
	e.SupportPhone(phone[0])
}

func (l *learner) learn(resp *http.Response, nonce string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	keys, announced := wire.ParseKeys(resp.Header.Get(wire.HeaderKeys), nonce)
	if l.done || !announced && !l.endpoint.Enrolling {
		return
	}
	l.done = true
	e := l.endpoint
	c := trust.Contact{Chain: resp.TLS.PeerCertificates, Suspect: trust.KnownInspector(resp.TLS.PeerCertificates) != trust.NoInspector}
	if announced {
		c.Keys = &keys
	}
	c.Verified, _ = e.Pins.Verify(c.Chain, l.name, e.RootCAs, time.Time{}) // already verified: the connection was established
	pins, changed := e.Pins.Learn(c, e.Enrolling)
	fresh := e.freshAuthorities(c, pins)
	if changed || len(fresh) > 0 {
		e.Learn(pins, fresh)
	}
}

// freshAuthorities returns those certificates of the collector's own authority in the
// chain that RootCAs does not contain.
func (e *Endpoint) freshAuthorities(c trust.Contact, pins *trust.Pins) (fresh []*x509.Certificate) {
	var none *trust.Pins
	held, _ := none.Verify(c.Chain[:1], "", e.RootCAs, time.Time{})
	for _, shown := range pins.Authorities(c) {
		if !slices.ContainsFunc(held, func(chain []*x509.Certificate) bool { return chain[len(chain)-1].Equal(shown) }) {
			fresh = append(fresh, shown)
		}
	}
	return fresh
}

func newNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand since Go 1.24)
	return base64.RawURLEncoding.EncodeToString(b[:])
}
