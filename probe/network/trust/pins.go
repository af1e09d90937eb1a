// Package trust decides whether a collector's certificate is trusted, and whether it is the collector's own: a chain that this
// computer trusts may have been created by a middlebox that intercepts TLS.
package trust

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Pins are the known keys of the agent's collector.
type Pins struct {
	// Collector is the key that signs the collector's announcements.
	Collector string `json:"collector,omitempty"`
	// CA contains the keys of the collector's own authority, including the next one. They are trusted like a certificate
	// given with --ca.
	CA []string `json:"ca,omitempty"`
	// Chain contains the keys of all certificates of the last chain that was not foreign: those of a public authority remain
	// when the collector's key changes.
	Chain []string `json:"chain,omitempty"`
	// Confirmed means that a connection has used the announced key. If that never happened, a reverse proxy of the collector
	// may terminate TLS.
	Confirmed bool `json:"confirmed,omitempty"`
}

// maxChainPins limits Chain; real chains have up to four certificates.
const maxChainPins = 12

// Contact is one connection to the collector.
type Contact struct {
	// Chain contains the presented certificates, the server's own first. Verified contains the chains to roots; none if
	// untrusted.
	Chain    []*x509.Certificate
	Verified [][]*x509.Certificate
	// Keys is the announcement; nil if there was none or its signature was wrong.
	Keys *wire.Keys
	// Suspect means that something else indicates an interception, such as the name of the issuer.
	Suspect bool
}

// Verdict states whose certificate was presented.
type Verdict int

const (
	// Unknown: it cannot be determined.
	Unknown Verdict = iota
	// Own: the collector's, renewed or not.
	Own
	// Foreign: that of another party.
	Foreign
)

func (c Contact) trusted() bool { return len(c.Verified) > 0 }

// pins returns the keys of all certificates of the connection.
func (c Contact) pins() (pins []string) {
	for _, chain := range append(slices.Clone(c.Verified), c.Chain) {
		for _, one := range chain {
			if pin := wire.PinOf(one); !slices.Contains(pins, pin) && len(pins) < maxChainPins {
				pins = append(pins, pin)
			}
		}
	}
	return pins
}

// unsuspected returns the keys of a connection without signs of interception: an agent that enrols behind a known middlebox must
// not store its key as the collector's.
func (c Contact) unsuspected() []string {
	if c.Suspect {
		return nil
	}
	return c.pins()
}

// announcesItself reports whether the presented key is among the announced ones.
func (c Contact) announcesItself() bool {
	return c.Keys != nil && len(c.Chain) > 0 && slices.Contains(c.Keys.Leaf, wire.PinOf(c.Chain[0]))
}

// Judge determines whose certificate a connection had. p may be nil: then only an announcement that contradicts the certificate
// can be detected, without certainty.
func (p *Pins) Judge(c Contact) Verdict {
	if len(c.Chain) == 0 || p == nil || p.Collector == "" && len(p.Chain) == 0 && len(p.CA) == 0 {
		return Unknown
	}
	if c.Keys != nil && c.Keys.Collector == p.Collector && len(c.Keys.Leaf) > 0 {
		switch {
		case c.announcesItself():
			return Own
		case p.Confirmed:
			return Foreign
		}
	}
	shares := func(known []string) bool {
		return slices.ContainsFunc(c.pins(), func(pin string) bool { return slices.Contains(known, pin) })
	}
	switch {
	case shares(p.Chain), shares(p.CA):
		return Own
	case c.announcesItself():
		return Unknown // another collector, with its own announcement: set up again
	case c.trusted() && hasTimestamps(c.Chain[0]):
		return Unknown // changed to another public authority
	case len(p.Chain) == 0 && len(p.CA) == 0:
		return Unknown
	}
	return Foreign
}

// hasTimestamps reports whether a certificate contains timestamps of public logs (RFC 6962 §3.3). Browsers require them of public
// authorities; a middlebox that creates certificates on the fly cannot have them.
func hasTimestamps(c *x509.Certificate) bool {
	list := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(list) })
}

// Learn returns the keys known after a connection, and whether they have changed. It learns only from a trusted connection, and from
// an announcement only with the signature of the known collector. The collector's key itself is learned once: at enrolment or, by an
// agent that was enrolled before announcements existed, from a connection without signs of interception.
func (p *Pins) Learn(c Contact, enrolment bool) (learned *Pins, changed bool) {
	var known Pins
	if p != nil {
		known = *p
	}
	if len(c.Chain) == 0 || !c.trusted() {
		return p, false
	}
	next := known
	if known.Collector == "" {
		clean := !c.Suspect && (c.announcesItself() || c.Keys != nil && len(c.Keys.Leaf) == 0)
		switch {
		case c.Keys != nil && (enrolment || clean):
			next.Collector = c.Keys.Collector
		case enrolment:
			next.Chain = c.unsuspected() // a collector without announcements
			return &next, true
		default:
			return p, false
		}
		next.Chain = c.unsuspected()
	}
	if c.Keys == nil || c.Keys.Collector != next.Collector {
		return p, false
	}
	next.CA = c.Keys.CA
	switch {
	case c.announcesItself():
		next.Confirmed, next.Chain = true, c.pins()
	case len(c.Keys.Leaf) == 0 && known.Judge(c) == Own:
		next.Chain = c.pins() // renewed by a reverse proxy
	}
	if same(known, next) {
		return p, false
	}
	return &next, true
}

// Equal reports whether p and q contain the same keys. Both may be nil.
func (p *Pins) Equal(q *Pins) bool {
	if p == nil || q == nil {
		return p == q
	}
	return same(*p, *q)
}

func same(a, b Pins) bool {
	return a.Collector == b.Collector && a.Confirmed == b.Confirmed && slices.Equal(a.CA, b.CA) && slices.Equal(a.Chain, b.Chain)
}
