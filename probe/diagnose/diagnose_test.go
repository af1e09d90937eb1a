package diagnose_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

func profile(t testing.TB, name string) diagnose.Profile {
	t.Helper()
	p, err := diagnose.LoadProfile(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func codes(causes []report.Cause) []string {
	var all []string
	for _, c := range causes {
		all = append(all, c.Code)
	}
	return all
}

func TestEveryCauseIsNamedWhenProvoked(t *testing.T) {
	all := provocations()
	for _, d := range diagnose.Catalogue() {
		provoke, ok := all[d.Code]
		if !ok {
			t.Errorf("%s: no entry in provocations", d.Code)
			continue
		}
		delete(all, d.Code)
		t.Run(d.Code, func(t *testing.T) {
			r := healthy()
			provoke(r)
			causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
			if d.Severity == report.SeverityInfo {
				if len(causes) != 1 || causes[0].Code != d.Code || verdict != report.Ready {
					t.Errorf("causes = %q, verdict %s, want only the note", codes(causes), verdict)
				}
				return
			}
			if len(causes) == 0 || causes[0].Code != d.Code || !causes[0].Primary {
				t.Fatalf("causes = %q, want %s as the primary", codes(causes), d.Code)
			}
			if len(causes) > 1 {
				t.Errorf("its consequences are reported as well: %q", codes(causes))
			}
			if verdict == report.Ready {
				t.Error("verdict = ready, want another one")
			}
			if c := causes[0].Confidence; c < 0.6 || c > 1 {
				t.Errorf("confidence = %v for a clear fault, want 0.6 to 1", c)
			}
		})
	}
	for code := range all {
		t.Errorf("%s is in provocations but not in the catalogue", code)
	}
}

func TestHealthyIsReadyAndSilent(t *testing.T) {
	for _, name := range diagnose.ProfileNames() {
		causes, verdict := diagnose.Diagnose(healthy(), profile(t, name))
		if len(causes) != 0 || verdict != report.Ready {
			t.Errorf("%s: causes = %q, verdict = %s, want none, %s", name, codes(causes), verdict, report.Ready)
		}
		if causes == nil {
			t.Errorf("%s: causes are nil and would be null in JSON", name)
		}
	}
}

func TestNothingMeasuredIsUnknown(t *testing.T) {
	reports := map[string]*report.Report{
		"no probes": {},
		"probes without data": {Probes: []report.Result{
			{Name: report.ProbeAudioInput, Status: report.StatusUnknown},
			{Name: report.ProbeMediaVoice, Status: report.StatusUnknown},
			{Name: report.ProbeNetworkWeb, Status: report.StatusUnknown},
			{Name: report.ProbeNAT, Status: report.StatusUnknown},
		}},
		"data without values": {Probes: []report.Result{
			result(report.ProbeAudioInput, &report.AudioInput{}),
			result(report.ProbeAudioOutput, &report.AudioOutput{}),
			result(report.ProbeMediaVoice, &report.MediaVoice{}),
			result(report.ProbeNetworkWeb, &report.NetworkWeb{}),
			result(report.ProbeNAT, &report.NAT{}),
		}},
		"complete without values": {Probes: []report.Result{
			result(report.ProbeAudioInput, &report.AudioInput{State: report.CaptureComplete}),
			result(report.ProbeMediaVoice, &report.MediaVoice{State: report.MediaComplete}),
			result(report.ProbeNetworkWeb, &report.NetworkWeb{Stage: "http"}),
			result(report.ProbeNAT, &report.NAT{UDP: report.ReachNotTested, TCP: report.ReachNotTested}),
		}},
		"nil data": {Probes: []report.Result{
			result(report.ProbeAudioInput, (*report.AudioInput)(nil)),
			result(report.ProbeMediaVoice, (*report.MediaVoice)(nil)),
		}},
		"everything skipped": {Probes: []report.Result{
			{Name: report.ProbeAudioInput, Status: report.StatusSkipped},
			{Name: report.ProbeMediaVoice, Status: report.StatusSkipped},
		}},
	}
	for name, r := range reports {
		causes, verdict := diagnose.Diagnose(r, profile(t, "strict"))
		if len(causes) != 0 || verdict != report.Unknown {
			t.Errorf("%s: causes = %q, verdict = %s, want none, %s", name, codes(causes), verdict, report.Unknown)
		}
	}
}

// TestMissingValueIsNeverReady: a missing value must never make a report ready.
func TestMissingValueIsNeverReady(t *testing.T) {
	tests := map[string]func(*report.Report){
		"speech":         func(r *report.Report) { input(r).SpeechMS = nil },
		"captured":       func(r *report.Report) { input(r).CapturedMS = nil },
		"level":          func(r *report.Report) { input(r).ActiveLevelDBFS = nil },
		"capture died":   func(r *report.Report) { capture(r, report.CaptureDied) },
		"not built":      func(r *report.Report) { capture(r, report.CaptureNotBuilt) },
		"up loss":        func(r *report.Report) { voice(r).UpLossPct = nil },
		"down loss":      func(r *report.Report) { voice(r).DownLossPct = nil },
		"jitter":         func(r *report.Report) { voice(r).DownJitterMS = nil },
		"round trip":     func(r *report.Report) { voice(r).RTTP50MS = nil },
		"interrupted":    func(r *report.Report) { voice(r).State = report.MediaInterrupted },
		"not enrolled":   func(r *report.Report) { media(r, report.MediaNotEnrolled) },
		"own bottleneck": func(r *report.Report) { voice(r).SelfCheck = "void" },
		"target's encryption": func(r *report.Report) {
			*web(r) = report.NetworkWeb{Stage: "tcp", Online: new(true), TLSError: "protocol"}
		},
		"probe unknown": func(r *report.Report) { r.Probes[0].Status = report.StatusUnknown },
		"probe failed":  func(r *report.Report) { r.Probes[2].Status = report.StatusFail },
	}
	for name, change := range tests {
		r := healthy()
		change(r)
		if causes, verdict := diagnose.Diagnose(r, profile(t, "bbb")); verdict != report.Unknown || len(causes) != 0 {
			t.Errorf("%s: verdict = %s, causes = %q, want verdict unknown without a cause", name, verdict, codes(causes))
		}
	}
}

func TestVerdictJudgesOnlyWhatWasAskedFor(t *testing.T) {
	only := func(names ...string) func(*report.Report) {
		return func(r *report.Report) {
			r.Probes = slices.DeleteFunc(r.Probes, func(p report.Result) bool { return !slices.Contains(names, p.Name) })
		}
	}
	tests := []struct {
		name   string
		change func(*report.Report)
		want   report.Verdict
	}{
		{"without audio", only("nat", "media.voice", "network.web"), report.Ready},
		{"audio skipped", func(r *report.Report) { r.Probes[0] = report.Result{Name: "audio.input", Status: report.StatusSkipped} }, report.Ready},
		{"audio only", only("audio.input"), report.Ready},
		{"nat only", only("nat"), report.Ready},
		{"nat only, server silent", func(r *report.Report) { noReflector(r); only("nat")(r) }, report.Unknown},
		{"loudspeaker only", only("audio.output"), report.Unknown},
		{"nat unknown beside a measured voice", func(r *report.Report) { r.Probes[1] = report.Result{Name: "nat", Status: report.StatusUnknown} }, report.Ready},
		{"collector's web unknown beside a measured voice", func(r *report.Report) {
			r.Target, r.Probes[3] = "", report.Result{Name: "network.web", Status: report.StatusUnknown}
		}, report.Ready},
		{"target's web unknown", func(r *report.Report) { r.Probes[3] = report.Result{Name: "network.web", Status: report.StatusUnknown} }, report.Unknown},
		{"info only", func(r *report.Report) { input(r).TruePeakDBTP = new(-0.5) }, report.Ready},
		{"a warning", func(r *report.Report) { voice(r).RTTP50MS = new(700.0) }, report.Limited},
		{"a failure", func(r *report.Report) { voice(r).RTTP50MS = new(1700.0) }, report.NotReady},
		{"a failure beside the unknown", func(r *report.Report) { media(r, report.MediaNotEnrolled); zeros(r) }, report.NotReady},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := healthy()
			tt.change(r)
			if causes, got := diagnose.Diagnose(r, profile(t, "bbb")); got != tt.want {
				t.Errorf("verdict = %s, want %s (causes %q)", got, tt.want, codes(causes))
			}
		})
	}
}

