package whip

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/conference/peer"
	"github.com/tonprobe/tonprobe/probe/conference/testsignal"
	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// reportWait is the wait for the last receiver report. Endpoints send one about
	// every second, some every five (RFC 3550 §6.2).
	reportWait = 1200 * time.Millisecond
	// senderReportEvery is the number of packets between two sender reports, from which
	// the receiver's reports derive the round trip (RFC 3550 §6.4.1).
	senderReportEvery = 25
	// maxTrips limits the reports of an endpoint.
	maxTrips = 100
)

// oneWay is a call to an endpoint that returns no sound: what arrived is known from its
// receiver reports only.
type oneWay struct {
	*peer.Connection
	clock probe.Clock
	v     *visit.Visit

	mu       sync.Mutex
	planned  int // packets
	sent     int
	reported *rtcp.ReceptionReport // the last one
	trips    []float64             // in ms
}

func toEndpoint(ctx context.Context, v *visit.Visit, about endpoint) {
	c := &oneWay{clock: v.Env.Clock, v: v}
	var servers []webrtc.ICEServer
	for _, s := range about.servers.ICEServers {
		servers = append(servers, webrtc.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	var err error
	c.Connection, err = peer.Open(v.Env, peer.Config{Server: v.URL, ICEServers: servers, SendOnly: true, Arrived: func(*rtp.Packet, time.Time) {}, Reported: c.report})
	if err != nil {
		noCall(v, err)
		return
	}
	talk(ctx, v, about, c, &session{v: v, token: v.Token}, c.Answer)
}

// report processes a receiver report and its round trip.
func (c *oneWay) report(r rtcp.ReceptionReport) {
	now := compactNTP(c.clock.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reported = &r
	if r.LastSenderReport == 0 || len(c.trips) == maxTrips {
		return
	}
	// In 1/65536 s, modulo 2^32. A negative value is caused by a wrong clock.
	if trip := int32(now - r.LastSenderReport - r.Delay); trip >= 0 {
		c.trips = append(c.trips, float64(trip)*1000/65536)
	}
}

// tripsBesideStream is the number of round trips of a check besides the stream: connection,
// OPTIONS, offer, path, keys and the end.
const tripsBesideStream = 8

// length returns the number of packets of the stream to this endpoint.
func (c *oneWay) length() int {
	whole := testsignal.Packets * testsignal.PacketTime
	left := c.v.StreamTime(whole+reportWait, tripsBesideStream) - reportWait
	return int(max(left, visit.ShortestStream) / testsignal.PacketTime)
}

// Run implements visit.Call: it sends the recorded sound, and waits for the last report.
func (c *oneWay) Run(ctx context.Context) {
	c.planned = c.length()
	began := c.clock.Now()
	for i := range c.planned {
		if c.clock.Sleep(ctx, time.Duration(i)*testsignal.PacketTime-c.clock.Now().Sub(began)) != nil {
			return
		}
		select {
		case <-c.Down():
			return
		default:
		}
		stamp := uint32(i) * testsignal.StampStep
		c.mu.Lock()
		c.sent++
		c.mu.Unlock()
		// A packet that the local socket refuses still counts as sent, because the next
		// ones continue its numbering.
		_ = c.Write(&rtp.Packet{
			Header:  rtp.Header{Version: 2, SequenceNumber: uint16(i), Timestamp: stamp, Marker: i == 0},
			Payload: testsignal.Packet(i),
		})
		if i%senderReportEvery == 0 {
			_ = c.Announce(rtcp.SenderReport{NTPTime: ntp(c.clock.Now()), RTPTime: stamp, PacketCount: uint32(i + 1)})
		}
	}
	c.awaitReport(ctx)
}

// awaitReport waits for a report that covers the last packet.
func (c *oneWay) awaitReport(ctx context.Context) {
	for until := c.clock.Now().Add(reportWait); c.clock.Now().Before(until); {
		c.mu.Lock()
		covered := c.reported != nil && int(c.reported.LastSequenceNumber&0xffff) >= c.planned-1
		c.mu.Unlock()
		if covered || c.clock.Sleep(ctx, 20*time.Millisecond) != nil {
			return
		}
	}
}

// Fill implements visit.Call. What was lost after the last report is not known.
func (c *oneWay) Fill(d *report.MediaVoice) visit.Sound {
	c.mu.Lock()
	defer c.mu.Unlock()
	d.Sent = new(c.sent)
	if c.reported != nil {
		visit.FillUp(d, *c.reported, c.sent)
	}
	if len(c.trips) > 0 {
		slices.Sort(c.trips)
		d.RTTMinMS = new(visit.Round(c.trips[0]))
		d.RTTP50MS = new(visit.Round(stats.Percentile(c.trips, 50)))
	}
	return visit.Sound{Sent: c.sent, Whole: c.sent == c.planned, OneWay: true}
}

// ntp returns a time in the format of NTP (RFC 5905 §6): seconds since 1900 and their
// fraction.
func ntp(t time.Time) uint64 {
	const since1900 = 2_208_988_800
	ns := uint64(t.UnixNano())
	seconds, rest := ns/1e9+since1900, ns%1e9
	return seconds<<32 | rest<<32/1e9
}

// compactNTP returns the middle 32 bits of an NTP time, which reports repeat.
func compactNTP(t time.Time) uint32 { return uint32(ntp(t) >> 16) }
