package audio

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/audio/sound"
	"github.com/tonprobe/tonprobe/probe/guard"
	"github.com/tonprobe/tonprobe/probe/report"
)

// MaxOthers is the largest number of other microphones to open. Each needs a
// process of its own.
const MaxOthers = 4

// These constants decide whether another microphone, and not the chosen one, receives the
// voice.
const (
	// clearVoiceMS is the amount of speech that the other microphone must receive: two or three
	// words.
	clearVoiceMS = 1000
	// clearVoiceDBFS is the minimum level of that speech. A voice from the far end of
	// a room is softer.
	clearVoiceDBFS = -50
	// louderByDB is how much louder the voice must be at the other microphone than at the
	// chosen one. 20 dB corresponds to a factor of ten in distance.
	louderByDB = 20
	// noVoiceShare is a share of the speech at the other microphone. If the chosen microphone
	// receives less, it did not receive the voice.
	noVoiceShare = 0.25
	// minListenedMS is the amount of sound required to evaluate a microphone.
	minListenedMS = 1000
)

// others records from the microphones that were not chosen, each in a capture
// process of its own (PulseAudio needs one context per open device, miniaudio
// issue 376). A failure of one of them affects nothing else: that microphone is
// not evaluated. A nil *others records from none.
type others struct {
	ctx         context.Context
	cancel      context.CancelFunc
	config      InputConfig
	progress    func(probe.Event)
	log         *slog.Logger
	running     guard.Group
	microphones []*otherMicrophone

	mu       sync.Mutex
	chosen   signal.Level // latest reading of the chosen microphone
	readings int          // number of readings so far
	told     bool
}

func newOthers(ctx context.Context, c InputConfig, progress func(probe.Event), log *slog.Logger) *others {
	ctx, cancel := context.WithCancel(ctx)
	return &others{ctx: ctx, cancel: cancel, config: c, progress: progress, log: log, chosen: signal.Level{RMSDBFS: signal.FloorDBFS}}
}

// listen opens the other microphones. Only the first call has an effect.
func (o *others) listen(devices []capture.Device, chosenID string) {
	if o == nil || o.microphones != nil {
		return
	}
	for _, d := range candidates(devices, chosenID) {
		e := &otherMicrophone{device: d, others: o}
		o.microphones = append(o.microphones, e)
		o.running.Go(func() {
			if err := e.listen(); err != nil {
				o.log.Debug("another microphone stopped early", "why", err)
			}
		})
	}
}

// candidates returns the other microphones, the most plausible ones first.
func candidates(devices []capture.Device, chosenID string) []capture.Device {
	found := slices.DeleteFunc(slices.Clone(devices), func(d capture.Device) bool { return d.IsMonitor || d.ID == chosenID })
	rank := func(d capture.Device) int {
		switch {
		case d.IsDefault, d.IsDefaultComms:
			return 0
		case d.IsBluetooth: // opening it would switch the headset's profile
			return 2
		}
		return 1
	}
	slices.SortStableFunc(found, func(a, b capture.Device) int { return cmp.Compare(rank(a), rank(b)) })
	return found[:min(len(found), MaxOthers)]
}

// chosenHears records the latest reading of the chosen microphone.
func (o *others) chosenHears(l signal.Level) {
	if o == nil {
		return
	}
	o.mu.Lock()
	o.chosen = l
	o.readings++
	o.mu.Unlock()
}

// stop ends the recordings and waits for them.
func (o *others) stop() {
	if o == nil {
		return
	}
	o.cancel()
	o.running.Wait()
}

// report names the microphone that received the voice, unless it is recordedID. It
// is called after stop.
func (o *others) report(d *report.AudioInput, recordedID string, names *namer) {
	if o == nil {
		return
	}
	listened := 0
	var best *otherMicrophone
	var bestLevel float64
	for _, e := range o.microphones {
		if e.analyzer == nil || e.device.ID == recordedID {
			continue
		}
		a := e.analyzer.Analysis()
		if a.DurationMS < minListenedMS {
			continue
		}
		listened++
		if e.device.IsDefault && isFalse(d.IsDefault) {
			d.DefaultHeard = heardAsWell(a, d)
		}
		if e.device.IsDefaultComms && d.CommsDevice != "" {
			d.CommsHeard = heardAsWell(a, d)
		}
		if hasTheVoice(a, d) && (best == nil || a.ActiveLevelDBFS > bestLevel) {
			best, bestLevel = e, a.ActiveLevelDBFS
		}
	}
	d.OthersListened = new(listened)
	if best != nil {
		d.VoiceDevice = names.microphone("voice_device", best.device)
		d.VoiceDeviceLevelDBFS = sound.Hundredth(bestLevel)
	}
}

