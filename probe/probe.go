// Package probe defines the interface of a measurement and runs several of them
// concurrently. It does not depend on a screen, a collector or a disk: a probe receives
// an Env and returns a Result.
package probe

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Probe measures one subject.
//
// The error of Run reports only that the probe could not run. A bad network or a silent
// microphone is a Result, not an error. Run must return soon after ctx is done, with
// what it has measured by then.
type Probe interface {
	Name() string
	// Version is incremented when the meaning of a field changes.
	Version() int
	Run(ctx context.Context, env Env) (Result, error)
}

// Phased is a probe that enters phases with [Env.Enter].
type Phased interface {
	Probe
	// Phases returns the names of all phases that Run may enter. Its step must declare
	// them.
	Phases() []string
}

// Result is what a probe found. The plan adds the name, the version and the times.
type Result struct {
	Status report.Status
	// Note is set if the status is unknown or skipped. It gives the reason in a few
	// English words, without paths, host names or user names, and becomes
	// report.Result.Error.
	Note string
	Data report.Data
}

// Env is everything that a probe may use of its environment.
type Env struct {
	Clock Clock
	// Net opens sockets. Tests use a virtual network.
	Net transport.Net
	// Rand is the source of transaction IDs and random delays.
	Rand io.Reader
	Log  *slog.Logger
	// Progress receives events that are worth showing while the probe runs. It is never
	// nil inside Run, is safe for concurrent use and must not block.
	Progress func(Event)

	// schedule is that of the plan and step the index of the running probe; nil outside
	// of a plan. See Enter.
	schedule *schedule
	step     int
}

// Clock provides the time. Its Now has a monotonic reading.
type Clock interface {
	Now() time.Time
	// Sleep waits for d, or until ctx is done and then returns ctx's error.
	Sleep(ctx context.Context, d time.Duration) error
}

// Event reports the progress of a running probe.
type Event struct {
	// Probe is the name of the probe. The plan sets it.
	Probe string
	Kind  EventKind
	// Level is set for EventLevel.
	Level Level
	// Fraction is set for EventProgress, from 0 to 1.
	Fraction float64
	// Result is set for EventDone and EventPartial.
	Result *report.Result
	// Device is set for EventVoiceElsewhere: the microphone that hears the voice, in
	// the form of audio.InputConfig.Device. It may contain a person's name and must not
	// enter a report.
	Device string
	// DeviceName is set with Device: the name that the system shows. It must not enter
	// a report either.
	DeviceName string
	// Names is set for EventDeviceNames: by field of the result, the system's name of a
	// device that the report names differently. They must not enter a report.
	Names map[string]string
	// Muted is set for EventMuted.
	Muted bool
}

// EventKind is the kind of an Event.
type EventKind int

// The kinds of Event.
const (
	EventStarted        EventKind = iota // the plan started the probe
	EventListening                       // audio.input: the recording has started, please speak
	EventLevel                           // audio.input: a reading for the level meter, about 20 per second
	EventProgress                        // part of the work is done
	EventDone                            // the plan has the probe's result
	EventVoiceElsewhere                  // audio.input: another microphone hears the voice and the selected one does not
	EventMuted                           // audio.input: the system has muted or unmuted the microphone
	EventDeviceNames                     // audio.*: the system's names of devices that the result names differently
	EventPartial                         // audio.input: the intermediate result, four times per second; it never replaces EventDone
)

// Level is one reading of the level meter.
type Level struct {
	RMSDBFS  float64 // over the last 50 ms, floor -120
	PeakDBFS float64
	// Speech is true while the sound is classified as a voice.
	Speech bool
	// ZeroMS is for how long the samples have been exactly zero.
	ZeroMS float64
	// MissingMS is how much more speech is needed, or more sound if the length of the
	// recording is fixed.
	MissingMS float64
}

// SystemClock is the system's clock at its finest resolution.
type SystemClock struct{}

// Sleep waits for d or until ctx is done.
func (SystemClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
