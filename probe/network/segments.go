package network

import (
	"context"
	"net"

	"github.com/tonprobe/tonprobe/probe/report"
)

// smallSegmentBytes keeps packets of TCP below 1280 bytes, which every network
// carries (RFC 8200 §5), and below what tunnels take off that.
const smallSegmentBytes = 1000

// trySmallPackets shakes hands anew where the server took the connection and TLS
// hung, and asks for small segments this time (RFC 9293 §3.7.1). The server's
// certificate is the first large packet on the way down, where no question of
// ours can be sure to have a large answer: that it comes in small ones is the
// proof that large ones vanish.
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
	if err == nil || tlsFault(err) != "" { // a certificate that is refused has arrived
		j.data.TLSSmallPackets = new(true)
		return
	}
	j.data.TLSSmallPackets = new(false)
}
