// Package probe defines what a measurement is and runs several of them side by
// side. It knows no screen, no collector and no disk: a probe takes an Env and
// returns a Result.
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
// The error of Run says only that the probe could not run. A bad network or a
// silent microphone is a Result, not an error. Run must return soon after ctx
// is done, with whatever it has measured so far.
type Probe interface {
	Name() string
	// Version rises when the meaning of a field changes.
	Version() int
	Run(ctx context.Context, env Env) (Result, error)
}

// Result is what a probe found. The plan adds name, version and times.
type Result struct {
	Status report.Status
	// Note is set when the status is unknown or skipped: why, in a few English
	// words, without paths, hosts or user names. It becomes report.Result.Error.
	Note string
	Data report.Data
}

// Env is everything a probe may use of the world outside.
type Env struct {
	Clock Clock
	// Net opens sockets; a virtual network can stand in.
	Net transport.Net
	// Rand is the source of transaction ids and of random delays.
	Rand io.Reader
	Log  *slog.Logger
	// Progress receives what is worth showing while the probe runs. It is never
	// nil inside Run, is safe for concurrent use and must not block.
	Progress func(Event)

	// schedule is that of the plan, and step the place of the running probe in
	// it; nil outside of a plan. See Enter.
	schedule *schedule
	step     int
}

// Clock is the time. Its Now carries a monotonic reading.
type Clock interface {
	Now() time.Time
	// Sleep waits for d or until ctx is done, and then returns ctx's error.
	Sleep(ctx context.Context, d time.Duration) error
}

// Event is a step of a running probe.
type Event struct {
	// Probe is the name of the probe; the plan fills it in.
	Probe string
	Kind  EventKind
	// Level is set for EventLevel.
	Level Level
	// Fraction is 0..1 for EventProgress.
	Fraction float64
	// Result is set for EventDone and EventPartial.
	Result *report.Result
	// Device is set for EventVoiceElsewhere: the microphone that hears the
	// voice, as audio.InputConfig.Device takes it. It may hold a person's name:
	// for this machine only, never for a report.
	Device string
	// DeviceName is set with Device: the name the system shows. Local as well.
	DeviceName string
	// Names is set for EventDeviceNames: what the system calls the devices in
	// fields of the result where the report has another name. Local as well.
	Names map[string]string
	// Muted is set for EventMuted.
	Muted bool
}

// EventKind says what an Event carries.
type EventKind int

// The kinds of Event.
const (
	EventStarted        EventKind = iota // the plan started the probe
	EventListening                       // audio.input: sound arrives now, please speak
	EventLevel                           // audio.input: a reading for the meter, about 20 a second
	EventProgress                        // a part of the work is done
	EventDone                            // the plan has the probe's result
	EventVoiceElsewhere                  // audio.input: another microphone hears the voice, the chosen one does not
	EventMuted                           // audio.input: the system has muted the microphone, or lifted that
	EventDeviceNames                     // audio.*: what this system calls the devices that the result names otherwise
	EventPartial                         // audio.input: what is known so far, four times a second; it never replaces EventDone
)

// Level is one reading of the meter.
type Level struct {
	RMSDBFS  float64 // over the last 50 ms, floor -120
	PeakDBFS float64
	// Speech is true while the sound is judged to be a voice.
	Speech bool
	// ZeroMS is how long the samples have been exactly zero up to now.
	ZeroMS float64
	// MissingMS is how much more speech is wanted, or sound where the length of
	// the capture is fixed.
	MissingMS float64
}

// SystemClock is the machine's clock, as finely as the system tells the time.
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
