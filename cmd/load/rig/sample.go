package rig

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Template creates reports that differ only in id, case code, agent and time. They
// are as large as those of a full check, about 4 kB, because decoding and
// validating them is most of the collector's work.
type Template struct {
	report   *report.Report
	document []byte
}

// Placeholders in the template.
const (
	idMark    = "01890a5d-ac96-774b-bcce-b302099a8057"
	caseMark  = "K7P-3QX"
	agentMark = "00000000-0000-4000-8000-000000000000"
)

var timeMark = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

// Templates returns three kinds of checks: ready, muted, and with upstream loss.
func Templates() ([]Template, error) {
	var all []Template
	for _, kind := range []struct{ muted, lossy bool }{{}, {muted: true}, {lossy: true}} {
		t, err := newTemplate(kind.muted, kind.lossy)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// newTemplate returns a check that was diagnosed by the real rules.
func newTemplate(muted, lossy bool) (Template, error) {
	r := &report.Report{Schema: report.SchemaV1, ID: idMark, Case: caseMark,
		Agent:   report.Agent{ID: agentMark, Version: "1.4.0", OS: "windows", Arch: "amd64"},
		Trigger: report.TriggerCheck, Profile: "bbb", Target: "https://bbb.example.org", StartedAt: timeMark,
		DurationMS: 9200, FirstVerdictMS: 2100, Verdict: report.Unknown,
		Probes: []report.Result{microphone(muted), voice(lossy), web(), link(), behaviour(), relay(), nat()}}
	for i := range r.Probes {
		r.Probes[i].Version, r.Probes[i].StartedAt = 1, r.StartedAt
	}
	limits, err := diagnose.LoadProfile(r.Profile)
	if err != nil {
		return Template{}, fmt.Errorf("judge a sample report: %w", err)
	}
	r.Causes, r.Verdict = diagnose.Diagnose(r, limits)
	document, err := r.Encode()
	if err != nil {
		return Template{}, fmt.Errorf("create a sample report: %w", err)
	}
	return Template{r, document}, nil
}

// New returns a report of agent as a document, and in the form of the store. In the
// struct, the times of the probes are those of the template.
func (t Template) New(agent string, at time.Time) (*report.Report, []byte, error) {
	at = at.UTC().Truncate(time.Second)
	id, err := report.NewID(at, rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	code, err := report.NewCase(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	document := t.document
	for _, r := range [][2]string{{idMark, id}, {caseMark, code}, {agentMark, agent}, {timeMark.Format(time.RFC3339), at.Format(time.RFC3339)}} {
		document = bytes.ReplaceAll(document, []byte(r[0]), []byte(r[1]))
	}
	r := *t.report
	r.ID, r.Case, r.Agent.ID, r.StartedAt = id, code, agent, at
	return &r, document, nil
}

func microphone(muted bool) report.Result {
	a := &report.AudioInput{State: report.CaptureComplete, Device: "USB Headset", Backend: "wasapi",
		Microphones: new(2), NativeRateHz: new(48000), NativeChannels: new(1), IsDefault: new(true), IsMonitor: new(false), IsBluetooth: new(false),
		OSMuted: new(muted), OSVolumeDB: new(-2.5), CapturedMS: new(6000.0), SpeechMS: new(4300.0),
		ActiveLevelDBFS: new(-24.3), ActivityPct: new(71.0), RMSDBFS: new(-26.0), PeakDBFS: new(-7.1), TruePeakDBTP: new(-6.8),
		NoiseFloorDBFS: new(-61.0), SNRDB: new(36.7), ClippedRuns: new(0), ClippedPct: new(0.0), BandwidthHz: new(11800.0), BandRatioDB: new(-18.0),
		DCOffset: new(0.0001), Dropouts: new(0), LongestGapMS: new(0.0), DigitalZeroMS: new(0.0), AllZero: new(false),
		FirstCallbackMS: new(80.0), LongestCallbackGapMS: new(22.0), RateErrorPct: new(0.01), Rerouted: new(false)}
	status := report.StatusOK
	if muted {
		a.ActiveLevelDBFS, a.RMSDBFS, a.PeakDBFS = new(-100.0), new(-96.0), new(-90.0)
		a.SpeechMS, a.SNRDB, a.NoiseFloorDBFS, a.AllZero, a.BandwidthHz = new(0.0), nil, nil, nil, nil
		status = report.StatusFail
	}
	return report.Result{Name: report.ProbeAudioInput, Status: status, DurationMS: 8000, Data: a}
}

func voice(lossy bool) report.Result {
	m := &report.MediaVoice{State: report.MediaComplete, Path: "srflx udp", ICEMS: new(82.0), DTLSMS: new(47.0),
		Sent: new(300), UpReceived: new(300), DownSent: new(300), DownReceived: new(300),
		UpLossPct: new(0.0), UpLossCI95: &report.Interval{0, 1.2}, DownLossPct: new(0.0), DownLossCI95: &report.Interval{0, 1.2},
		UpJitterMS: new(3.2), DownJitterMS: new(2.9), RTTMinMS: new(21.0), RTTP50MS: new(24.5), RTTP95MS: new(33.0), RTTP99MS: new(41.0),
		Reordered: new(0), Duplicates: new(0), LatePct60MS: new(0.0), MOS: new(4.3), MOSModel: "G.107 Opus", SelfCheck: "ok"}
	status := report.StatusOK
	if lossy {
		m.UpReceived, m.UpLossPct, m.UpLossCI95 = new(273), new(9.0), &report.Interval{6.2, 12.8}
		status = report.StatusWarn
	}
	return report.Result{Name: report.ProbeMediaVoice, Status: status, DurationMS: 6100, Data: m}
}

func web() report.Result {
	return report.Result{Name: report.ProbeNetworkWeb, Status: report.StatusOK, DurationMS: 210,
		Data: &report.NetworkWeb{Stage: "http", Online: new(true), DNSMS: new(12.0), TCPMS: new(23.0), TLSMS: new(48.0), HTTPMS: new(31.0),
			HTTPStatus: new(200), ServerHealthy: new(true), Proxy: "none", ClockOffsetMS: new(140.0), ClockUncertaintyMS: new(20.0)}}
}

func link() report.Result {
	return report.Result{Name: report.ProbeNetworkLink, Status: report.StatusOK, DurationMS: 1600,
		Data: &report.NetworkLink{Kind: "wifi", SignalDBM: new(-58.0), RateMbps: new(433.0), GatewayState: "answered", GatewayRTTMS: new(2.1),
			GatewaySent: new(80), GatewayLossPct: new(0.0), VPN: new(false), IPv4: new(true), IPv6: new(false), MTU: new(1500)}}
}

func behaviour() report.Result {
	return report.Result{Name: report.ProbeNATBehavior, Status: report.StatusOK, DurationMS: 1400,
		Data: &report.NATBehavior{UDP: new(true), Mapping: "EIM", Filtering: "APDF", LegacyName: "port restricted cone", Hairpin: new(false),
			PortPreserved: new(true), PublicAddress: "203.0.113.0/24", CGNAT: new(false), ALG: new(false)}}
}

func relay() report.Result {
	return report.Result{Name: report.ProbeNATTURN, Status: report.StatusOK, DurationMS: 320,
		Data: &report.NATTURN{Transports: new(3), UDPAllocated: new(true), UDPRelayed: new(true), UDPRTTMS: new(22.8),
			TCPAllocated: new(true), TCPRelayed: new(true), TCPRTTMS: new(24.0), TLSAllocated: new(true), TLSRelayed: new(true), TLSRTTMS: new(25.1)}}
}

func nat() report.Result {
	return report.Result{Name: report.ProbeNAT, Status: report.StatusOK, DurationMS: 90,
		Data: &report.NAT{UDP: report.ReachOpen, TCP: report.ReachOpen, UDPRTTMS: new(21.4), TCPRTTMS: new(22.9), PublicAddress: "203.0.113.0/24"}}
}
