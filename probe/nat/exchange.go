package nat

import (
	"context"
	"net/netip"
	"time"

	"github.com/tonprobe/tonprobe/probe"
)

// state is the outcome of a request to one address over one transport.
type state int

const (
	notAsked state = iota // not sent, or no time to wait for the response
	answered
	silent    // sent with the whole schedule, without a response
	forbidden // this computer refuses to send
	refused   // the other side refused the connection: nothing listens there, or a middlebox rejected it
)

// exchange is a request and its response.
type exchange struct {
	binding
	state         state
	from          netip.AddrPort // source of the response
	transmissions int            // number of copies sent
	rtt           time.Duration  // 0 if it is uncertain which copy was answered
	translated    *bool          // mapped is not our own address; nil if unknown
}

func (e exchange) rttMS() *float64 {
	if e.rtt <= 0 {
		return nil
	}
	return new(float64(e.rtt) / float64(time.Millisecond))
}

// failed returns the exchange for an error instead of a response.
func failed(err error) exchange {
	switch {
	case probe.IsForbidden(err):
		return exchange{state: forbidden}
	case probe.IsRefused(err):
		return exchange{state: refused}
	}
	return exchange{}
}

// compare sets translated by comparison with this computer's own addresses.
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

// within runs f with a context that ends d after now on env's clock.
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

// withinExcept is within, except that the limit does not include the time for which f
// waits in a call of except.
func withinExcept(ctx context.Context, env probe.Env, d time.Duration, f func(ctx context.Context, except func(wait func()))) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	waited := make(chan time.Duration, 1) // empty while f waits
	waited <- 0
	start := env.Clock.Now()
	go func() {
		for left := d; left > 0; {
			if env.Clock.Sleep(ctx, left) != nil {
				return
			}
			sum := <-waited
			waited <- sum
			left = d + sum - env.Clock.Now().Sub(start)
		}
		cancel()
	}()
	f(ctx, func(wait func()) {
		sum, began := <-waited, env.Clock.Now()
		defer func() { waited <- sum + env.Clock.Now().Sub(began) }() // after a panic too: the goroutine receives it
		wait()
	})
}
