package web

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// readClock compares this computer's clock with the server's.
func (j *journey) readClock(a *answer) {
	server, resolution, ok := serverTime(a.Header)
	if !ok {
		return
	}
	// Round(0) removes the monotonic reading: the difference is that of the wall clock.
	offset, uncertainty, ok := clockOffset(a.sent.Round(0), a.firstByte.Round(0), a.firstByte.Sub(a.sent), server, resolution)
	if !ok {
		return
	}
	j.data.ClockOffsetMS = new(float64(offset) / float64(time.Millisecond))
	j.data.ClockUncertaintyMS = report.Milliseconds(uncertainty)
}

// clockOffset returns our clock less the server's. The server read its clock at some time between
// our sending and receiving; the best estimate is the middle, with half of the interval as the
// uncertainty. sent and received are wall-clock times, round is the interval on the monotonic clock.
// If they disagree, the clock was set meanwhile, and ok is false.
func clockOffset(sent, received time.Time, round time.Duration, server time.Time, resolution time.Duration) (offset, uncertainty time.Duration, ok bool) {
	if (received.Sub(sent) - round).Abs() > jumpOfWallClock {
		return 0, 0, false
	}
	return sent.Add(round / 2).Sub(server.Add(resolution / 2)), round/2 + resolution/2, true
}

// serverTime returns the time in a collector's header, otherwise the Date of any server, with its
// resolution. A cached response is as old as its Age says and is not used.
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

// agreeWithin is the largest difference of clocks that agree, including the resolution of one second
// and a slow response.
const agreeWithin = time.Minute

// askUntrusted requests the time and the collector's keys over a connection with an untrusted
// certificate. The keys are signed. The time is accepted if the certificate is valid at it, because
// then our clock is wrong and the certificate is not, or if it agrees with our clock.
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

// confirmClock looks for a second clock if the server's differs from ours, because either may be
// wrong: the build time of this program is a lower bound, and the collector (if another server was
// tested) and the router's web page provide the time too.
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
			continue // a third time: inconclusive
		}
		return
	}
}

// timeOfCollector returns the collector's clock, if another server was tested.
func (j *journey) timeOfCollector(ctx context.Context) (time.Time, bool) {
	if j.leadsToCollector() {
		return time.Time{}, false
	}
	k, ok := j.connectCollector(ctx)
	if !ok {
		return time.Time{}, false
	}
	defer k.close()
	if k.data.ClockOffsetMS == nil {
		return time.Time{}, false
	}
	return j.env.Clock.Now().Add(-time.Duration(*k.data.ClockOffsetMS * float64(time.Millisecond))), true
}

// timeOfRouter returns the clock of the next router, which most home routers include in the response
// of their configuration page.
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
