package capture

import (
	"cmp"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// stage is how far a child has come.
type stage int

const (
	stageHello  stage = iota // the process starts
	stageServer              // it connects to the sound system
	stageOpen                // it opens the device
	stageFirst               // it waits for the first sound
	stageNext                // it streams
	stagePlay                // it plays
	stagePlayed              // it has played
)

// watch is the watchdog over one child. Only progress feeds it: a child whose
// stream has died goes on sending states. That the stream was moved to another
// device is progress, though: the sound of that one comes late.
type watch struct {
	patience Patience
	streamID string        // the device the system last said it records from
	playFor  time.Duration // the length of the sound to play
	stage    stage
	timer    *time.Timer
}

func newWatch(p Patience, playFor time.Duration) *watch {
	return &watch{patience: p, playFor: playFor, timer: time.NewTimer(p.Hello)}
}

// saw moves on to the next stage and winds the watchdog up again.
func (w *watch) saw(m Message) {
	switch m := m.(type) {
	case Hello:
		w.enter(stageServer, w.patience.Server)
	case Devices:
		w.enter(stageOpen, w.patience.Open)
	case Started:
		w.enter(stageFirst, w.patience.First)
	case PCM:
		w.enter(stageNext, w.patience.Next)
	case State:
		moved := m.StreamDeviceID != "" && w.streamID != "" && m.StreamDeviceID != w.streamID
		w.streamID = cmp.Or(m.StreamDeviceID, w.streamID)
		if moved && w.stage == stageNext {
			w.enter(stageNext, w.patience.Next)
		}
	case Playing:
		// Alone it is followed by nothing until the sound is over; beside a
		// recording the next PCM winds the watch up again.
		w.enter(stagePlay, w.playFor+w.patience.First)
	case Played:
		w.enter(stagePlayed, w.patience.First)
	}
}

func (w *watch) enter(s stage, d time.Duration) {
	w.stage = s
	w.timer.Reset(d)
}

// streams reports whether sound has come or is waited for.
func (w *watch) streams() bool { return w.stage == stageFirst || w.stage == stageNext }

// verdict says what silence at this stage means.
func (w *watch) verdict() *Error {
	switch w.stage {
	case stageHello:
		return &Error{State: report.CaptureDied, Text: "the capture process gave no sign of life"}
	case stageServer:
		return &Error{State: report.CaptureNoServer, Text: "the sound system does not answer"}
	case stageOpen:
		return &Error{State: report.CaptureStalled, Text: "the microphone could not be opened in time"}
	case stageFirst:
		return &Error{State: report.CaptureStalled, Text: "the microphone delivers no sound"}
	case stagePlay:
		return &Error{State: report.CaptureStalled, Text: "the loudspeaker takes no more sound"}
	default:
		return &Error{State: report.CaptureStalled, Text: "the microphone stopped delivering sound"}
	}
}
