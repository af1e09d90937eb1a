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
	"github.com/tonprobe/tonprobe/probe/report"
)

// MaxOthers is how many other microphones are opened at most: each is a
// process, and nobody has more that could be meant.
const MaxOthers = 4

// When another microphone counts as the one with the voice.
const (
	// clearVoiceMS is how much speech it must hear: two or three words.
	clearVoiceMS = 1000
	// clearVoiceDBFS is how loud that must be; the far end of a room is softer.
	clearVoiceDBFS = -50
	// louderByDB is how much louder than at the chosen one a voice must arrive
	// there: a factor of ten in the distance.
	louderByDB = 20
	// noVoiceShare is the share of that speech under which the chosen one heard none.
	noVoiceShare = 0.25
	// leastListenedMS is how much sound makes a microphone listened to.
	leastListenedMS = 1000
)

// others listens to the microphones that were not chosen, each in a capture
// process of its own (Pulse wants one context for each open device, miniaudio
// issue 376). What befalls them disturbs nothing: they are then not listened
// to. A nil *others listens to none.
type others struct {
	ctx      context.Context
	cancel   context.CancelFunc
	config   InputConfig
	progress func(probe.Event)
	log      *slog.Logger
	running  sync.WaitGroup
	ears     []*ear

	mu       sync.Mutex
	chosen   signal.Level // the chosen microphone's present reading
	readings int          // how many there have been
	told     bool
}

func newOthers(ctx context.Context, c InputConfig, progress func(probe.Event), log *slog.Logger) *others {
	ctx, cancel := context.WithCancel(ctx)
	return &others{ctx: ctx, cancel: cancel, config: c, progress: progress, log: log, chosen: signal.Level{RMSDBFS: signal.FloorDBFS}}
}

// listen opens what else there is, once.
func (o *others) listen(devices []capture.Device, chosenID string) {
	if o == nil || o.ears != nil {
		return
	}
	for _, d := range candidates(devices, chosenID) {
		e := &ear{device: d, others: o}
		o.ears = append(o.ears, e)
		o.running.Go(func() {
			if err := e.listen(); err != nil {
				o.log.Debug("another microphone could not be heard to its end", "why", err)
			}
		})
	}
}

// candidates are the other microphones, those first that are likely to be meant.
func candidates(devices []capture.Device, chosenID string) []capture.Device {
	found := slices.DeleteFunc(slices.Clone(devices), func(d capture.Device) bool { return d.IsMonitor || d.ID == chosenID })
	rank := func(d capture.Device) int {
		switch {
		case d.IsDefault, d.IsDefaultComms:
			return 0
		case d.IsBluetooth: // opening it switches the headset's profile
			return 2
		}
		return 1
	}
	slices.SortStableFunc(found, func(a, b capture.Device) int { return cmp.Compare(rank(a), rank(b)) })
	return found[:min(len(found), MaxOthers)]
}

// chosenHears tells what the chosen microphone hears now.
func (o *others) chosenHears(l signal.Level) {
	if o == nil {
		return
	}
	o.mu.Lock()
	o.chosen = l
	o.readings++
	o.mu.Unlock()
}

// stop ends the listening and waits for that.
func (o *others) stop() {
	if o == nil {
		return
	}
	o.cancel()
	o.running.Wait()
}

// report names the microphone with the voice, if it is not the one recorded
// from (recordedID). It is called after stop.
func (o *others) report(d *report.AudioInput, recordedID string, names *namer) {
	if o == nil {
		return
	}
	listened := 0
	var best *ear
	var bestLevel float64
	for _, e := range o.ears {
		if e.analyzer == nil || e.device.ID == recordedID {
			continue
		}
		a := e.analyzer.Analysis()
		if a.DurationMS < leastListenedMS {
			continue
		}
		listened++
		if e.device.IsDefault && isFalse(d.IsDefault) {
			d.DefaultHeard = heardAsWell(a, d)
		}
		if hasTheVoice(a, d) && (best == nil || a.ActiveLevelDBFS > bestLevel) {
			best, bestLevel = e, a.ActiveLevelDBFS
		}
	}
	d.OthersListened = new(listened)
	if best != nil {
		d.VoiceDevice = names.microphone("voice_device", best.device)
		d.VoiceDeviceLevelDBFS = hundredth(bestLevel)
	}
}

// heardAsWell says whether another microphone heard the voice that the chosen one
// heard; nil where that one heard too little to compare with.
func heardAsWell(other signal.Analysis, chosen *report.AudioInput) *bool {
	if chosen.SpeechMS == nil || chosen.ActiveLevelDBFS == nil || *chosen.SpeechMS < clearVoiceMS {
		return nil
	}
	return new(other.SpeechMS >= noVoiceShare**chosen.SpeechMS && other.ActiveLevelDBFS >= clearVoiceDBFS && !other.AllZero &&
		*chosen.ActiveLevelDBFS-other.ActiveLevelDBFS < louderByDB)
}

// hasTheVoice compares what another microphone heard with the chosen one.
func hasTheVoice(other signal.Analysis, chosen *report.AudioInput) bool {
	if other.SpeechMS < clearVoiceMS || other.ActiveLevelDBFS < clearVoiceDBFS {
		return false
	}
	return chosen.SpeechMS == nil || chosen.ActiveLevelDBFS == nil || *chosen.SpeechMS < noVoiceShare*other.SpeechMS ||
		other.ActiveLevelDBFS-*chosen.ActiveLevelDBFS >= louderByDB
}

// ear is one other microphone.
type ear struct {
	device capture.Device
	others *others

	started  capture.Started
	warm     warmUp
	analyzer *signal.Analyzer // nil until the warm-up is over
	heard    voiceTally
	compared int // the chosen one's reading that was last compared with
}

// listen takes in the microphone's sound until the others are stopped.
func (e *ear) listen() error {
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

func (e *ear) handle(m capture.Message) error {
	switch m := m.(type) {
	case capture.Started:
		e.started = m
	case capture.PCM:
		return e.hear(m)
	}
	return nil
}

func (e *ear) hear(m capture.PCM) error {
	samples := e.warm.pass(m, e.started.Channels)
	if !e.warm.done || len(samples) == 0 {
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

// hears is told while another microphone hears speech, and tells the
// participant as soon as it is clear that only that one does.
func (o *others) hears(e *ear, l signal.Level, ms float64) {
	o.mu.Lock()
	// Sound that comes in a burst, after a hiccup, is not of the same moment as
	// the chosen one's last reading.
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

// voiceTally compares two microphones over the time in which the other one
// hears speech. It serves the live offer; the report judges by the analyses.
type voiceTally struct {
	ms, power             float64 // the other one's speech
	chosenMS, chosenPower float64 // what the chosen one heard of it
}

func (v *voiceTally) add(other, chosen signal.Level, ms float64) {
	v.ms += ms
	v.power += ms * power(other.RMSDBFS)
	v.chosenPower += ms * power(chosen.RMSDBFS)
	if chosen.Speech {
		v.chosenMS += ms
	}
}

func (v *voiceTally) isElsewhere() bool {
	if v.ms < clearVoiceMS || v.power < v.ms*power(clearVoiceDBFS) {
		return false
	}
	return v.chosenMS < noVoiceShare*v.ms || v.power >= v.chosenPower*power(louderByDB)
}

func power(db float64) float64 { return math.Pow(10, db/10) }
