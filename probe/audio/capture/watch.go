package capture

import (
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
)

// watch is the watchdog over one child. Only progress feeds it: a child whose
// stream has died goes on sending states.
type watch struct {
	patience Patience
	stage    stage
	timer    *time.Timer
}

func newWatch(p Patience) *watch {
	return &watch{patience: p, timer: time.NewTimer(p.Hello)}
}

// saw moves on to the next stage and winds the watchdog up again.
func (w *watch) saw(m Message) {
	switch m.(type) {
	case Hello:
		w.enter(stageServer, w.patience.Server)
	case Devices:
		w.enter(stageOpen, w.patience.Open)
	case Started:
		w.enter(stageFirst, w.patience.First)
	case PCM:
		w.enter(stageNext, w.patience.Next)
	}
}

func (w *watch) enter(s stage, d time.Duration) {
	w.stage = s
	w.timer.Reset(d)
}

// verdict says what silence at this stage means.
func (w *watch) verdict() *Error {
	switch w.stage {
	case stageHello:
		return &Error{report.CaptureDied, "the capture process gave no sign of life"}
	case stageServer:
		return &Error{report.CaptureNoServer, "the sound system does not answer"}
	case stageOpen:
		return &Error{report.CaptureStalled, "the microphone could not be opened in time"}
	case stageFirst:
		return &Error{report.CaptureStalled, "the microphone delivers no sound"}
	default:
		return &Error{report.CaptureStalled, "the microphone stopped delivering sound"}
	}
}