// heardAsWell reports whether another microphone received the voice that the chosen one
// received. It is nil if the chosen one received too little speech for a comparison.
func heardAsWell(other signal.Analysis, chosen *report.AudioInput) *bool {
	if chosen.SpeechMS == nil || chosen.ActiveLevelDBFS == nil || *chosen.SpeechMS < clearVoiceMS {
		return nil
	}
	return new(other.SpeechMS >= noVoiceShare**chosen.SpeechMS && other.ActiveLevelDBFS >= clearVoiceDBFS && !other.AllZero &&
		*chosen.ActiveLevelDBFS-other.ActiveLevelDBFS < louderByDB)
}

// hasTheVoice reports whether another microphone, rather than the chosen one,
// received the voice.
func hasTheVoice(other signal.Analysis, chosen *report.AudioInput) bool {
	if other.SpeechMS < clearVoiceMS || other.ActiveLevelDBFS < clearVoiceDBFS {
		return false
	}
	return chosen.SpeechMS == nil || chosen.ActiveLevelDBFS == nil || *chosen.SpeechMS < noVoiceShare*other.SpeechMS ||
		other.ActiveLevelDBFS-*chosen.ActiveLevelDBFS >= louderByDB
}

// otherMicrophone records from one microphone that was not chosen.
type otherMicrophone struct {
	device capture.Device
	others *others

	started  capture.Started
	warm     sound.WarmUp
	analyzer *signal.Analyzer // nil until the warm-up is over
	heard    voiceComparison
	compared int // the reading of the chosen microphone in the last comparison
}

// listen processes the microphone's samples until others.stop is called.
func (e *otherMicrophone) listen() error {
	c := e.others.config
	s := capture.Session{
		Request:  capture.Request{Op: capture.OpCapture, Device: e.device.ID, Blind: true, LimitMS: c.limit().Milliseconds()},
		Patience: c.Patience,
		Log:      e.others.log,
	}
	if c.Child != nil {
		s.Command = c.Child(e.others.ctx)
	}
	return s.Run(e.others.ctx, e.handle)
}

func (e *otherMicrophone) handle(m capture.Message) error {
	switch m := m.(type) {
	case capture.Started:
		e.started = m
	case capture.PCM:
		return e.hear(m)
	}
	return nil
}

func (e *otherMicrophone) hear(m capture.PCM) error {
	samples := e.warm.Pass(m.Samples, m.AtNS, e.started.Channels)
	if !e.warm.Done || len(samples) == 0 {
		return nil
	}
	if e.analyzer == nil {
		a, err := signal.NewAnalyzer(signal.Format{RateHz: e.started.RateHz, Channels: e.started.Channels})
		if err != nil {
			return err
		}
		e.analyzer = a
	}
	e.analyzer.Write(samples)
	if l := e.analyzer.Level(); l.Speech {
		e.others.hears(e, l, frameMS(len(samples)/e.started.Channels))
	}
	return nil
}

// hears compares both microphones while another one receives speech. It emits an event as soon
// as it is clear that only the other one receives the voice.
func (o *others) hears(e *otherMicrophone, l signal.Level, ms float64) {
	o.mu.Lock()
	// Samples that arrive in a burst after a stall do not belong to the same moment
	// as the latest reading of the chosen microphone.
	if e.compared != o.readings {
		e.compared = o.readings
		e.heard.add(l, o.chosen, ms)
	}
	tell := !o.told && e.heard.isElsewhere()
	o.told = o.told || tell
	o.mu.Unlock()
	if tell {
		o.progress(probe.Event{Kind: probe.EventVoiceElsewhere, Device: e.device.ID, DeviceName: e.device.Name})
	}
}

// voiceComparison compares two microphones while the other one receives speech. It is
// used for the live suggestion only; the report uses the complete analyses.
type voiceComparison struct {
	ms, power             float64 // speech at the other microphone
	chosenMS, chosenPower float64 // the level at the chosen microphone during that speech
}

func (v *voiceComparison) add(other, chosen signal.Level, ms float64) {
	v.ms += ms
	v.power += ms * power(other.RMSDBFS)
	v.chosenPower += ms * power(chosen.RMSDBFS)
	if chosen.Speech {
		v.chosenMS += ms
	}
}

func (v *voiceComparison) isElsewhere() bool {
	if v.ms < clearVoiceMS || v.power < v.ms*power(clearVoiceDBFS) {
		return false
	}
	return v.chosenMS < noVoiceShare*v.ms || v.power >= v.chosenPower*power(louderByDB)
}

func power(db float64) float64 { return math.Pow(10, db/10) }
