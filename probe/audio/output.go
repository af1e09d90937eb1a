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

// OutputConfig says what audio.output plays through and listens with.
type OutputConfig struct {
	// Device is the loudspeaker by name or ID; empty for the default one.
	Device string
	// Input is the microphone, as InputConfig.Device.
	Input string
	// After is closed when the microphone is free and nobody speaks any more
	// (when audio.input is done); nil means at once.
	After <-chan struct{}
	// Child makes the process that plays and records; nil for this program itself.
	Child Child
	// Patience bounds the stages; the zero value means capture.DefaultPatience.
	Patience capture.Patience
	// PersonNames are as in InputConfig.
	PersonNames []string
}

const (
	// listenAfter is how long the microphone goes on after the sound: Bluetooth
	// on both sides can take half a second.
	listenAfter = time.Second
	// loopLimit ends the child by itself.
	loopLimit = 20 * time.Second
)

// NewOutput is the probe audio.output: it plays a short soft sound and listens
// for it with the microphone. Ask the participant before it runs. When the
// sound begins it emits probe.EventProgress with 0, and with 1 when it is over.
// Its Status is ok when it could listen, whether anything was heard or not.
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

// Run waits for After, plays, and listens.
func (p *output) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	unknown := func(why string) probe.Result {
		return probe.Result{Status: report.StatusUnknown, Note: report.CleanText(why)}
	}
	if !capture.Built {
		return unknown(noteNotBuilt), nil
	}
	if p.config.After != nil {
		select {
		case <-p.config.After:
		case <-ctx.Done():
			return unknown("stopped before the loudspeaker's turn"), nil
		}
	}
	log := env.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	l := &loop{sound: chime(), progress: env.Progress}
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
	switch {
	case err == nil:
		return probe.Result{Status: report.StatusOK, Data: l.data(p.config.PersonNames)}, nil
	case failed:
		log.Info("loudspeaker test ended early", "why", text)
		return unknown(text), nil
	case ctx.Err() != nil:
		return unknown("stopped before the sound was over"), nil
	}
	return probe.Result{}, err
}

// loop is one sound on its way from the loudspeaker to the microphone.
type loop struct {
	sound    []float32
	progress func(probe.Event)

	channels int
	playing  *capture.Playing
	heard    []float32 // one channel
	heardAt  int64     // ns, of heard's first sample
}

func (l *loop) handle(m capture.Message) error {
	switch m := m.(type) {
	case capture.Started:
		l.channels = m.Channels
	case capture.Playing:
		l.playing = &m
		l.progress(probe.Event{Kind: probe.EventProgress, Fraction: 0})
	case capture.Played:
		l.progress(probe.Event{Kind: probe.EventProgress, Fraction: 1})
	case capture.PCM:
		return l.hear(m)
	}
	return nil
}

// hear keeps everything from the stream's start on, as the message that says
// when the sound began may come after the microphone has heard it.
func (l *loop) hear(m capture.PCM) error {
	frames := len(m.Samples) / l.channels
	// A callback brings what was recorded up to its own time.
	begin := m.AtNS - nanoseconds(frames)
	if len(l.heard) == 0 {
		l.heardAt = begin
	}
	// Sound that was lost would shift everything behind it.
	if missing := int((begin - l.heardAt) * capture.RateHz / 1e9); missing > len(l.heard)+capture.RateHz/10 {
		l.heard = append(l.heard, make([]float32, min(missing-len(l.heard), capture.RateHz))...)
	}
	for i := range frames {
		l.heard = append(l.heard, m.Samples[i*l.channels])
	}
	if l.playing != nil && m.AtNS >= l.playing.AtNS+nanoseconds(len(l.sound))+listenAfter.Nanoseconds() {
		return capture.ErrEnough
	}
	return nil
}

func nanoseconds(frames int) int64 { return int64(frames) * 1e9 / capture.RateHz }

func (l *loop) data(persons []string) *report.AudioOutput {
	dev := l.playing.Device
	d := &report.AudioOutput{
		Device:  report.DeviceName(publicName(dev.Name, dev.IsBluetooth, persons)),
		OSMuted: l.playing.Muted, OSVolumeDB: l.playing.VolumeDB,
	}
	skip := max(0, int((l.playing.AtNS-l.heardAt)*capture.RateHz/1e9))
	echo := findChime(l.sound, l.heard[min(skip, len(l.heard)):])
	d.LoopHeard = new(echo.Heard())
	if echo.Heard() {
		d.LoopDelayMS, d.EchoReturnDB = hundredth(echo.LagMS), hundredth(echo.ReturnDB)
	}
	return d
}

// playLimit ends a playing child by itself.
const playLimit = KeptFor + 20*time.Second

// errNotPlayed is for a child that ended in peace without having played.
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
