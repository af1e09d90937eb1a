package visit

import (
	"context"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Call is a connection to a media server, and the stream over it.
type Call interface {
	// AwaitPath waits for a path for packets, AwaitKeys for the keys on it.
	AwaitPath(ctx context.Context) error
	AwaitKeys(ctx context.Context) error
	// Path returns the kind and transport of the local end of the path.
	Path() string
	// Run sends the stream and waits for its last echoes.
	Run(ctx context.Context)
	// Fill writes the figures of the stream to d.
	Fill(d *report.MediaVoice) Sound
}

// Sound is the result of a stream.
type Sound struct {
	// Sent is the number of packets sent.
	Sent int
	// Whole is true when the whole stream was sent: it counts even if the time of the
	// check ended during the wait for the last packets. A shorter one counts from
	// enoughPackets on, if it was returned.
	Whole bool
	// Returned is true when the stream came back, Foreign when packets came that do not
	// belong to it, Unclear when too few of them came to decide.
	Returned, Foreign, Unclear bool
	// Void is true if this computer missed the schedule of the stream, so that its
	// figures say nothing about the line.
	Void bool
	// OneWay is true if the system returns no sound.
	OneWay bool
	// Fault is why the stream says nothing about the line, for example because the
	// system muted it; "" for none.
	Fault string
	// Silence is the reason why a stream was not returned; "" if unknown.
	Silence string
}

// enoughPackets is the length from which an interrupted stream counts, 1.5 s. On a lossy
// line the steps before it take longer, and the time of the check ends during the stream;
// the intervals of its figures allow for the fewer packets. It does not show that nothing is
// returned.
const enoughPackets = 75

// media performs the steps of a call after the answer.
type media struct {
	v     *Visit
	c     Call
	d     *report.MediaVoice
	sound Sound
}

func (m *media) path(ctx context.Context) Outcome {
	began := m.v.Env.Clock.Now()
	m.d.State = report.MediaICEFailed
	if m.c.AwaitPath(ctx) != nil {
		return Fault("no_path")
	}
	m.d.Path, m.d.ICEMS = m.c.Path(), new(Milliseconds(m.v.Env.Clock.Now().Sub(began)))
	return OK()
}

func (m *media) keys(ctx context.Context) Outcome {
	began := m.v.Env.Clock.Now()
	m.d.State = report.MediaDTLSFailed
	if m.c.AwaitKeys(ctx) != nil {
		return Fault("no_keys")
	}
	m.d.DTLSMS = new(Milliseconds(m.v.Env.Clock.Now().Sub(began)))
	return OK()
}

// soundUp runs the stream. An echo proves the upstream path as well as a receiver
// report does; without either, nothing is known about it alone.
func (m *media) soundUp(ctx context.Context) Outcome {
	m.c.Run(ctx)
	interrupted := ctx.Err() != nil // read before Fill, which takes time on a slow computer
	m.sound = m.c.Fill(m.d)
	m.d.State = report.MediaComplete
	switch {
	case m.sound.Fault != "":
		m.d.State = report.MediaInterrupted
		return Fault(m.sound.Fault)
	case interrupted && !m.sound.Whole && !(m.sound.Returned && m.sound.Sent >= enoughPackets), m.sound.Sent == 0:
		m.d.State = report.MediaInterrupted
		return Untested(NoTime)
	case m.sound.Void:
		m.d.State = report.MediaSelfCheckVoid
		return Untested(Busy)
	case m.sound.Returned, m.d.UpReceived != nil && *m.d.UpReceived > 0:
		return OK()
	}
	if m.d.UpReceived == nil {
		return Untested("no_report")
	}
	m.d.State = report.MediaNotFlowing
	return Fault("nothing_arrived")
}

func (m *media) soundDown() Outcome {
	switch {
	case m.sound.Returned:
		return OK()
	case m.d.State == report.MediaInterrupted:
		return Untested(NoTime)
	case m.sound.Void:
		return Untested(Busy)
	case m.sound.OneWay:
		return Untested(NotReturned)
	}
	if m.sound.Unclear {
		return Untested("too_much_lost")
	}
	m.d.State = report.MediaNotFlowing
	switch {
	case m.sound.Foreign:
		return Fault("other_sound")
	case m.sound.Silence != "":
		return Fault(m.sound.Silence)
	}
	return Fault("nothing_came_back")
}
