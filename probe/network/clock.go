package network

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// readClock sets this computer's clock against the server's.
func (j *journey) readClock(a *answer) {
	server, resolution, ok := serverTime(a.Header)
	if !ok {
		return
	}
	// Round(0) takes the monotonic reading off: the difference is the wall clock's.
	offset, uncertainty, ok := clockOffset(a.sent.Round(0), a.firstByte.Round(0), a.firstByte.Sub(a.sent), server, resolution)
	if !ok {
		return
	}
	j.data.ClockOffsetMS = new(float64(offset) / float64(time.Millisecond))
	j.data.ClockUncertaintyMS = milliseconds(uncertainty)
}

// clockOffset is our clock less the server's. The server read its clock
// somewhere between our sending and our receiving; the middle of that, and half
// of it as the uncertainty, is the best that can be said. sent and received are
// by the wall clock, round is the time between them by the monotonic one: where
// they disagree, the clock was set meanwhile, and neither value means anything.
func clockOffset(sent, received time.Time, round time.Duration, server time.Time, resolution time.Duration) (offset, uncertainty time.Duration, ok bool) {
	if (received.Sub(sent) - round).Abs() > jumpOfWallClock {
		return 0, 0, false
	}
	return sent.Add(round / 2).Sub(server.Add(resolution / 2)), round/2 + resolution/2, true
}

// serverTime is the time in the header of a collector, else the Date of any
// server, and how coarse it is. An answer out of a cache is as old as Age says,
// so it tells no time.
func serverTime(h http.Header) (at time.Time, resolution time.Duration, ok bool) {
	if age := h.Get("Age"); age != "" && age != "0" {
		return time.Time{}, 0, false
	}
	if ms, err := strconv.ParseInt(h.Get(wire.HeaderTimeMS), 10, 64); err == nil && ms > 0 && ms < 1<<43 {
		return time.UnixMilli(ms), 0, true
	}
	at, err := http.ParseTime(h.Get("Date"))
	return at, time.Second, err == nil
}

// agreeWithin is how close two clocks are that agree, one-second resolution and a
// slow answer included.
const agreeWithin = time.Minute

// askUntrusted asks for the time and for the collector's keys over a connection
// whose certificate is not trusted. The keys have a signature of their own. The
// time may be believed if the very certificate is in order at it, for then our
// clock is wrong and the certificate is not, or if it is ours as well.
func (j *journey) askUntrusted(ctx context.Context, conn *tls.Conn) {
	if conn == nil || j.data.TLSError != "expired" && j.pins() == nil {
		return
	}
	req := get(j.target)
	j.askKeys(req.Header)
	a, err := exchange(ctx, j.env.Clock, conn, req)
	if err != nil {
		return
	}
	j.readKeys(a.Header)
	at, _, ok := serverTime(a.Header)
	if j.data.TLSError != "expired" || !ok {
		return
	}
	_, wrong := j.pins().Verify(j.shown.Chain, j.target.Hostname(), j.RootCAs, at)
	if wrong == nil || a.firstByte.Sub(at).Abs() < agreeWithin {
		j.readClock(a)
	}
}

// confirmClock looks for a second clock where the server's is not ours: one of the
// two is wrong, and the server's may be. This program is older than now; and the
// collector, beside another server, and the router on its page tell the time too.
func (j *journey) confirmClock(ctx context.Context) {
	if j.data.ClockOffsetMS == nil || j.data.ClockUncertaintyMS == nil || ctx.Err() != nil {
		return
	}
	offset := time.Duration(*j.data.ClockOffsetMS * float64(time.Millisecond))
	if offset.Abs() < agreeWithin {
		return
	}
	now := j.env.Clock.Now()
	if !j.Built.IsZero() && now.Before(j.Built.Add(-24*time.Hour)) {
		j.data.ClockConfirmed = new(true)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, min(portalTime, j.StepTime))
	defer cancel()
	for _, ask := range []func(context.Context) (time.Time, bool){j.timeOfCollector, j.timeOfRouter} {
		second, ok := ask(ctx)
		if !ok {
			continue
		}
		now := j.env.Clock.Now()
		switch {
		case now.Add(-offset).Sub(second).Abs() < agreeWithin:
			j.data.ClockConfirmed = new(true)
		case now.Sub(second).Abs() < agreeWithin:
			j.data.ClockConfirmed = new(false)
		default:
			continue // a third time: it helps nobody
		}
		return
	}
}

// timeOfCollector is the collector's clock, where another server was asked.
func (j *journey) timeOfCollector(ctx context.Context) (time.Time, bool) {
	if j.towardOwn() {
		return time.Time{}, false
	}
	k, ok := j.meetCollector(ctx)
	if !ok {
		return time.Time{}, false
	}
	defer k.close()
	if k.data.ClockOffsetMS == nil {
		return time.Time{}, false
	}
	return j.env.Clock.Now().Add(-time.Duration(*k.data.ClockOffsetMS * float64(time.Millisecond))), true
}

// timeOfRouter is the clock of the next router, which most home routers tell with
// the page by which they are set up.
func (j *journey) timeOfRouter(ctx context.Context) (time.Time, bool) {
	router := j.Router(ctx)
	if !router.IsValid() {
		return time.Time{}, false
	}
	conn, _, _ := dialAll(ctx, j.env, []netip.Addr{router}, j.plainPort)
	if conn == nil {
		return time.Time{}, false
	}
	defer func() { _ = conn.Close() }()
	host := router.String()
	if router.Is6() {
		host = "[" + router.WithZone("").String() + "]"
	}
	a, err := exchange(ctx, j.env.Clock, conn, get(&url.URL{Scheme: "http", Host: host, Path: "/"}))
	if err != nil {
		return time.Time{}, false
	}
	at, err := http.ParseTime(a.Header.Get("Date"))
	return at, err == nil
}
