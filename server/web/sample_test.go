package web_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// newReport returns a valid report of an agent, diagnosed with the real rules.
func newReport(t testing.TB, agentID, caseCode string, at time.Time, probes ...report.Result) *report.Report {
	t.Helper()
	id, err := report.NewID(at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := &report.Report{Schema: report.SchemaV1, ID: id, Case: caseCode,
		Agent:   report.Agent{ID: agentID, Version: "1.4.0", OS: "windows", Arch: "amd64"},
		Trigger: report.TriggerCheck, Profile: "bbb", Target: "https://bbb.example.org", StartedAt: at.UTC().Truncate(time.Millisecond),
		DurationMS: 9200, FirstVerdictMS: 2100, Verdict: report.Unknown, Probes: probes}
	for i := range r.Probes {
		r.Probes[i].Version, r.Probes[i].StartedAt = 1, r.StartedAt
	}
	limits, err := diagnose.LoadProfile("bbb")
	if err != nil {
		t.Fatal(err)
	}
	r.Causes, r.Verdict = diagnose.Diagnose(r, limits)
	return r
}

func microphone(change func(*report.AudioInput)) report.Result {
	a := &report.AudioInput{State: report.CaptureComplete, Device: "USB Headset", Backend: "wasapi",
		Microphones: new(2), NativeRateHz: new(48000), NativeChannels: new(1), IsDefault: new(true), IsMonitor: new(false), IsBluetooth: new(false),
		OSMuted: new(false), OSVolumeDB: new(-2.5), CapturedMS: new(6000.0), SpeechMS: new(4300.0),
		ActiveLevelDBFS: new(-24.3), ActivityPct: new(71.0), RMSDBFS: new(-26.0), PeakDBFS: new(-7.1), TruePeakDBTP: new(-6.8),
		NoiseFloorDBFS: new(-61.0), SNRDB: new(36.7), ClippedRuns: new(0), ClippedPct: new(0.0), BandwidthHz: new(11800.0), BandRatioDB: new(-18.0),
		DCOffset: new(0.0001), Dropouts: new(0), LongestGapMS: new(0.0), DigitalZeroMS: new(0.0), AllZero: new(false),
		FirstCallbackMS: new(80.0), LongestCallbackGapMS: new(22.0), RateErrorPct: new(0.01), Rerouted: new(false)}
	status := report.StatusOK
	if change != nil {
		change(a)
		status = report.StatusFail
	}
	return report.Result{Name: report.ProbeAudioInput, Status: status, DurationMS: 8000, Data: a}
}

func muted(a *report.AudioInput) {
	a.OSMuted, a.ActiveLevelDBFS, a.RMSDBFS, a.PeakDBFS = new(true), new(-100.0), new(-96.0), new(-90.0)
	a.SpeechMS, a.SNRDB, a.NoiseFloorDBFS, a.AllZero, a.BandwidthHz = new(0.0), nil, nil, nil, nil
}

func noisy(a *report.AudioInput) {
	a.NoiseFloorDBFS, a.SNRDB = new(-38.0), new(8.0)
	a.HumHz, a.HumDBFS, a.HumProminenceDB = new(50.0), new(-42.0), new(27.0)
}

func voice(upLossPct float64) report.Result {
	m := &report.MediaVoice{State: report.MediaComplete, Path: "srflx udp", ICEMS: new(82.0), DTLSMS: new(47.0),
		Sent: new(300), UpReceived: new(300 - int(3*upLossPct)), DownSent: new(300), DownReceived: new(300),
		UpLossPct: new(upLossPct), UpLossCI95: &report.Interval{max(0, upLossPct-2), upLossPct + 2}, DownLossPct: new(0.0), DownLossCI95: &report.Interval{0, 1.2},
		UpJitterMS: new(3.2), DownJitterMS: new(2.9), RTTMinMS: new(21.0), RTTP50MS: new(24.5), RTTP95MS: new(33.0), RTTP99MS: new(41.0),
		Reordered: new(0), Duplicates: new(0), LatePct60MS: new(0.0), MOS: new(4.3), MOSModel: "G.107 Opus", SelfCheck: "ok"}
	status := report.StatusOK
	if upLossPct > 0 {
		status = report.StatusWarn
	}
	return report.Result{Name: report.ProbeMediaVoice, Status: status, DurationMS: 6100, Data: m}
}

func passage() report.Result {
	return report.Result{Name: report.ProbeNAT, Status: report.StatusOK, DurationMS: 90,
		Data: &report.NAT{UDP: report.ReachOpen, TCP: report.ReachOpen, UDPRTTMS: new(21.4), TCPRTTMS: new(22.9), PublicAddress: "203.0.113.0/24"}}
}

// router returns a common home router: its mapping is the same for all destinations.
func router() report.Result {
	return report.Result{Name: report.ProbeNATBehavior, Status: report.StatusOK, DurationMS: 1400,
		Data: &report.NATBehavior{UDP: new(true), Mapping: "EIM", Filtering: "APDF", LegacyName: "port restricted cone", Hairpin: new(false),
			PortPreserved: new(true), PublicAddress: "203.0.113.0/24", CGNAT: new(false), ALG: new(false)}}
}

// detours returns the paths over the relay, of which one is blocked.
func detours() report.Result {
	return report.Result{Name: report.ProbeNATTURN, Status: report.StatusOK, DurationMS: 320,
		Data: &report.NATTURN{Transports: new(3), UDPAllocated: new(true), UDPRelayed: new(true), UDPRTTMS: new(22.8),
			TCPAllocated: new(false), TCPError: "unreachable", TLSAllocated: new(true), TLSRelayed: new(true), TLSRTTMS: new(25.1)}}
}

func wifi() report.Result {
	return report.Result{Name: report.ProbeNetworkLink, Status: report.StatusOK, DurationMS: 1600,
		Data: &report.NetworkLink{Kind: "wifi", SignalDBM: new(-58.0), RateMbps: new(433.0), GatewayState: "answered", GatewayRTTMS: new(2.1),
			GatewaySent: new(80), GatewayLossPct: new(0.0), VPN: new(false), IPv4: new(true), IPv6: new(false), MTU: new(1500)}}
}

func internet() report.Result {
	return report.Result{Name: report.ProbeNetworkWeb, Status: report.StatusOK, DurationMS: 210,
		Data: &report.NetworkWeb{Stage: "http", Online: new(true), DNSMS: new(12.0), TCPMS: new(23.0), TLSMS: new(48.0), HTTPMS: new(31.0),
			HTTPStatus: new(200), ServerHealthy: new(true), Proxy: "none", ClockOffsetMS: new(140.0), ClockUncertaintyMS: new(20.0)}}
}

func silentServer() report.Result {
	return report.Result{Name: report.ProbeMediaVoice, Status: report.StatusUnknown, Error: "the echo did not answer",
		Data: &report.MediaVoice{State: report.MediaNoSignalling}}
}

func notBuilt() report.Result {
	return report.Result{Name: report.ProbeAudioInput, Status: report.StatusUnknown, Data: &report.AudioInput{State: report.CaptureNotBuilt}}
}
