package recorder

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
)

const (
	// serverEveryQuiet is the interval of packets to the collector while nothing happens: 720
	// packets a day of 44 bytes each way over IPv4, 0.06 MB.
	serverEveryQuiet = 2 * time.Minute
	// serverEvery is the interval during a session, and for quietAfter once the connection has
	// changed or an answer was missing.
	serverEvery = 30 * time.Second
	quietAfter  = keptMinutes * time.Minute
	// serverEverySparing is the interval on a metered line, and while the computer saves power:
	// 0.03 MB a day.
	serverEverySparing = 5 * time.Minute
)

// serverDue reports whether to send a packet to the collector now: each time while a program uses the
// microphone, answers are missing, an event waits for the first attempt to report it, or a conference
// program runs in a session. A session does not stop these packets: they take 0.2 kbit/s in each
// direction, and without them a lost connection could not be distinguished from a program that crashed.
func (r *Recorder) serverDue(v watch.View, now time.Time) bool {
	sparing := v.Sparing()
	if v.InUse != nil && *v.InUse || r.troubled() || r.pending != nil && !r.allowed || v.InSession && !sparing && len(v.Programs) > 0 {
		return true
	}
	every := serverEveryQuiet
	switch {
	case v.InSession:
		every = serverEvery
	case sparing:
		every = serverEverySparing
	case now.Sub(r.unsettled).Abs() < quietAfter:
		every = serverEvery
	}
	return now.Sub(r.server.asked).Abs() >= every
}

// noteUnsettled records in r.unsettled when the connection has changed, or answers are
// missing.
func (r *Recorder) noteUnsettled(link linkstate.State, now time.Time) {
	if !link.Same(r.link) || r.troubled() {
		r.link, r.unsettled = link, now
	}
}

// target is a machine to which small packets are sent repeatedly.
type target struct {
	addr     netip.Addr
	answered bool // at least once
	lost     int  // in a row
	asked    time.Time
}

// maxLost is the number of missing answers in a row after which a machine counts as one
// that does not answer at all: a firewall may have been activated. It exceeds what the
// detection of an outage needs. An outage that is in progress then does not end, but the
// recorder no longer sends more packets than usual.
const maxLost = 300

func (t *target) at(addr netip.Addr) {
	if addr != t.addr {
		*t = target{addr: addr, asked: t.asked}
	}
}

// ask sends one packet. It is also sent to a machine that has never answered, but then a missing answer
// is not a loss.
func (t *target) ask(ctx context.Context, send func(context.Context, netip.Addr) (time.Duration, error)) Echo {
	if !t.addr.IsValid() {
		return Echo{}
	}
	const wait = 1500 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	rtt, err := send(ctx, t.addr)
	switch {
	case err == nil:
		t.answered, t.lost = true, 0
		return Echo{Asked: true, Answered: true, RTT: rtt}
	case errors.Is(err, linkstate.ErrNotPermitted), !t.answered:
		return Echo{}
	}
	if t.lost++; t.lost >= maxLost {
		t.answered, t.lost = false, 0
	}
	return Echo{Asked: true}
}