func TestInfoIsNeverPrimary(t *testing.T) {
	r := healthy()
	input(r).TruePeakDBTP = new(-0.5)
	causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
	if !reflect.DeepEqual(codes(causes), []string{"audio.too_loud"}) || causes[0].Primary || causes[0].Severity != report.SeverityInfo {
		t.Errorf("causes = %+v, want too_loud as info, not primary", causes)
	}
}

// TestCauseExplainsConsequence checks several faults at once: which one is primary,
// which ones remain, which ones are explained.
func TestCauseExplainsConsequence(t *testing.T) {
	all := provocations()
	tests := []struct {
		name   string
		faults []string
		want   []string
	}{
		{"mute explains the zeros", []string{"audio.digital_silence", "audio.os_muted"}, []string{"audio.os_muted"}},
		{"mute explains the wrong device", []string{"audio.wrong_device", "audio.os_muted"}, []string{"audio.os_muted"}},
		{"the wrong device explains zeros", []string{"audio.wrong_device", "audio.digital_silence"}, []string{"audio.wrong_device"}},
		{"the wrong device explains a soft voice", []string{"audio.wrong_device", "audio.too_quiet"}, []string{"audio.wrong_device"}},
		{"clipping explains loud", []string{"audio.too_loud", "audio.clipped"}, []string{"audio.clipped"}},
		{"offline explains the servers", []string{"conf.server_down", "net.offline"}, []string{"net.offline"}},
		{"both directions, upload first", []string{"net.download_loss", "net.upload_loss"}, []string{"net.upload_loss", "net.download_loss"}},
		{"the worse one is primary", []string{"net.latency_high", "audio.noise"}, []string{"audio.noise", "net.latency_high"}},
		{"offline before no microphone", []string{"net.offline", "audio.no_microphone"}, []string{"net.offline", "audio.no_microphone"}},
		{"loss and jitter coexist", []string{"net.upload_loss", "net.jitter_high"}, []string{"net.upload_loss", "net.jitter_high"}},
		{"hum explains the noise", []string{"audio.noise", "audio.hum"}, []string{"audio.hum"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := healthy()
			for _, f := range tt.faults {
				all[f](r)
			}
			causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
			if got := codes(causes); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("causes = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestCauseTakesOverTheSeverityOfItsConsequence(t *testing.T) {
	r := healthy()
	input(r).OSVolumeDB, input(r).ActiveLevelDBFS = new(-25.0), new(-55.0) // volume: warn, level: fail
	causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
	if !reflect.DeepEqual(codes(causes), []string{"audio.os_volume_low"}) || causes[0].Severity != report.SeverityFail || verdict != report.NotReady {
		t.Errorf("causes = %+v, verdict = %s, want audio.os_volume_low with severity %s, %s", causes, verdict, report.SeverityFail, report.NotReady)
	}
}

func TestRulesReportNothing(t *testing.T) {
	tests := map[string]func(*report.Report){
		"low volume, loud voice": func(r *report.Report) { input(r).OSVolumeDB = new(-30.0) },
		"noise gate makes zeros": func(r *report.Report) { input(r).DigitalZeroMS = new(4500.0) },
		"hum far under the noise": func(r *report.Report) {
			input(r).HumDBFS, input(r).HumProminenceDB = new(-59.0), new(12.0)
			input(r).NoiseFloorDBFS = new(-45.0)
		},
		"quiet hum":                 func(r *report.Report) { input(r).HumDBFS, input(r).HumProminenceDB = new(-70.0), new(30.0) },
		"one clipped run":           func(r *report.Report) { input(r).ClippedRuns, input(r).ClippedPct = new(1), new(0.2) },
		"level without speech time": func(r *report.Report) { input(r).ActiveLevelDBFS, input(r).SpeechMS = new(-70.0), nil },
		"server silent beside a voice": func(r *report.Report) {
			*nat(r) = report.NAT{UDP: report.ReachServerSilent, TCP: report.ReachServerSilent}
		},
		"UDP blocked, but UDP received": func(r *report.Report) { nat(r).UDP = report.ReachBlocked },
		"UDP and TCP blocked": func(r *report.Report) {
			*nat(r) = report.NAT{UDP: report.ReachBlocked, TCP: report.ReachBlocked}
			*web(r) = report.NetworkWeb{}
		},
		"clock within its uncertainty":  func(r *report.Report) { web(r).ClockOffsetMS, web(r).ClockUncertaintyMS = new(61_000.0), new(2000.0) },
		"offline, but packets received": func(r *report.Report) { *web(r) = report.NetworkWeb{Online: new(false)} },
		"portal, but packets received":  func(r *report.Report) { web(r).CaptivePortal = new(true) },
		"loss without signalling":       func(r *report.Report) { voice(r).State, voice(r).UpLossPct = report.MediaNotEnrolled, new(100.0) },
		"loss with a void self-check": func(r *report.Report) {
			voice(r).UpLossPct, voice(r).RTTP50MS, voice(r).UpJitterMS = new(40.0), new(3000.0), new(300.0)
			voice(r).SelfCheck = "void"
		},
		"loss with state void":         func(r *report.Report) { voice(r).UpLossPct, voice(r).State = new(40.0), report.MediaSelfCheckVoid },
		"DNS failed, online unknown":   func(r *report.Report) { *web(r) = report.NetworkWeb{DNSError: "timeout"}; noReflector(r) },
		"no response from anything":    func(r *report.Report) { *web(r) = report.NetworkWeb{}; noReflector(r) },
		"loudspeaker, deaf microphone": func(r *report.Report) { output(r).LoopHeard, input(r).RMSDBFS = new(false), new(-90.0) },
		"loudspeaker, nobody spoke": func(r *report.Report) {
			output(r).LoopHeard = new(false)
			input(r).SpeechMS = new(300.0)
			input(r).CapturedMS = new(1000.0) // too short to conclude that nobody spoke
		},
		"wideband Bluetooth": func(r *report.Report) {
			input(r).IsBluetooth, input(r).NativeRateHz = new(true), new(48000)
		},
	}
	for name, change := range tests {
		r := healthy()
		change(r)
		if causes, _ := diagnose.Diagnose(r, profile(t, "bbb")); len(causes) != 0 {
			t.Errorf("%s: causes = %q, want none", name, codes(causes))
		}
	}
}

// TestOneReorderedPacketProvesNothing: Teams requires less than 0.05 % reordering. One packet
// in 600 is more, but not significant.
func TestOneReorderedPacketProvesNothing(t *testing.T) {
	r := healthy()
	voice(r).Reordered = new(1)
	if causes, _ := diagnose.Diagnose(r, profile(t, "strict")); len(causes) != 0 {
		t.Errorf("causes = %q, want none", codes(causes))
	}
}

func TestUDPBlockedIsAFailureOnlyWithoutAStream(t *testing.T) {
	for state, want := range map[report.MediaState]report.Severity{
		report.MediaComplete:    report.SeverityWarn,
		report.MediaNotEnrolled: report.SeverityWarn,
		report.MediaICEFailed:   report.SeverityFail,
		report.MediaNotFlowing:  report.SeverityFail,
	} {
		r := healthy()
		nat(r).UDP = report.ReachBlocked
		voice(r).State, voice(r).Path = state, "relay tcp"
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		if len(causes) != 1 || causes[0].Code != "net.udp_blocked" || causes[0].Severity != want {
			t.Errorf("%s: causes = %+v, want net.udp_blocked as %s", state, causes, want)
		}
	}
}

func TestProfilesDiffer(t *testing.T) {
	r := healthy()
	voice(r).RTTP50MS = new(200.0)
	got := map[string]report.Verdict{}
	for _, name := range diagnose.ProfileNames() {
		_, got[name] = diagnose.Diagnose(r, profile(t, name))
	}
	want := map[string]report.Verdict{"strict": report.Limited, "zoom": report.Limited, "bbb": report.Ready, "daily": report.Ready}
	if !maps.Equal(got, want) {
		t.Errorf("verdicts at 200 ms = %v, want %v", got, want)
	}
}

// TestDegradedScheduleLowersOnlyJitterConfidence: late sending by this computer looks
// like jitter of the line, never like loss.
func TestDegradedScheduleLowersOnlyJitterConfidence(t *testing.T) {
	confidence := func(code, selfCheck string) float64 {
		r := healthy()
		provocations()[code](r)
		voice(r).SelfCheck = selfCheck
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		return causes[0].Confidence
	}
	if ok, degraded := confidence("net.jitter_high", "ok"), confidence("net.jitter_high", "degraded"); degraded >= ok {
		t.Errorf("jitter: confidence %v with a degraded schedule, %v with a good one, want less", degraded, ok)
	}
	if ok, degraded := confidence("net.upload_loss", "ok"), confidence("net.upload_loss", "degraded"); degraded != ok {
		t.Errorf("loss: confidence %v with a degraded schedule, %v with a good one, want the same", degraded, ok)
	}
}

// TestMoreSpeechIsMoreConfidence: few syllables prove less than many.
func TestMoreSpeechIsMoreConfidence(t *testing.T) {
	last := 0.0
	for _, speech := range []float64{500, 1000, 2000, 3000} {
		r := healthy()
		input(r).ActiveLevelDBFS, input(r).SpeechMS = new(-46.0), new(speech)
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		if len(causes) != 1 || causes[0].Confidence <= last {
			t.Errorf("%v ms of speech: causes = %+v, want one with more confidence than %v", speech, causes, last)
		} else {
			last = causes[0].Confidence
		}
	}
}

func BenchmarkDiagnose(b *testing.B) {
	r, p := healthy(), profile(b, "bbb")
	zeros(r)
	for b.Loop() {
		diagnose.Diagnose(r, p)
	}
}

func BenchmarkExplain(b *testing.B) {
	for b.Loop() {
		diagnose.Explain("audio.os_muted", "de")
	}
}
