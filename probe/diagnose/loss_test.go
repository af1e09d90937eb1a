package diagnose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// counted sets the lost packets of the voice, of 300 in each direction, and the length
// of their runs.
func counted(r *report.Report, up, down int, run float64) {
	v := voice(r)
	share := func(lost, of int) *float64 { return new(100 * float64(lost) / float64(of)) }
	v.Sent, v.UpReceived, v.UpLossPct = new(300), new(300-up), share(up, 300)
	v.DownSent, v.DownReceived, v.DownLossPct = new(300-up), new(300-up-down), share(down, 300-up)
	v.UpLossRunPackets, v.DownLossRunPackets = &run, &run
}

// gatewayLoses sets the lost packets of network.link's stream to the router, of 40.
func gatewayLoses(r *report.Report, lost int) {
	link(r).GatewaySent, link(r).GatewayLossPct = new(40), new(100*float64(lost)/40)
}

// lossy returns a healthy report with this loss and the streams of a path.
func lossy(up, down int, run float64, gateway int, segments ...report.PathSegment) *report.Report {
	r := healthy()
	counted(r, up, down, run)
	gatewayLoses(r, gateway)
	*path(r) = report.NetworkPath{Line: "reached", Segments: segments}
	return r
}

// TestModerateLoss: loss at the limit from which it disturbs, and just below.
func TestModerateLoss(t *testing.T) {
	atAccess := []report.PathSegment{stream("lan", 0), stream("access", 6), stream("transit", 7)}
	tests := map[string]struct {
		r       *report.Report
		want    []string
		least   float64 // confidence
		verdict report.Verdict
	}{
		"three weak signs of one Wi-Fi": {
			lossy(14, 12, 1, 3, stream("lan", 8), stream("access", 10), stream("transit", 12)), []string{"net.lan_loss"}, 0.9, report.Limited},
		"the same, only upstream on Wi-Fi": {
			lossy(14, 0, 1, 3, stream("lan", 6), stream("access", 5), stream("transit", 6)), []string{"net.lan_loss"}, 0.9, report.Limited},
		"the line, 4 % in both directions":             {lossy(12, 12, 1, 0, stream("lan", 0), stream("access", 8), stream("transit", 9)), []string{"net.access_loss"}, 0.8, report.Limited},
		"the line, bursts, more of them down":          {lossy(9, 24, 3, 0, stream("lan", 0), stream("access", 12), stream("transit", 12)), []string{"net.access_loss"}, 0.8, report.Limited},
		"the line, only up":                            {lossy(15, 0, 1, 0, atAccess...), []string{"net.upload_loss"}, 0.85, report.Limited},
		"the line, only down":                          {lossy(0, 15, 1, 0, atAccess...), []string{"net.download_loss"}, 0.85, report.Limited},
		"behind the provider":                          {lossy(15, 15, 1, 0, stream("lan", 0), stream("access", 0), stream("transit", 10)), []string{"net.server_loss"}, 0.9, report.Limited},
		"1 % each way":                                 {lossy(3, 3, 1, 0, stream("lan", 0), stream("access", 2), stream("transit", 2)), nil, 0, report.Ready},
		"2 % each way":                                 {lossy(6, 6, 1, 0, stream("lan", 0), stream("access", 4), stream("transit", 4)), nil, 0, report.Ready},
		"9 of 300 in one burst":                        {lossy(9, 0, 9, 0, stream("lan", 0), stream("access", 0), stream("transit", 0)), nil, 0, report.Ready},
		"a router that omits a third of its responses": {lossy(1, 0, 1, 13, stream("lan", 33), stream("access", 0), stream("transit", 0)), nil, 0, report.Ready},
		"loss on the path, none of the voice":          {lossy(0, 0, 0, 0, stream("lan", 0), stream("access", 0), stream("transit", 12)), nil, 0, report.Ready},
		"more than a tenth":                            {lossy(45, 40, 1, 10, stream("lan", 27), stream("access", 27), stream("transit", 28)), []string{"net.lan_loss"}, 0.9, report.NotReady},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			causes, verdict := diagnose.Diagnose(tt.r, profile(t, "bbb"))
			if !slices.Equal(codes(causes), tt.want) || verdict != tt.verdict {
				t.Fatalf("got verdict %s, %+v; want %s, %q", verdict, causes, tt.verdict, tt.want)
			}
			if len(causes) > 0 && causes[0].Confidence < tt.least {
				t.Errorf("got confidence %v, want at least %v", causes[0].Confidence, tt.least)
			}
		})
	}
}

