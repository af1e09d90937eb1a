package evening

import (
	"fmt"
	"io"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Target is the conference system of the session.
const Target = "https://konferenz.beispiel.example"

// checkLength is how long a check takes.
const checkLength = 9 * time.Second

// Report returns the report of a check that ends at the given time, diagnosed by the rules. agentID and
// version are those of the program that sends it.
func (c Check) Report(p Person, agentID, version string, end time.Time, random io.Reader) (*report.Report, error) {
	id, err := report.NewID(end, random)
	if err != nil {
		return nil, err
	}
	code, err := report.NewCase(random)
	if err != nil {
		return nil, err
	}
	limits, err := diagnose.LoadProfile("bbb")
	if err != nil {
		return nil, fmt.Errorf("judge a made-up check: %w", err)
	}
	start := end.Add(-checkLength).UTC().Truncate(time.Millisecond)
	r := &report.Report{Schema: report.SchemaV1, ID: id, Case: code,
		Agent:   report.Agent{ID: agentID, Version: version, OS: p.OS, Arch: p.Arch},
		Trigger: c.Trigger, Profile: limits.Name, Target: Target, StartedAt: start,
		DurationMS: checkLength.Milliseconds(), FirstVerdictMS: 2100, Verdict: report.Unknown,
	}
	for _, one := range []struct {
		name string
		took time.Duration
		data report.Data
	}{
		{report.ProbeAudioInput, 8 * time.Second, c.microphone(p)},
		{report.ProbeNAT, 90 * time.Millisecond, &report.NAT{UDP: report.ReachOpen, TCP: report.ReachOpen,
			UDPRTTMS: new(p.rtt(18)), TCPRTTMS: new(p.rtt(19)), PublicAddress: p.Network.String()}},
		{report.ProbeMediaVoice, 6100 * time.Millisecond, c.voice(p)},
		{report.ProbeNetworkLink, 1600 * time.Millisecond, c.link(p)},
		{report.ProbeNetworkPath, 5200 * time.Millisecond, c.path(p)},
		{report.ProbeNetworkWeb, 210 * time.Millisecond, &report.NetworkWeb{Stage: "http", Online: new(true),
			DNSMS: new(p.rtt(9)), TCPMS: new(p.rtt(18)), TLSMS: new(p.rtt(34)), HTTPMS: new(p.rtt(24)), HTTPStatus: new(200),
			ServerHealthy: new(true), Proxy: "none", CaptivePortal: new(false), TLSIntercepted: new(false),
			ClockOffsetMS: new(0.0), ClockUncertaintyMS: new(20.0), WebSocket: new(true)}},
		{report.ProbeNATTURN, 320 * time.Millisecond, &report.NATTURN{Transports: new(3),
			UDPAllocated: new(true), UDPRelayed: new(true), UDPRTTMS: new(p.rtt(19)),
			TCPAllocated: new(true), TCPRelayed: new(true), TCPRTTMS: new(p.rtt(20)),
			TLSAllocated: new(true), TLSRelayed: new(true), TLSRTTMS: new(p.rtt(22))}},
		{report.ProbeHostCrash, 400 * time.Millisecond, c.records(start)},
	} {
		if c.NetworkOnly && one.name == report.ProbeAudioInput {
			continue
		}
		r.Probes = append(r.Probes, report.Result{Name: one.name, Version: 1, Status: report.StatusOK,
			StartedAt: start, DurationMS: one.took.Milliseconds(), Data: one.data})
	}
	diagnose.Finish(r, limits)
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("a made-up check of %s: %w", p.Name, err)
	}
	return r, nil
}

// rtt returns a round trip to the server in ms. It differs between lines.
func (p Person) rtt(base float64) float64 { return base + float64(p.Network.Addr().As4()[2]%7) }

func (c Check) microphone(p Person) *report.AudioInput {
	backend := map[string]string{"windows": "wasapi", "darwin": "coreaudio", "linux": "pulse"}[p.OS]
	a := &report.AudioInput{State: report.CaptureComplete, Device: "USB-Headset", Backend: backend,
		Microphones: new(2), NativeRateHz: new(48000), NativeChannels: new(1), IsDefault: new(true), IsMonitor: new(false), IsBluetooth: new(false),
		OSMuted: new(false), OSVolumeDB: new(-2.5), CapturedMS: new(6000.0), SpeechMS: new(4300.0),
		ActiveLevelDBFS: new(-20 - p.rtt(0)), ActivityPct: new(71.0), RMSDBFS: new(-22 - p.rtt(0)), PeakDBFS: new(-7.1), TruePeakDBTP: new(-6.8),
		NoiseFloorDBFS: new(-61.0), SNRDB: new(41 - p.rtt(0)), ClippedRuns: new(0), ClippedPct: new(0.0), BandwidthHz: new(11800.0), BandRatioDB: new(-18.0),
		DCOffset: new(0.0001), Dropouts: new(0), LongestGapMS: new(0.0), DigitalZeroMS: new(0.0), AllZero: new(false),
		FirstCallbackMS: new(80.0), LongestCallbackGapMS: new(22.0), RateErrorPct: new(0.01), Rerouted: new(false)}
	if c.Fault == Muted {
		a.OSMuted, a.AllZero, a.DigitalZeroMS, a.SpeechMS, a.ActivityPct = new(true), new(true), new(6000.0), new(0.0), new(0.0)
		a.ActiveLevelDBFS, a.RMSDBFS, a.PeakDBFS, a.TruePeakDBTP = new(-100.0), new(-120.0), new(-120.0), new(-120.0)
		a.NoiseFloorDBFS, a.SNRDB, a.BandwidthHz, a.BandRatioDB = nil, nil, nil, nil
	}
	return a
}

