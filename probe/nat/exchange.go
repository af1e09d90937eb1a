package nat

import (
	"context"
	"net/netip"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

// state is how a question to one address over one transport ended.
type state int

const (
	notAsked state = iota // it could not be asked, or there was no time to wait for the answer
	answered
	silent    // asked by the whole schedule, and no answer
	forbidden // this computer itself refuses to send
	refused   // the other side refused the connection: nothing listens there, or a box says so
)

// exchange is one question and its answer.
type exchange struct {
	binding
	state         state
	from          netip.AddrPort // where the answer came from
	transmissions int            // copies sent
	rtt           time.Duration  // 0 when it is not certain which copy was answered
	translated    *bool          // mapped is not our own address; nil when unknown
}

func (e exchange) rttMS() *float64 {
	if e.rtt <= 0 {
		return nil
	}
	return new(float64(e.rtt) / float64(time.Millisecond))
}

// failed is the exchange that ended with err instead of an answer.
func failed(err error) exchange {
	switch {
	case probe.IsForbidden(err):
		return exchange{state: forbidden}
	case probe.IsRefused(err):
		return exchange{state: refused}
	}
	return exchange{}
}

// compare sets translated from the addresses that are this computer's own.
func (e *exchange) compare(port uint16, own []netip.Addr) {
	if !e.mapped.IsValid() || len(own) == 0 {
		return
	}
	untouched := false
	for _, a := range own {
		untouched = untouched || e.mapped == netip.AddrPortFrom(a.Unmap().WithZone(""), port)
	}
	e.translated = new(!untouched)
}

// within runs f with a context that ends d of env's time after now.
func within(ctx context.Context, env probe.Env, d time.Duration, f func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		if env.Clock.Sleep(ctx, d) == nil {
			cancel()
		}
	}()
	f(ctx)
}