// TestBurstRatioStandsInForRuns: reports of older agents have a burst ratio instead of
// run lengths.
func TestBurstRatioStandsInForRuns(t *testing.T) {
	of := func(ratio float64) []string {
		r := lossy(10, 0, 1, 0, stream("lan", 0), stream("access", 0), stream("transit", 0))
		voice(r).UpLossRunPackets, voice(r).DownLossRunPackets, voice(r).BurstRatio = nil, nil, &ratio
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		return codes(causes)
	}
	if got := of(1); !slices.Equal(got, []string{"net.upload_loss"}) {
		t.Errorf("ten independent losses: got %q, want [\"net.upload_loss\"]", got)
	}
	if got := of(9.6); got != nil {
		t.Errorf("ten in a row: got %q, want nil", got)
	}
}

// TestLossExplainsWhatIsSlow: a lost query is repeated a second later, which does not
// make the name server slow. Without any loss it does.
func TestLossExplainsWhatIsSlow(t *testing.T) {
	slow := func(r *report.Report) *report.Report { web(r).DNSMS = new(1300.0); return r }
	atLAN := []report.PathSegment{stream("lan", 8), stream("access", 9), stream("transit", 10)}
	for name, tt := range map[string]struct {
		r    *report.Report
		want []string
	}{
		"no loss":                          {slow(healthy()), []string{"net.dns_slow"}},
		"Wi-Fi loses 4 %":                  {slow(lossy(13, 11, 1, 3, atLAN...)), []string{"net.lan_loss"}},
		"Wi-Fi loses 12 % in bursts":       {slow(lossy(36, 30, 4, 8, stream("lan", 22), stream("access", 23), stream("transit", 23))), []string{"net.lan_loss"}},
		"2 % lost, not enough for a cause": {slow(lossy(6, 6, 1, 1, stream("lan", 4), stream("access", 4), stream("transit", 4))), nil},
		"one packet of a thousand lost":    {slow(lossy(1, 0, 1, 0, stream("lan", 0), stream("access", 0), stream("transit", 0))), []string{"net.dns_slow"}},
		"no answer for IPv6, and a loss":   {silent6(lossy(13, 11, 1, 3, atLAN...)), []string{"net.lan_loss"}},
		"rate-limited responses of the router, no loss": {slow(lossy(0, 0, 0, 13, stream("lan", 33), stream("access", 0), stream("transit", 0))),
			[]string{"net.dns_slow"}},
	} {
		if causes, _ := diagnose.Diagnose(tt.r, profile(t, "bbb")); !slices.Equal(codes(causes), tt.want) {
			t.Errorf("%s: got %q, want %q", name, codes(causes), tt.want)
		}
	}
}

func silent6(r *report.Report) *report.Report { web(r).DNSSilent6 = new(true); return r }

// TestHeavyLossIsNamedForWhatItPrevents: on a line that loses half of all packets, no
// keys are agreed and no connection is established: the line is the cause.
func TestHeavyLossIsNamedForWhatItPrevents(t *testing.T) {
	for name, change := range map[string]func(*report.Report){
		"no keys": func(r *report.Report) { media(r, report.MediaDTLSFailed); voice(r).Path = "host udp" },
		"stream interrupted": func(r *report.Report) {
			counted(r, 0, 0, 0)
			voice(r).State, voice(r).Path = report.MediaInterrupted, "host udp"
		},
		"no signalling": func(r *report.Report) { media(r, report.MediaNoSignalling) },
	} {
		r := healthy()
		r.Target = ""
		change(r)
		*web(r) = report.NetworkWeb{Stage: "dns", DNSMS: new(10.0)}
		*path(r) = report.NetworkPath{Line: "reached", Segments: []report.PathSegment{stream("lan", 0), stream("access", 70), stream("transit", 71)}}
		causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
		if !slices.Equal(codes(causes), []string{"net.access_loss"}) || verdict != report.NotReady {
			t.Errorf("%s: got %q, verdict %s; want only net.access_loss, %s", name, codes(causes), verdict, report.NotReady)
		}
	}
}

// TestShortVoiceIsNotAGoodLine: on a line that loses in long bursts the voice begins
// late: two seconds with little loss prove nothing about the five before.
func TestShortVoiceIsNotAGoodLine(t *testing.T) {
	r := lossy(1, 4, 4, 31, stream("lan", 50), stream("access", 51))
	v := voice(r)
	v.Sent, v.UpReceived, v.UpLossPct, v.DownSent, v.DownReceived, v.DownLossPct = new(95), new(94), new(1.053), new(94), new(90), new(4.255)
	link(r).GatewayLossRunPackets = new(15.5)
	causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
	if !slices.Equal(codes(causes), []string{"net.lan_loss"}) {
		t.Errorf("causes = %+v, want net.lan_loss", causes)
	}
}

