package diagnose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestTheEndCounts: a good voice at the beginning does not compensate for what follows:
// the end decides.
func TestTheEndCounts(t *testing.T) {
	for _, c := range []struct {
		name    string
		end     func(in *report.AudioInput)
		want    string // the primary cause; "" for none
		verdict report.Verdict
	}{
		{"muted in the middle", func(in *report.AudioInput) { in.OSMuted, in.MutedAfterMS = new(true), new(3000.0) }, "audio.os_muted", report.NotReady},
		{"muted in the last moment", func(in *report.AudioInput) {
			in.OSMuted, in.MutedAfterMS, in.EndSilenceMS = new(true), new(*in.CapturedMS), new(0.0)
		}, "audio.os_muted", report.NotReady},
		{"reported as muted, but heard", func(in *report.AudioInput) { in.OSMuted, in.EndSilenceMS = new(true), new(0.0) }, "audio.os_muted", report.Limited},
		{"volume turned down to zero", func(in *report.AudioInput) { in.OSVolumeDB, in.VolumeAfterMS = new(-120.0), new(5500.0) }, "audio.os_volume_low", report.NotReady},
		{"low from the start, but heard", func(in *report.AudioInput) { in.OSVolumeDB = new(-30.0) }, "", report.Ready},
		{"unplugged, no other microphone", func(in *report.AudioInput) { in.State, in.Unplugged = report.CaptureStalled, new(true) }, "host.device_unplugged", report.NotReady},
		{"unplugged, the loudspeaker's monitor took over", func(in *report.AudioInput) {
			in.Unplugged, in.Rerouted, in.EndIsMonitor, in.EndDevice = new(true), new(true), new(true), "Monitor of Speaker"
		}, "host.device_unplugged", report.NotReady},
		{"unplugged, another microphone took over", func(in *report.AudioInput) {
			in.Unplugged, in.Rerouted, in.EndIsMonitor, in.EndDevice = new(true), new(true), new(false), "Webcam"
		}, "host.device_unplugged", report.Limited},
		{"unplugged, and the other microphone is dead", func(in *report.AudioInput) {
			in.Unplugged, in.Rerouted, in.EndIsMonitor = new(true), new(true), new(false)
			in.EndSilenceMS, in.EndSilenceUnlike = new(2000.0), new(true)
		}, "host.device_unplugged", report.NotReady},
		{"moved", func(in *report.AudioInput) { in.Rerouted, in.EndIsMonitor = new(true), new(false) }, "audio.rerouted", report.Limited},
		{"moved to the monitor", func(in *report.AudioInput) { in.Rerouted, in.EndIsMonitor = new(true), new(true) }, "audio.default_is_monitor", report.NotReady},
		{"default switched, the stream stayed", func(in *report.AudioInput) { in.DefaultChanged = new(true) }, "audio.rerouted", report.Limited},
		{"sound server ended", func(in *report.AudioInput) { in.State, in.ServerGone = report.CaptureStalled, new(true) }, "audio.no_server", report.NotReady},
		{"sound server hangs", func(in *report.AudioInput) { in.State = report.CaptureStalled }, "audio.stalled", report.NotReady},
		{"silent at the end", func(in *report.AudioInput) { in.EndSilenceMS, in.EndSilenceUnlike = new(1500.0), new(true) }, "audio.digital_silence", report.NotReady},
		{"silent for a moment", func(in *report.AudioInput) { in.EndSilenceMS, in.EndSilenceUnlike = new(800.0), new(true) }, "audio.digital_silence", report.Limited},
		{"tail of an encoder", func(in *report.AudioInput) { in.EndSilenceMS, in.EndSilenceUnlike = new(499.0), new(true) }, "", report.Ready},
		{"short pause behind a noise gate", func(in *report.AudioInput) { in.EndSilenceMS, in.EndSilenceUnlike = new(2500.0), new(false) }, "", report.Ready},
		{"long silence behind a noise gate", func(in *report.AudioInput) { in.EndSilenceMS, in.EndSilenceUnlike = new(4100.0), new(false) }, "audio.digital_silence", report.NotReady},
	} {
		r := healthy()
		c.end(input(r))
		causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
		got := ""
		if i := slices.IndexFunc(causes, func(c report.Cause) bool { return c.Primary }); i >= 0 {
			got = causes[i].Code
		}
		if got != c.want || verdict != c.verdict {
			t.Errorf("%s: got %q, verdict %s; want %q, %s", c.name, got, verdict, c.want, c.verdict)
		}
	}
}

// TestSameNamesAreNotUsedInSentences: a name that two devices share is not used in a
// sentence.
func TestSameNamesAreNotUsedInSentences(t *testing.T) {
	r := healthy()
	provocations()["audio.wrong_device"](r)
	input(r).VoiceDevice = input(r).Device
	causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
	text, _ := diagnose.ExplainCause(causes[0], "en")
	if causes[0].Code != "audio.wrong_device" || !strings.Contains(text.Action, "other microphone") {
		t.Errorf("got %q: %s, want audio.wrong_device and \"other microphone\"", codes(causes), text.Action)
	}
}

// TestUnreadMuteLowersTheConfidence: if the system's mute could not be read, silence
// may be due to it.
func TestUnreadMuteLowersTheConfidence(t *testing.T) {
	confidence := func(unread *bool) float64 {
		r := healthy()
		zeros(r)
		input(r).OSMuted, input(r).OSUnread = nil, unread
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		if len(causes) == 0 || causes[0].Code != "audio.digital_silence" {
			t.Fatalf("got causes %q, want audio.digital_silence", codes(causes))
		}
		return causes[0].Confidence
	}
	if known, unread := confidence(nil), confidence(new(true)); unread >= known {
		t.Errorf("got confidence %v with the system's state, %v without, want less without", known, unread)
	}
}