// Level returns a reading of the level meter while a person speaks: seven readings of a voice,
// and then one of a pause.
func Level(i int) probe.Level {
	if i%8 == 7 {
		return probe.Level{RMSDBFS: -58, PeakDBFS: -49}
	}
	rms := -21 - float64(i*5%7)
	return probe.Level{RMSDBFS: rms, PeakDBFS: rms + 11, Speech: true}
}

// sent is the number of packets of the voice-like stream in each direction.
const sent = 300

// loss returns the number of packets that the stream loses in each direction.
func (c Check) loss() (up, down int) {
	switch c.Fault {
	case LossyWiFi:
		return 33, 21
	case ProviderFault:
		return 25 + c.Person%5, 38 + c.Person%7
	}
	return 0, 0
}

func (c Check) voice(p Person) *report.MediaVoice {
	up, down := c.loss()
	m := &report.MediaVoice{State: report.MediaComplete, Path: "srflx udp", DirectUDP: new(true), ICEMS: new(82.0), DTLSMS: new(47.0),
		Sent: new(sent), UpReceived: new(sent - up), DownSent: new(sent - up), DownReceived: new(sent - up - down),
		UpLossPct: new(percent(up, sent)), UpLossCI95: interval(up, sent),
		DownLossPct: new(percent(down, sent-up)), DownLossCI95: interval(down, sent-up),
		UpJitterMS: new(3.2), DownJitterMS: new(2.9), RTTMinMS: new(p.rtt(17)), RTTP50MS: new(p.rtt(21)), RTTP95MS: new(p.rtt(30)), RTTP99MS: new(p.rtt(38)),
		Reordered: new(0), Duplicates: new(0), LatePct60MS: new(0.0), LongestGapMS: new(0.0), MOS: new(4.3), MOSModel: "G.107 Opus", SelfCheck: "ok"}
	if up+down > 0 {
		m.LongestGapMS, m.MOS = new(120.0), new(2.6)
	}
	return m
}

func percent(lost, of int) float64 { return 100 * float64(lost) / float64(of) }

func interval(lost, of int) *report.Interval {
	ci := diagnose.Wilson95(float64(lost), float64(of))
	return &ci
}

func (c Check) link(p Person) *report.NetworkLink {
	l := &report.NetworkLink{Kind: "wifi", SignalDBM: new(-48 - 2*p.rtt(0)), RateMbps: new(433.0), GatewayState: "answered", GatewayRTTMS: new(2.1),
		GatewaySent: new(80), GatewayLossPct: new(0.0), VPN: new(false), IPv4: new(true), IPv6: new(false), MTU: new(1500)}
	if p.Wired {
		l.Kind, l.SignalDBM, l.RateMbps, l.GatewayRTTMS = "ethernet", nil, new(1000.0), new(0.7)
	}
	if c.Fault == LossyWiFi {
		l.Kind, l.SignalDBM, l.RateMbps, l.GatewayLossPct, l.GatewayRTTMS = "wifi", new(-82.0), new(13.0), new(11.3), new(14.0)
	}
	return l
}

func (c Check) path(p Person) *report.NetworkPath {
	n := &report.NetworkPath{FaultSegment: "none", Line: "reached", Segments: []report.PathSegment{
		{Name: "lan", Sent: new(50), RTTMS: new(2.0), LossPct: new(0.0)},
		{Name: "access", Sent: new(50), RTTMS: new(p.rtt(8)), LossPct: new(0.0)},
		{Name: "server", Sent: new(50), RTTMS: new(p.rtt(18)), LossPct: new(0.0)},
	}}
	switch c.Fault {
	case LossyWiFi:
		n.FaultSegment = "lan"
		for i := range n.Segments {
			n.Segments[i].LossPct = new(12.0)
		}
	case ProviderFault:
		n.FaultSegment = "access"
		n.Segments[1].LossPct, n.Segments[2].LossPct = new(18.0), new(20.0)
	}
	return n
}

func (c Check) records(start time.Time) *report.HostCrash {
	h := &report.HostCrash{WindowS: new(86400.0), Events: []report.HostEvent{}}
	if c.Fault == Crashed {
		h.Events = append(h.Events, report.HostEvent{At: start.Add(-4 * time.Minute).Truncate(time.Second), Kind: report.EventClientCrashed, Program: "Firefox", Detail: "0xc0000005"})
	}
	return h
}
