package visit

import (
	"context"

	"github.com/tonprobe/tonprobe/probe/conference/mirror"
	"github.com/tonprobe/tonprobe/probe/report"
)

// media is the steps of a call after the answer.
type media struct {
	v *Visit
	c *mirror.Connection
	d *report.MediaVoice
}

func (m media) path(ctx context.Context) Outcome {
	began := m.v.Env.Clock.Now()
	m.d.State = report.MediaICEFailed
	if m.c.AwaitPath(ctx) != nil {
		return Fault("no_path")
	}
	m.d.Path, m.d.ICEMS = m.c.Path(), new(Milliseconds(m.v.Env.Clock.Now().Sub(began)))
	return OK()
}

func (m media) keys(ctx context.Context) Outcome {
	began := m.v.Env.Clock.Now()
	m.d.State = report.MediaDTLSFailed
	if m.c.AwaitKeys(ctx) != nil {
		return Fault("no_keys")
	}
	m.d.DTLSMS = new(Milliseconds(m.v.Env.Clock.Now().Sub(began)))
	return OK()
}

// soundUp runs the stream. An echo proves the way there as well as a receiver report
// does.
func (m media) soundUp(ctx context.Context) Outcome {
	m.c.Run(ctx, voiceTime)
	sent, returned := m.c.Fill(m.d)
	switch {
	case ctx.Err() != nil, sent == 0:
		m.d.State = report.MediaInterrupted
		return Untested(NoTime)
	case returned > 0, m.d.UpReceived != nil && *m.d.UpReceived > 0:
		m.d.State = report.MediaComplete
		return OK()
	}
	m.d.State = report.MediaNotFlowing
	return Fault("nothing_arrived")
}

func (m media) soundDown(context.Context) Outcome {
	if *m.d.DownReceived > 0 {
		return OK()
	}
	m.d.State = report.MediaNotFlowing
	return Fault("nothing_came_back")
}
