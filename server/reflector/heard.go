package reflector

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// heard records when another machine last sent a request to this reflector. It tells an agent
// that receives no answer whether the reflector is reachable: that the process runs says
// little, because its own firewall may block it. A machine with a private address may be
// behind the same firewall, in the town hall or on the host of a container, and proves nothing
// for clients outside. Only the time is stored.
type heard struct {
	now  func() time.Time
	own  atomic.Pointer[map[netip.Addr]bool]
	last atomic.Int64 // in ns since 1970; 0 means never
}

func newHeard(now func() time.Time) *heard {
	h := &heard{now: now}
	h.setOwn(nil)
	return h
}

// setOwn sets the addresses of this machine.
func (h *heard) setOwn(present []netip.Addr) {
	own := map[netip.Addr]bool{}
	for _, a := range present {
		own[a] = true
	}
	h.own.Store(&own)
}

// from records a request from this address.
func (h *heard) from(a netip.Addr) {
	if a = a.Unmap().WithZone(""); a.IsGlobalUnicast() && !a.IsPrivate() && !(*h.own.Load())[a] {
		h.last.Store(h.now().UnixNano())
	}
}

// ago returns the time since the last request; nil if there was none.
func (h *heard) ago() *int64 {
	last := h.last.Load()
	if last == 0 {
		return nil
	}
	return new(max(0, h.now().Sub(time.Unix(0, last)).Milliseconds()))
}
