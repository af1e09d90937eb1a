// Package trust decides whether a collector's certificate is to be believed, and
// whether it is the collector's own: a chain that this computer trusts may still
// be made by a box that opens TLS on the way.
package trust

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Pins is what an agent knows of its collector's keys.
type Pins struct {
	// Collector is the key that signs the collector's announcements.
	Collector string `json:"collector,omitempty"`
	// CA are the keys of the collector's own authority, the next one included.
	// They are trusted as the certificate given with --ca is.
	CA []string `json:"ca,omitempty"`
	// Chain are the keys of all certificates of the chain last seen that was not
	// another's: those of a public authority stay when the collector's key changes.
	Chain []string `json:"chain,omitempty"`
	// Confirmed says that a connection once had the very key that the collector
	// announced. Where that never happened, something that belongs to the
	// collector, such as a reverse proxy, may do TLS before it.
	Confirmed bool `json:"confirmed,omitempty"`
}

// maxChainPins bounds Chain; real chains have up to four certificates.
const maxChainPins = 12

// Contact is one connection to the collector.
type Contact struct {
	// Chain is what was shown, the server's own certificate first. Verified are
	// the chains to roots, which hold what was not shown; none: not trusted.
	Chain    []*x509.Certificate
	Verified [][]*x509.Certificate
	// Keys is the announcement; nil where none came or its signature was wrong.
	Keys *wire.Keys
	// Suspect says that something else speaks for an interception, such as the
	// name of the issuer.
	Suspect bool
}

// Verdict says whose certificate was shown.
type Verdict int

const (
	// Unknown: it cannot be told.
	Unknown Verdict = iota
	// Own: the collector's, renewed or not.
	Own
	// Foreign: somebody else's.
	Foreign
)

func (c Contact) trusted() bool { return len(c.Verified) > 0 }

// pins are the keys of all certificates of the connection.
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

// unsuspected are the keys of a connection, unless something speaks against them:
// an agent that is enrolled behind a known box must not take its key for the
// collector's.
func (c Contact) unsuspected() []string {
	if c.Suspect {
		return nil
	}
	return c.pins()
}

// announcesItself says that the key shown is among those announced.
func (c Contact) announcesItself() bool {
	return c.Keys != nil && len(c.Chain) > 0 && slices.Contains(c.Keys.Leaf, wire.PinOf(c.Chain[0]))
}

// Judge says whose certificate a connection had. p may be nil: then only an
// announcement that contradicts the certificate can be told, and not for sure.
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
		return Unknown // another collector, which speaks for itself: set up anew
	case c.trusted() && hasTimestamps(c.Chain[0]):
		return Unknown // moved to another public authority
	case len(p.Chain) == 0 && len(p.CA) == 0:
		return Unknown
	}
	return Foreign
}

// hasTimestamps says whether a certificate holds timestamps of public logs (RFC
// 6962 §3.3). Browsers want them of every public authority; a box that makes
// certificates as it goes cannot have them.
func hasTimestamps(c *x509.Certificate) bool {
	list := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(list) })
}

// Learn returns what is known after a connection, and whether that is more than
// before. Only a connection that is trusted teaches anything, and an announcement
// only with the signature of the collector that is known. The collector itself is
// learned once: at the enrolment, or, by an agent that was enrolled before there
// were announcements, from a connection that nothing speaks against.
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
			next.Chain = c.unsuspected() // a collector that announces nothing yet
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
		next.Chain = c.pins() // renewed by what stands before the collector
	}
	if same(known, next) {
		return p, false
	}
	return &next, true
}

func same(a, b Pins) bool {
	return a.Collector == b.Collector && a.Confirmed == b.Confirmed && slices.Equal(a.CA, b.CA) && slices.Equal(a.Chain, b.Chain)
}
