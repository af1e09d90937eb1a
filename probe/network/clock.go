package network

import (
	"context"
	"crypto/tls"
	"net/http"
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

// askUntrusted asks for the time and for the collector's keys over a connection
// whose certificate is not trusted. The keys have a signature of their own. The
// time may be believed only if the very certificate is in order at it: then not
// the certificate is wrong but our clock.
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
	if j.data.TLSError != "expired" {
		return
	}
	at, _, ok := serverTime(a.Header)
	if !ok {
		return
	}
	if _, err := j.pins().Verify(j.shown.Chain, j.target.Hostname(), j.RootCAs, at); err == nil {
		j.readClock(a)
	}
}
