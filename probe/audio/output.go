package audio

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/sound"
	"github.com/tonprobe/tonprobe/probe/report"
)

// OutputConfig configures audio.output.
type OutputConfig struct {
	// Device is the loudspeaker by name or ID. Empty means the default device.
	Device string
	// Input is the microphone, like InputConfig.Device.
	Input string
	// Child returns the command of the process that plays and records; nil means this program.
	Child Child
	// Patience limits the stages. The zero value means capture.DefaultPatience.
	Patience capture.Patience
	// PersonNames is like InputConfig.PersonNames.
	PersonNames []string
}

// loopLimit is the time after which the child terminates itself.
const loopLimit = 20 * time.Second

// NewOutput returns the probe audio.output. It plays a short soft chime and searches
// for it in the microphone's signal. Ask the participant before it runs. It emits
// probe.EventProgress with 0 when playback begins and with 1 when it ends. Its
// Status is ok if the chime was detected, otherwise unknown.
func NewOutput(c OutputConfig) probe.Probe {
	if c.Patience == (capture.Patience{}) {
		c.Patience = capture.DefaultPatience()
	}
	if c.PersonNames == nil {
		c.PersonNames = accountNames()
	}
	return &output{c}
}

type output struct{ config OutputConfig }

func (*output) Name() string { return report.ProbeAudioOutput }

func (*output) Version() int { return 1 }

// Run plays and listens.
func (p *output) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	unknown := func(why string) probe.Result {
		return probe.Result{Status: report.StatusUnknown, Note: report.CleanText(why)}
	}
	if !capture.Built {
		return unknown(noteNotBuilt), nil
	}
	log := env.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	l := &loop{sound: chime(), progress: env.Progress, names: newNamer(p.config.PersonNames)}
	s := capture.Session{
		Request: capture.Request{
			Op: capture.OpLoop, Device: p.config.Input, Output: p.config.Device, Channels: 1, Blind: true,
			LimitMS: loopLimit.Milliseconds(),
		},
		Patience: p.config.Patience,
		Sound:    l.sound,
		Log:      log,
	}
	if p.config.Child != nil {
		s.Command = p.config.Child(ctx)
	}
	err := s.Run(ctx, l.handle)
	_, text, failed := errorState(err)
	defer func() { l.names.tell(l.progress) }()
	switch {
	case err == nil:
		return p.outcome(l), nil
	case failed:
		log.Info("loudspeaker test ended early", "why", text)
		r := unknown(text)
		if l.playing != nil { // the mute state is known in any case
			r.Data = l.device()
		}
		return r, nil
	case ctx.Err() != nil:
		return unknown("stopped before the sound was over"), nil
	}
	return probe.Result{}, err
}

// outcome sets a coarse status. A chime that was not detected says nothing about
// the loudspeaker unless the microphone is known to work. Package diagnose decides
// that and raises the status.
func (p *output) outcome(l *loop) probe.Result {
	d := l.data()
	r := probe.Result{Status: report.StatusOK, Data: d}
	if !*d.LoopHeard {
		r = probe.Result{Status: report.StatusUnknown, Note: "the microphone did not hear the test sound", Data: d}
	}
	return r
}

// device returns the system's state of the loudspeaker at the end.
func (l *loop) device() *report.AudioOutput {
	dev := l.playing.Device
	d := &report.AudioOutput{
		Device:  l.names.loudspeaker("device", dev),
		OSMuted: l.playing.Muted, OSVolumeDB: l.playing.VolumeDB,
	}
	if l.played != nil && l.played.Muted != nil {
		d.OSMuted, d.OSVolumeDB = l.played.Muted, l.played.VolumeDB
	}
	return d
}

func (l *loop) data() *report.AudioOutput {
	d := l.device()
	echo := l.echo()
	d.LoopHeard = new(echo.heard)
	if echo.heard {
		d.LoopDelayMS, d.EchoReturnDB = sound.Hundredth(echo.lagMS), sound.Hundredth(echo.returnDB)
	}
	return d
}

// playLimit is the time after which a playing child terminates itself.
const playLimit = KeptFor + 20*time.Second

// errNotPlayed reports a child that exited without an error and without playing.
var errNotPlayed = errors.New("the sound was not played")

// play plays sound once through the default loudspeaker.
func play(ctx context.Context, child Child, sound []float32, channels int) error {
	if !capture.Built {
		return &DeviceError{State: report.CaptureNotBuilt, Text: noteNotBuilt}
	}
	s := capture.Session{
		Request:  capture.Request{Op: capture.OpPlay, Channels: channels, LimitMS: playLimit.Milliseconds()},
		Patience: capture.DefaultPatience(),
		Sound:    sound,
	}
	if child != nil {
		s.Command = child(ctx)
	}
	played := false
	err := s.Run(ctx, func(m capture.Message) error {
		if _, ok := m.(capture.Played); ok {
			played = true
			return capture.ErrEnough
		}
		return nil
	})
	if err == nil && !played {
		return errNotPlayed
	}
	return err
}
