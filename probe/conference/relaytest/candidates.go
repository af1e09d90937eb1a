package relaytest

import (
	"net/netip"
	"strings"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
)

// Candidates is what is known about the addresses that a server names for the media (RFC 8839
// §5.1), in descriptions and separately. The zero value contains none.
type Candidates struct {
	private bool // one is private
	other   bool // one is public, or may be, as a name
}

// AddSDP adds the addresses in a description.
func (c *Candidates) AddSDP(sdp string) {
	for line := range strings.Lines(sdp) {
		if candidate, ok := strings.CutPrefix(line, "a=candidate:"); ok {
			c.Add(candidate)
		}
	}
}

// Add adds an address that arrived separately. An empty one ends their list.
func (c *Candidates) Add(candidate string) {
	fields := strings.Fields(candidate)
	if len(fields) == 0 {
		return
	}
	if len(fields) >= 8 {
		if at, err := netip.ParseAddr(fields[4]); err == nil && visit.IsPrivate(at) {
			c.private = true
			return
		}
	}
	c.other = true
}

// OnlyPrivate reports whether there are addresses, all of which are private.
func (c *Candidates) OnlyPrivate() bool { return c.private && !c.other }

// OnlyPrivate reports whether a description names addresses for the media, all of which are
// private.
func OnlyPrivate(sdp string) bool {
	var c Candidates
	c.AddSDP(sdp)
	return c.OnlyPrivate()
}
