package audio

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/capture"
	"github.com/tonprobe/tonprobe/probe/audio/signal"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestCandidates(t *testing.T) {
	var devices []capture.Device
	for i := range 4 {
		devices = append(devices, capture.Device{ID: fmt.Sprint("usb", i)})
	}
	devices = append(devices, capture.Device{ID: "mon", IsMonitor: true}, capture.Device{ID: "bt", IsBluetooth: true}, capture.Device{ID: "comms", IsDefaultComms: true})
	got := candidates(devices, "usb1")
	var ids []string
	for _, d := range got {
		ids = append(ids, d.ID)
	}
	if fmt.Sprint(ids) != "[comms usb0 usb2 usb3]" {
		t.Errorf("got candidates %v, want [comms usb0 usb2 usb3]", ids)
	}
	if got := candidates(devices[:1], "usb0"); len(got) != 0 {
		t.Errorf("got candidates %v, want none", got)
	}
}

func TestVoiceTally(t *testing.T) {
	level := func(db float64, speech bool) signal.Level { return signal.Level{RMSDBFS: db, Speech: speech} }
	for _, c := range []struct {
		name          string
		other, chosen signal.Level
		ms            float64
		want          bool
	}{
		{"only the other", level(-28, true), level(-90, false), 1040, true},
		{"not for long enough", level(-28, true), level(-90, false), 960, false},
		{"too soft to be sure", level(-55, true), level(-90, false), 2000, false},
		{"both", level(-28, true), level(-35, true), 2000, false},
		{"both, the chosen much softer", level(-28, true), level(-49, true), 2000, true},
		{"the chosen hears noise", level(-28, true), level(-25, false), 2000, true},
	} {
		var v voiceComparison
		for ms := 0.0; ms < c.ms; ms += 40 {
			v.add(c.other, c.chosen, 40)
		}
		if got := v.isElsewhere(); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestHasTheVoice(t *testing.T) {
	voice := signal.Analysis{SpeechMS: 3000, ActiveLevelDBFS: -25}
	for _, c := range []struct {
		name   string
		other  signal.Analysis
		chosen report.AudioInput
		want   bool
	}{
		{"the chosen has none", voice, report.AudioInput{SpeechMS: new(100.0), ActiveLevelDBFS: new(-100.0)}, true},
		{"the chosen gave nothing", voice, report.AudioInput{}, true},
		{"the chosen is 20 dB softer", voice, report.AudioInput{SpeechMS: new(3000.0), ActiveLevelDBFS: new(-45.0)}, true},
		{"the chosen is 19 dB softer", voice, report.AudioInput{SpeechMS: new(3000.0), ActiveLevelDBFS: new(-44.0)}, false},
		{"the other hears little", signal.Analysis{SpeechMS: 900, ActiveLevelDBFS: -25}, report.AudioInput{}, false},
		{"the other hears softly", signal.Analysis{SpeechMS: 3000, ActiveLevelDBFS: -51}, report.AudioInput{}, false},
	} {
		if got := hasTheVoice(c.other, &c.chosen); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// TestBurstIsNotAVoiceElsewhere: after a stall a second of sound arrives at once, which is too
// little to compare.
func TestBurstIsNotAVoiceElsewhere(t *testing.T) {
	o := newOthers(t.Context(), InputConfig{}, func(probe.Event) { t.Error("unexpected event") }, slog.New(slog.DiscardHandler))
	e := &otherMicrophone{others: o}
	o.chosenHears(signal.Level{RMSDBFS: -90})
	for range 50 {
		o.hears(e, signal.Level{RMSDBFS: -25, Speech: true}, 60)
	}
}
