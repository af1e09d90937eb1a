package diagnose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestActionFitsTheLine: whoever uses a cable is not told to use one, and only those with a
// tunnel are told to turn it off.
func TestActionFitsTheLine(t *testing.T) {
	for code, impair := range map[string]func(*report.Report){
		"net.upload_loss":   func(r *report.Report) { voice(r).UpLossPct = new(20.0) },
		"net.download_loss": func(r *report.Report) { voice(r).DownLossPct = new(20.0) },
		"net.jitter_high":   func(r *report.Report) { voice(r).UpJitterMS = new(64.0) },
		"net.latency_high":  func(r *report.Report) { voice(r).RTTP50MS = new(700.0) },
		"net.reordering":    func(r *report.Report) { voice(r).Reordered = new(60) },
	} {
		for _, kind := range []string{"", "wifi", "ethernet", "cellular"} {
			for _, vpn := range []bool{false, true} {
				r := healthy()
				impair(r)
				link(r).Kind, link(r).VPN = kind, new(vpn)
				causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
				i := slices.IndexFunc(causes, func(c report.Cause) bool { return c.Code == code })
				if i < 0 {
					t.Errorf("%s, %s: got causes %q", code, kind, codes(causes))
					continue
				}
				text, _ := diagnose.ExplainCause(causes[i], phrase.EN)
				cable := strings.Contains(text.Action, "use a network cable") || strings.Contains(text.Action, "Use a network cable") || strings.Contains(text.Action, "closer to the router")
				if cable && (kind == "ethernet" || kind == "cellular") {
					t.Errorf("%s, %s: %s", code, kind, text.Action)
				}
				if strings.Contains(text.Action, "VPN") && !vpn {
					t.Errorf("%s without a tunnel: %s", code, text.Action)
				}
			}
		}
	}
}

// TestSilentBluetooth: the action for a headset that delivers nothing, and not for one that merely ended.
func TestSilentBluetooth(t *testing.T) {
	for name, c := range map[string]struct {
		silence func(*report.AudioInput)
		headset bool
	}{
		"zeros":      {func(in *report.AudioInput) { in.AllZero = new(true) }, true},
		"dead":       {func(in *report.AudioInput) { in.SpeechMS, in.RMSDBFS, in.SyllabicMS = new(0.0), new(-90.0), nil }, true},
		"silent end": {func(in *report.AudioInput) { in.EndSilenceMS, in.EndSilenceUnlike = new(3000.0), new(true) }, false},
	} {
		for _, bluetooth := range []bool{false, true} {
			r := healthy()
			c.silence(input(r))
			input(r).IsBluetooth = &bluetooth
			causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
			if len(causes) == 0 {
				t.Fatalf("%s: no cause", name)
			}
			text, _ := diagnose.ExplainCause(causes[0], phrase.EN)
			if got := strings.Contains(text.Action, "headset"); got != (bluetooth && c.headset) {
				t.Errorf("%s, Bluetooth %v: %s, %s", name, bluetooth, causes[0].Code, text.Action)
			}
		}
	}
}

// TestBrowserGivesNoReason: that another program uses the microphone is only one reason why a browser cannot open it.
func TestBrowserGivesNoReason(t *testing.T) {
	for backend, want := range map[string]string{"browser": "The browser cannot open the microphone.", "wasapi": "Another program is using the microphone and will not share it."} {
		r := healthy()
		capture(r, report.CaptureInUse)
		input(r).Backend = backend
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		if text, _ := diagnose.ExplainCause(causes[0], phrase.EN); causes[0].Code != "audio.in_use" || text.Sentence != want {
			t.Errorf("%s: got %s, %q, want %q", backend, causes[0].Code, text.Sentence, want)
		}
	}
}
