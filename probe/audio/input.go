package audio

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/report"
)

// LongestCapture is the longest capture whose length is not fixed: the room, the
// wait for a voice, and what it says.
const LongestCapture = quietLead + longestListen

// startAllowance is what a child may need besides the capture before its own
// limit ends it: all of DefaultPatience, the warm-up and some.
const startAllowance = 20 * time.Second

// InputConfig says what audio.input records.
type InputConfig struct {
	// Device is a name or ID as Devices lists it; empty for the default device.
	Device string
	// SpeakFor is how much sound is wanted from EventListening on, whatever is
	// said; the half second of room before it comes on top. 0 means until enough
	// speech was heard, at most LongestCapture in all.
	SpeakFor time.Duration
	// Child makes the capture process; nil for this program itself.
	Child Child
	// Patience bounds the stages of a capture; the zero value means capture.DefaultPatience.
	Patience capture.Patience
	// Others listens to the other microphones too (monitors never, at most
	// MaxOthers), to find out whether one of them hears the voice that the chosen
	// one does not. Of what they hear only level and speech are judged.
	Others bool
	// Keep, if not nil, holds the end of what was heard, for the participant to
	// listen to; what it held before is erased when the capture begins.
	Keep *Recording
	// PersonNames are names that must not stay in a device's name; nil means
	// those of the account the program runs under.
	PersonNames []string
}

// NewInput is the probe audio.input. Its Status is coarse: fail when no voice
// can get through (no device, muted, silent, stalled), unknown when it could
// not tell; the levels are judged by package diagnose.
func NewInput(c InputConfig) probe.Probe {
	c.SpeakFor = max(0, c.SpeakFor)
	if c.Patience == (capture.Patience{}) {
		c.Patience = capture.DefaultPatience()
	}
	if c.PersonNames == nil {
		c.PersonNames = accountNames()
	}
	return &input{c}
}

// limit is when a capture process ends itself.
func (c InputConfig) limit() time.Duration {
	return min(max(c.SpeakFor, LongestCapture)+startAllowance, capture.MaxLimit)
}

type input struct{ config InputConfig }

const (
	inputVersion = 1
	noteNotBuilt = "built without audio"
)

func (*input) Name() string { return report.ProbeAudioInput }

func (*input) Version() int { return inputVersion }

// Run records until it has enough, ctx is done, or the capture comes to grief.
func (p *input) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	if !capture.Built {
		return result(&report.AudioInput{State: report.CaptureNotBuilt}, noteNotBuilt), nil
	}
	log := env.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := capture.Session{
		Request:  capture.Request{Op: capture.OpCapture, Device: p.config.Device, LimitMS: p.config.limit().Milliseconds()},
		Patience: p.config.Patience,
		Log:      log,
	}
	if p.config.Child != nil {
		s.Command = p.config.Child(ctx)
	}
	rec := newTake(p.config.SpeakFor, p.config.PersonNames, env.Progress)
	p.config.Keep.Erase()
	rec.keep = p.config.Keep
	if p.config.Others {
		rec.others = newOthers(ctx, p.config, env.Progress, log)
		defer rec.others.stop()
	}
	err := s.Run(ctx, rec.handle)
	rec.others.stop()
	state, text, failed := errorState(err)
	switch {
	case err == nil:
		state = report.CaptureComplete
	case failed:
		log.Info("capture ended early", "state", state, "why", text)
	case ctx.Err() == nil:
		return probe.Result{}, err
	case rec.analyzer == nil:
		return probe.Result{Status: report.StatusUnknown, Note: "stopped before any sound was recorded"}, nil
	default:
		state = report.CaptureComplete // cut short: what there is counts
	}
	data := rec.data(state)
	if e, ok := errors.AsType[*DeviceError](err); ok {
		data.NoSoundReason = e.Reason
	}
	rec.others.report(data, rec.recordedID(), rec.names)
	rec.names.tell(rec.progress)
	return result(data, text), nil
}

// result judges data coarsely. The note goes out only with an unknown status.
func result(d *report.AudioInput, note string) probe.Result {
	r := probe.Result{Status: coarseStatus(d), Data: d}
	if r.Status == report.StatusUnknown {
		r.Note = report.CleanText(note)
	}
	return r
}

func coarseStatus(d *report.AudioInput) report.Status {
	switch d.State {
	case report.CaptureComplete:
		if isTrue(d.OSMuted) || isTrue(d.AllZero) || isTrue(d.IsMonitor) || isTrue(d.Unplugged) || isTrue(d.EndIsMonitor) {
			return report.StatusFail
		}
		return report.StatusOK
	case report.CaptureNotBuilt, report.CaptureDied, report.CaptureNoSession:
		return report.StatusUnknown
	}
	return report.StatusFail
}

func isTrue(b *bool) bool { return b != nil && *b }
