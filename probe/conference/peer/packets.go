package peer

import (
	"fmt"
	"slices"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// maxPacketBytes is more than the size of an RTP packet on any line.
const maxPacketBytes = 2048

// listen reads the returning stream.
func (c *Connection) listen(t *webrtc.TrackRemote) {
	buf := make([]byte, maxPacketBytes)
	for {
		n, _, err := t.Read(buf)
		now := c.clock.Now()
		if err != nil {
			return
		}
		p := &rtp.Packet{}
		if p.Unmarshal(buf[:n]) != nil {
			continue
		}
		p.Payload = slices.Clone(p.Payload)
		c.arrived(p, c.arrivals.Take(buf[:n], now))
	}
}

// readReports reads the server's receiver reports (RFC 3550 §6.4.2), which contain the
// upstream loss.
func (c *Connection) readReports(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			var reports []rtcp.ReceptionReport
			switch p := p.(type) {
			case *rtcp.ReceiverReport:
				reports = p.Reports
			case *rtcp.SenderReport:
				reports = p.Reports
			}
			for _, r := range reports {
				c.reported(r)
			}
		}
	}
}

// Write sends one packet of the stream. It sets payload type and SSRC.
func (c *Connection) Write(p *rtp.Packet) error { return c.track.WriteRTP(p) }

// Left returns when a packet that was just written left this computer. If that is not known, as
// over TCP and through a relay, it returns otherwise.
func (c *Connection) Left(seq uint16, otherwise time.Time) time.Time {
	at, ok := c.departures.TakeSent(c.ssrc, seq)
	if !ok || at.Before(otherwise) || at.After(c.clock.Now()) {
		return otherwise
	}
	return at
}

// Announce sends a sender report on the stream; its source is filled in.
func (c *Connection) Announce(r rtcp.SenderReport) error {
	r.SSRC = c.ssrc
	if err := c.pc.WriteRTCP([]rtcp.Packet{&r}); err != nil {
		return fmt.Errorf("send a sender report: %w", err)
	}
	return nil
}
