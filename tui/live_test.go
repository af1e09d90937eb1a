package tui

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestFaultOrAdvice: either the fault or the coach's advice is shown, whichever is more
// specific.
func TestFaultOrAdvice(t *testing.T) {
	monitor := func(in *report.AudioInput) { in.IsMonitor = new(true) }
	quiet := func(in *report.AudioInput) { in.ActiveLevelDBFS = new(-45.0) }
	humming := func(in *report.AudioInput) {
		in.HumHz, in.HumDBFS, in.HumProminenceDB = new(50.0), new(-40.0), new(25.0)
	}
	zero := probe.Level{RMSDBFS: -120, PeakDBFS: -120, ZeroMS: 1500}
	mute := probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventMuted, Muted: true}
	for name, tt := range map[string]struct {
		play func(*stand)
		want string // "" means the coach's advice
	}{
		"no fault":                        {func(s *stand) { s.speak(time.Second, -27, -14).agree(unchanged) }, ""},
		"detected twice":                  {func(s *stand) { s.speak(time.Second, -27, -14).look(noisy).look(noisy) }, ""},
		"detected often enough":           {func(s *stand) { s.speak(time.Second, -27, -14).agree(noisy) }, "audio.noise"},
		"gone again":                      {func(s *stand) { s.agree(noisy).agree(unchanged) }, ""},
		"too quiet is the coach's":        {func(s *stand) { s.speak(3*time.Second, -46, -30).agree(quiet) }, ""},
		"the reason for too quiet is not": {func(s *stand) { s.speak(3*time.Second, -46, -30).agree(turnedDown) }, "audio.os_volume_low"},
		"nobody speaks":                   {func(s *stand) { s.event(0, levelEvent(probe.Level{RMSDBFS: -60})).agree(unspoken) }, "audio.no_speech"},
		"somebody speaks after all":       {func(s *stand) { s.speak(2*time.Second, -27, -14).agree(unspoken) }, ""},
		"no sound any more":               {func(s *stand) { s.agree(humming).event(0, levelEvent(zero)) }, ""},
		"the reason for no sound":         {func(s *stand) { s.agree(monitor).event(0, levelEvent(zero)) }, "audio.default_is_monitor"},
		"muted meanwhile":                 {func(s *stand) { s.agree(humming).event(0, mute) }, ""},
		"the whole recording counts":      {func(s *stand) { s.agree(noisy).event(0, doneEvent(healthy()[0])) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, phrase.DE, false, nil)
			s.press("enter").begun()
			tt.play(s)
			if c, _ := s.checking.Trouble(); c.Code != tt.want {
				t.Errorf("got %q, want %q; the advice is %q", c.Code, tt.want, s.checking.Advice())
			}
		})
	}
}

// TestOtherMicrophoneOrFault: another microphone is offered in addition to the fault of the
// chosen one, but only if it would help.
func TestOtherMicrophoneOrFault(t *testing.T) {
	s := newStand(t, phrase.DE, false, nil)
	s.size(80, 24).press("enter").begun().speak(2*time.Second, -46, -30).event(0, elsewhereEvent())
	if s.agree(unspoken); !strings.Contains(s.View(), "Jabra") {
		t.Errorf("the headset is not offered:\n%s", s.View())
	}
	if s.agree(turnedDown); !strings.Contains(s.View(), "80 Prozent") {
		t.Errorf("the volume is not mentioned:\n%s", s.View())
	}
}

// TestPlainIsSilentWhileRecording: a screen reader would read every line aloud into
// the microphone.
func TestPlainIsSilentWhileRecording(t *testing.T) {
	for name, asks := range map[string]bool{"asked": true, "by itself": false} {
		var out bytes.Buffer
		s := newStand(t, phrase.DE, false, func(o *Options) { o.Interactive = asks })
		n := narrator{plain: plain{Options: s.desk.options, words: s.words, profile: s.profile}, page: s.press("enter").checking}
		n.Out = &out
		rs := healthy()
		n.hear(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventStarted})
		n.hear(doneEvent(rs[1]))
		n.hear(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventListening})
		invited := out.Len()
		if asks == (invited > 0) {
			t.Errorf("%s: printed at the invitation:\n%s", name, &out)
		}
		for range 20 {
			n.hear(levelEvent(probe.Level{RMSDBFS: -46, PeakDBFS: -0.5, Speech: true}))
			n.hear(lookEvent(noisy))
		}
		n.hear(probe.Event{Probe: report.ProbeAudioInput, Kind: probe.EventMuted, Muted: true})
		n.hear(elsewhereEvent())
		n.hear(doneEvent(rs[2]))
		if out.Len() != invited {
			t.Errorf("%s: printed while recording:\n%s", name, &out)
		}
		n.hear(doneEvent(rs[0]))
		for _, want := range []string{"Jabra", "Mikrofon: in Ordnung.", "Übertragung"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is not printed at the end:\n%s", name, want, &out)
			}
		}
	}
}
