package capture

import (
	"cmp"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// stage is the progress of a child.
type stage int

const (
	stageHello  stage = iota // the process starts
	stageServer              // the child connects to the sound system
	stageOpen                // the child opens the device
	stageFirst               // the child waits for the first samples
	stageNext                // the child streams
	stagePlay                // the child plays
	stagePlayed              // the child has played
)

// watch is the watchdog of one child. Only progress resets it: a child whose stream
// has died keeps sending states. A move of the stream to another device is progress,
// because the samples of that device arrive late.
type watch struct {
	patience Patience
	streamID string        // the device that the system last reported as the source
	playFor  time.Duration // length of the sound to play
	stage    stage
	timer    *time.Timer
}

func newWatch(p Patience, playFor time.Duration) *watch {
	return &watch{patience: p, playFor: playFor, timer: time.NewTimer(p.Hello)}
}

// saw advances to the next stage and resets the watchdog.
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
		// Without a recording nothing follows until playback ends; with one, the next PCM
		// resets the watchdog.
		w.enter(stagePlay, w.playFor+w.patience.First)
	case Played:
		w.enter(stagePlayed, w.patience.First)
	}
}

func (w *watch) enter(s stage, d time.Duration) {
	w.stage = s
	w.timer.Reset(d)
}

// streams reports whether samples have arrived or are expected.
func (w *watch) streams() bool { return w.stage == stageFirst || w.stage == stageNext }

// verdict returns the meaning of silence at this stage.
func (w *watch) verdict() *Error {
	switch w.stage {
	case stageHello:
		return &Error{State: report.CaptureDied, Text: "the capture process does not respond"}
	case stageServer:
		return &Error{State: report.CaptureNoServer, Text: "the sound system does not answer"}
	case stageOpen:
		return &Error{State: report.CaptureStalled, Text: "the microphone could not be opened in time"}
	case stageFirst:
		return &Error{State: report.CaptureStalled, Text: "the microphone delivers no sound"}
	case stagePlay:
		return &Error{State: report.CaptureStalled, Text: "the loudspeaker stopped accepting sound"}
	default:
		return &Error{State: report.CaptureStalled, Text: "the microphone stopped delivering sound"}
	}
}
