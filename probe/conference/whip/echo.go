package whip

import (
	"context"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/probe/conference/visit"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// echoTime is the length of the stream to a reflector: 160 packets.
const echoTime = 3200 * time.Millisecond

// Limits of the path: UDP first, then the relay and TCP, within a step.
const (
	udpTime  = 1200 * time.Millisecond
	pathTime = visit.StepTime
)

// echo is a call to Tonprobe's reflector, which returns each packet and records what
// arrived. The record is the response to the end of the session.
type echo struct {
	*media.Call
	s      *session
	log    wire.EchoLog
	logErr error
}

func toEcho(ctx context.Context, v *visit.Visit, about endpoint) {
	c, err := media.OpenCall(v.Env, about.servers.ICEConfig, media.VoiceConfig{
		RootCAs: v.RootCAs, Proxy: v.Proxy(), Duration: echoTime, TCPAfter: udpTime, ICELimit: pathTime,
	})
	if err != nil {
		noCall(v, err)
		return
	}
	s := &session{v: v, token: v.Token}
	talk(ctx, v, about, &echo{Call: c, s: s}, s, func(sdp string) error { return c.Answer(sdp, s.took) })
}

// noCall records that this computer cannot make a call.
func noCall(v *visit.Visit, err error) {
	v.Env.Log.Warn("WebRTC could not be started", "err", report.ErrorText(err))
	v.Skip(report.StepSignIn, noWebRTC)
	v.SkipMedia(noWebRTC)
}

// Run implements visit.Call: it sends the stream, and requests the record of it.
func (e *echo) Run(ctx context.Context) {
	e.Call.Run(ctx)
	// A cancelled check ends without the record.
	body, err := e.s.end(ctx)
	if err != nil {
		e.logErr = err
		return
	}
	log, err := wire.ParseEchoLog(body)
	if err != nil {
		e.logErr = fmt.Errorf("read the record of the stream: %w", err)
		return
	}
	e.log = *log
}

// Fill implements visit.Call.
func (e *echo) Fill(d *report.MediaVoice) visit.Sound {
	*d = *e.Judge(e.log, e.logErr)
	return visit.Sound{
		Sent: e.Sent(), Returned: d.DownReceived != nil && *d.DownReceived > 0, Void: d.State == report.MediaSelfCheckVoid,
	}
}
