package reflect

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// heard remembers when a machine elsewhere last asked this reflector something.
// It tells an agent that hears nothing of us that the silence is not ours: that
// the process lives says little, for its own firewall may be shut. A machine with
// a private address stands behind that firewall as well, in the town hall or in
// the host of a container, and proves nothing for those outside. Only the time is
// kept.
type heard struct {
	now  func() time.Time
	own  atomic.Pointer[map[netip.Addr]bool]
	last atomic.Int64 // in ns since 1970; 0 is never
}

func newHeard(now func() time.Time) *heard {
	h := &heard{now: now}
	h.setOwn(nil)
	return h
}

// setOwn says which addresses this machine has.
func (h *heard) setOwn(present []netip.Addr) {
	own := map[netip.Addr]bool{}
	for _, a := range present {
		own[a] = true
	}
	h.own.Store(&own)
}

// from notes a question of this address.
func (h *heard) from(a netip.Addr) {
	if a = a.Unmap().WithZone(""); a.IsGlobalUnicast() && !a.IsPrivate() && !(*h.own.Load())[a] {
		h.last.Store(h.now().UnixNano())
	}
}

// ago is how long it is since; nil where it never was.
func (h *heard) ago() *int64 {
	last := h.last.Load()
	if last == 0 {
		return nil
	}
	return new(max(0, h.now().Sub(time.Unix(0, last)).Milliseconds()))
}
