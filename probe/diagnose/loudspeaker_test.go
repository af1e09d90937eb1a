package diagnose_test

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestSilentMicrophoneClearsTheLoudspeaker: if the microphone cannot hear, a test sound
// that was not heard proves nothing about the loudspeaker.
func TestSilentMicrophoneClearsTheLoudspeaker(t *testing.T) {
	deaf := []string{
		"audio.no_user_session", "audio.no_server", "audio.no_microphone", "audio.default_is_monitor", "audio.privacy_blocked",
		"audio.in_use", "audio.os_muted", "audio.os_volume_low", "audio.stalled", "audio.rerouted", "audio.wrong_device",
		"audio.digital_silence", "audio.no_speech",
	}
	provoke := provocations()
	for _, code := range deaf {
		r := healthy()
		provoke[code](r)
		output(r).LoopHeard = new(false)
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		if got := codes(causes); !slices.Contains(got, code) || slices.Contains(got, "audio.speaker_silent") {
			t.Errorf("%s: got causes %q, want no audio.speaker_silent", code, got)
		}
		// A mute reported by the system counts in any case.
		output(r).OSMuted = new(true)
		causes, _ = diagnose.Diagnose(r, profile(t, "bbb"))
		if got := codes(causes); !slices.Contains(got, "audio.speaker_silent") || got[0] != code {
			t.Errorf("%s and a muted loudspeaker: got causes %q, want audio.speaker_silent too", code, got)
		}
	}
}

// TestStatusOfTheLoudspeakerTest: a test sound that was not heard is never shown as
// good: it is a warning if the loudspeaker is at fault, and unknown if that cannot be
// determined.
func TestStatusOfTheLoudspeakerTest(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*report.Report)
		want   report.Status
	}{
		"microphone hears":  {func(*report.Report) {}, report.StatusWarn},
		"microphone muted":  {func(r *report.Report) { zeros(r); input(r).OSMuted = new(true) }, report.StatusUnknown},
		"nobody spoke":      {func(r *report.Report) { silence(r, -58) }, report.StatusUnknown},
		"loudspeaker muted": {func(r *report.Report) { zeros(r); output(r).OSMuted = new(true) }, report.StatusWarn},
	} {
		r := healthy()
		i := slices.IndexFunc(r.Probes, func(p report.Result) bool { return p.Name == report.ProbeAudioOutput })
		r.Probes[i].Status, r.Probes[i].Error = report.StatusUnknown, "the microphone did not hear the test sound"
		output(r).LoopHeard = new(false)
		c.change(r)
		diagnose.Finish(r, profile(t, "bbb"))
		if got := r.Probes[i].Status; got != c.want {
			t.Errorf("%s: status %s, want %s", name, got, c.want)
		}
		if err := r.Validate(); err != nil {
			t.Errorf("%s: invalid report: %v", name, err)
		}
	}
}