// TestHintNamesTheIndicator: the hint contains the threshold of the conference system's
// own indicator, and only that of the profile.
func TestHintNamesTheIndicator(t *testing.T) {
	for _, name := range diagnose.ProfileNames() {
		for code, of := range map[string]string{"net.lan_loss": "20 %", "net.upload_loss": "20 %", "net.latency_high": "2000 ms", "net.jitter_high": ""} {
			text, _ := diagnose.ExplainBy(code, "en", profile(t, name))
			says := of != "" && strings.Contains(text.Hint, "BigBlueButton") && strings.Contains(text.Hint, of)
			if want := name == "bbb" && of != ""; says != want {
				t.Errorf("%s, %s: got hint %q, want the indicator of BigBlueButton: %t", name, code, text.Hint, want)
			}
		}
	}
}

func TestLossConfidence(t *testing.T) {
	tests := []struct {
		name     string
		pct      float64
		ci       *report.Interval
		severity report.Severity
		low, top float64
	}{
		{"interval beyond the fail limit", 20, &report.Interval{15.9, 24.9}, report.SeverityFail, 0.975, 1},
		{"interval beyond the warn limit", 5.3, &report.Interval{3.3, 8.5}, report.SeverityWarn, 0.95, 1},
		{"interval contains the warn limit", 3.3, &report.Interval{1.8, 6}, report.SeverityWarn, 0.5, 0.75},
		{"just above the fail limit is a warning", 10.3, &report.Interval{7.4, 14.3}, report.SeverityWarn, 0.95, 1},
		{"a fail needs a count", 30, nil, report.SeverityWarn, 0.6, 0.6},
		{"lost altogether", 100, &report.Interval{98.7, 100}, report.SeverityFail, 0.975, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := healthy()
			voice(r).UpLossPct, voice(r).UpLossCI95 = &tt.pct, tt.ci
			if tt.ci == nil {
				voice(r).Sent = nil
			}
			causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
			if !slices.Equal(codes(causes), []string{"net.upload_loss"}) {
				t.Fatalf("got causes %q, want [\"net.upload_loss\"]", codes(causes))
			}
			if c := causes[0]; c.Severity != tt.severity || c.Confidence < tt.low || c.Confidence > tt.top {
				t.Errorf("got %s with confidence %v, want %s within %v..%v", c.Severity, c.Confidence, tt.severity, tt.low, tt.top)
			}
		})
	}
}

// toConference adds the voice to a conference server, of 120 packets in each direction.
func toConference(r *report.Report, up, down int) *report.Report {
	share := func(lost, of int) *float64 { return new(100 * float64(lost) / float64(of)) }
	r.Probes = append(r.Probes, report.Result{Name: report.ProbeJanus, Version: 1, Status: report.StatusOK, Data: &report.Conference{
		URLHost: "janus.example.org", Reachable: new(true),
		Media: &report.MediaVoice{
			State: report.MediaComplete, Path: "host udp", Sent: new(120), UpReceived: new(120 - up), UpLossPct: share(up, 120),
			DownSent: new(120 - up), DownReceived: new(120 - up - down), DownLossPct: share(down, 120-up),
		},
	}})
	return r
}

// TestConferenceLoss: the voice to the conference server crosses the same line as that
// to the collector: its losses count as well, for and against a disturbance.
func TestConferenceLoss(t *testing.T) {
	clean := []report.PathSegment{stream("lan", 0), stream("access", 2), stream("transit", 2)}
	tcp := toConference(lossy(0, 7, 1, 0, clean...), 0, 6)
	tcp.Probes[len(tcp.Probes)-1].Data.(*report.Conference).Media.Path = "host tcp"
	for name, tt := range map[string]struct {
		r    *report.Report
		want []string
	}{
		"3 % from the collector alone":                  {lossy(0, 9, 1, 0, clean...), nil},
		"3 % to the collector, 8 % from the conference": {toConference(lossy(0, 9, 1, 0, clean...), 0, 10), []string{"net.download_loss"}},
		"3 % to the collector, 8 % to the conference":   {toConference(lossy(9, 0, 1, 0, clean...), 10, 0), []string{"net.upload_loss"}},
		"3 %, and none to the conference":               {toConference(lossy(9, 0, 1, 0, clean...), 0, 0), nil},
		"one lost packet":                               {toConference(lossy(0, 0, 0, 0, clean...), 1, 0), nil},
		"the same over TCP":                             {tcp, nil},
	} {
		causes, _ := diagnose.Diagnose(tt.r, profile(t, "bbb"))
		got := slices.DeleteFunc(codes(causes), func(code string) bool { return strings.HasPrefix(code, "conf.") })
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
