package web

import (
	"context"
	"net"

	"github.com/tonprobe/tonprobe/probe/report"
)

// smallSegmentBytes keeps TCP packets below 1280 bytes, which every network carries (RFC 8200 §5),
// less the overhead of tunnels.
const smallSegmentBytes = 1000

// trySmallPackets repeats the handshake with small segments (RFC 9293 §3.7.1) if the server
// accepted the connection and TLS hung. The server's certificate is the first large packet
// downstream, where no request guarantees a large response. That it arrives in small packets proves
// that large ones are dropped.
func (j *journey) trySmallPackets(ctx context.Context) {
	hung := j.data.Stage == stageTCP && j.data.TLSError == "" && j.conn != nil && j.target.Scheme == "https"
	portal := j.data.CaptivePortal != nil && *j.data.CaptivePortal
	if !hung || portal || j.proxy != nil || ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, j.StepTime)
	defer cancel()
	conn, err := j.env.DialWith(ctx, &net.Dialer{Control: smallSegments}, "tcp", j.conn.RemoteAddr().String())
	if err != nil {
		j.env.Log.Info("no second connection with small packets", "err", report.ErrorText(err))
		return
	}
	defer conn.Close()
	_, _, err = handshake(ctx, conn, j.target.Hostname(), j.RootCAs, nil)
	if err == nil || tlsFault(err) != "" { // a rejected certificate has arrived
		j.data.TLSSmallPackets = new(true)
		return
	}
	j.data.TLSSmallPackets = new(false)
}
