package audio

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/browserpolicy"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/audio/sound"
	"github.com/tonprobe/tonprobe/probe/report"
)

// LongestCapture is the maximum length of a capture without a fixed length: the quiet lead, the
// wait for a voice, and the speech. A capture that ends in silence may be extended beyond it by
// sound.EndExtension.
const LongestCapture = sound.QuietLead + sound.LongestListen

// startAllowance is the time a child may need in addition to the capture before it
// terminates itself: the sum of DefaultPatience, the warm-up and a margin.
const startAllowance = 20 * time.Second

// InputConfig configures audio.input.
type InputConfig struct {
	// Device is a name or ID from Devices. Empty means the default device.
	Device string
	// SpeakFor is the length of the recording from EventListening on, in addition to
	// the quiet lead of half a second. 0 means until enough speech was heard, at
	// most LongestCapture in total.
	SpeakFor time.Duration
	// Child returns the command of the capture process; nil means this program.
	Child Child
	// Patience limits the stages of a capture. The zero value means capture.DefaultPatience.
	Patience capture.Patience
	// Others also records from the other microphones (never from monitors, at most
	// MaxOthers) to find out whether one of them receives the voice that the chosen
	// one does not. Only their level and speech activity are evaluated.
	Others bool
	// Keep, if not nil, holds the end of the recording for playback to the
	// participant. Its previous content is erased when the capture begins.
	Keep *Recording
	// Remote reports whether this is a session of a remote desktop; nil means
	// [osstate.RemoteSession].
	Remote func() *bool
	// Site is the host of the conference system, whose page may be exempt from a browser's
	// policies; "" if it is unknown.
	Site string
	// Policies returns the browsers' policies; nil means [browserpolicy.Read].
	Policies func() []browserpolicy.Browser
	// PersonNames are names to remove from device names. nil means the names of the
	// account under which the program runs.
	PersonNames []string
}

// NewInput returns the probe audio.input. Its Status is coarse: fail if no voice can
// be heard (no device, muted, silent, stalled), unknown if that could not be
// determined. Package diagnose evaluates the levels.
func NewInput(c InputConfig) probe.Probe {
	c.SpeakFor = max(0, c.SpeakFor)
	if c.Patience == (capture.Patience{}) {
		c.Patience = capture.DefaultPatience()
	}
	if c.Remote == nil {
		c.Remote = osstate.RemoteSession
	}
	if c.Policies == nil {
		c.Policies = browserpolicy.Read
	}
	if c.PersonNames == nil {
		c.PersonNames = accountNames()
	}
	return &input{c}
}

// limit returns the time after which a capture process terminates itself.
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

// Run records until it has enough, ctx is done, or the capture fails.
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
		state = report.CaptureComplete // interrupted: the part that was recorded counts
	}
	data := rec.data(state)
	if e, ok := errors.AsType[*DeviceError](err); ok {
		data.NoSoundReason = e.Reason
	}
	data.RemoteSession = p.config.Remote()
	data.BlockedBrowsers = strings.Join(browserpolicy.Names(p.config.Policies(), p.config.Site), ", ")
	rec.others.report(data, rec.recordedID(), rec.names)
	rec.names.tell(rec.progress)
	return result(data, text), nil
}

// result sets a coarse status. note is reported only with the status unknown.
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
