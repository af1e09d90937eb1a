package diagnose_test

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// stream returns a segment whose stream of a hundred packets lost this many.
func stream(name string, lost int) report.PathSegment {
	return report.PathSegment{
		Name: name, Sent: new(100), Lost: new(lost), LossPct: new(float64(lost)),
		RTTMinMS: new(2.0), RTTMS: new(3.0), RTTP95MS: new(6.0),
	}
}

// silentEnd returns a far end that never answered.
func silentEnd(name string) report.PathSegment { return report.PathSegment{Name: name, Sent: new(100)} }

// loses sets the lost packets of the voice, of 300 in each direction.
func loses(r *report.Report, up, down float64) {
	interval := func(pct float64) *report.Interval { return &report.Interval{max(0, pct-2.5), pct + 3.5} }
	v := voice(r)
	v.UpLossPct, v.UpLossCI95 = new(up), interval(up)
	v.DownLossPct, v.DownLossCI95 = new(down), interval(down)
}

// TestVoiceAndPathPlaceTheLoss: the voice proves that there is a loss, the path locates
// it.
func TestVoiceAndPathPlaceTheLoss(t *testing.T) {
	tests := map[string]struct {
		up, down float64
		fault    string
		segments []report.PathSegment
		want     []string
	}{
		"access, located by the path":                    {8, 8, "access", nil, []string{"net.access_loss"}},
		"access, only up":                                {8, 0, "access", nil, []string{"net.upload_loss"}},
		"access, only down":                              {0, 8, "access", nil, []string{"net.download_loss"}},
		"own network, only up":                           {8, 0, "lan", nil, []string{"net.lan_loss"}},
		"server, only down":                              {0, 12, "server", nil, []string{"net.server_loss"}},
		"server, the provider is clean":                  {0, 12, "server", []report.PathSegment{stream("lan", 0), stream("access", 0), stream("transit", 13)}, []string{"net.server_loss"}},
		"server, fewer losses at the provider by chance": {0, 12, "server", []report.PathSegment{stream("lan", 0), stream("access", 5), stream("transit", 16)}, []string{"net.download_loss"}},
		"the same, in both directions":                   {12, 12, "server", []report.PathSegment{stream("lan", 0), stream("access", 8), stream("transit", 20)}, []string{"net.access_loss"}},
		"below the path's threshold":                     {6, 6, "none", []report.PathSegment{stream("lan", 0), stream("access", 5), stream("transit", 5)}, []string{"net.access_loss"}},
		"Wi-Fi below the path's threshold":               {6, 6, "none", []report.PathSegment{stream("lan", 4), stream("access", 5), stream("transit", 5)}, []string{"net.lan_loss"}},
		"behind the provider":                            {8, 8, "", []report.PathSegment{stream("lan", 0), stream("access", 0), stream("transit", 5)}, []string{"net.server_loss"}},
		"the provider's router does not respond":         {6, 0, "", []report.PathSegment{stream("lan", 0), stream("transit", 5)}, []string{"net.upload_loss"}},
		"the path lost nothing":                          {8, 0, "none", []report.PathSegment{stream("lan", 0), stream("access", 0), stream("transit", 0)}, []string{"net.upload_loss"}},
		"the home router limits its responses":           {8, 0, "", []report.PathSegment{stream("lan", 60), stream("access", 3), stream("transit", 6)}, []string{"net.upload_loss"}},
		"no path":                                        {8, 0, "", nil, []string{"net.upload_loss"}},
		"the voice lost nothing":                         {1, 1, "none", []report.PathSegment{stream("lan", 0), stream("access", 5), stream("transit", 5)}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			loses(r, tt.up, tt.down)
			*path(r) = report.NetworkPath{FaultSegment: tt.fault, Segments: tt.segments, Line: "reached"}
			causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
			if !slices.Equal(codes(causes), tt.want) {
				t.Errorf("got causes %q, want %q", codes(causes), tt.want)
			}
		})
	}
}

// TestInterruptedLine: an interrupted line loses in both directions, though only
// upstream appears to lose. A loss that is only downstream is still reported for that direction.
func TestInterruptedLine(t *testing.T) {
	for name, tt := range map[string]struct {
		up, down, holeMS float64
		want             string
	}{
		"one interruption":                   {25, 0, 1500, "net.access_loss"},
		"scattered losses":                   {25, 0, 80, "net.upload_loss"},
		"one interruption, and other losses": {50, 0, 1500, "net.upload_loss"},
		"interrupted only downstream":        {0, 25, 1500, "net.download_loss"},
	} {
		r := healthy()
		loses(r, tt.up, tt.down)
		voice(r).LongestGapMS = new(tt.holeMS)
		*path(r) = report.NetworkPath{FaultSegment: "access", Line: "reached"}
		if causes, _ := diagnose.Diagnose(r, profile(t, "bbb")); !slices.Equal(codes(causes), []string{tt.want}) {
			t.Errorf("%s: got causes %q, want %s", name, codes(causes), tt.want)
		}
	}
}

// TestDeadLineAndSilentServer: a line is dead only if the router answers well and
// nothing behind it does.
func TestDeadLineAndSilentServer(t *testing.T) {
	dead := func(r *report.Report) {
		*path(r) = report.NetworkPath{Line: "silent", Segments: []report.PathSegment{stream("lan", 0), silentEnd("transit")}}
		*web(r) = report.NetworkWeb{Stage: "dns", DNSMS: new(10.0)}
		*nat(r) = report.NAT{UDP: report.ReachNotTested, TCP: report.ReachNotTested}
		media(r, report.MediaNoSignalling)
	}
	tests := map[string]struct {
		change func(*report.Report)
		want   string
		area   report.Area
	}{
		"dead":                                {func(*report.Report) {}, "net.offline", report.AreaProvider},
		"a name that does not exist":          {func(r *report.Report) { *web(r) = report.NetworkWeb{DNSError: "not_found"} }, "", ""},
		"DNS fails as well":                   {func(r *report.Report) { *web(r) = report.NetworkWeb{DNSError: "timeout"} }, "net.offline", report.AreaProvider},
		"a sign-in page":                      {func(r *report.Report) { web(r).CaptivePortal, web(r).Online = new(true), new(true) }, "net.captive_portal", report.AreaParticipant},
		"the web connected":                   {func(r *report.Report) { web(r).TCPMS = new(20.0) }, "", ""},
		"our reflector answered":              {func(r *report.Report) { nat(r).UDP = report.ReachOpen }, "conf.server_down", report.AreaMunicipality},
		"line not reported":                   {func(r *report.Report) { path(r).Line = "" }, "", ""},
		"the provider responds":               {func(r *report.Report) { path(r).Line = "reached" }, "conf.server_down", report.AreaMunicipality},
		"the provider responds, DNS does not": {func(r *report.Report) { path(r).Line = "reached"; *web(r) = report.NetworkWeb{DNSError: "timeout"} }, "net.dns_failure", report.AreaParticipant},
		"loss on the path to the router": {func(r *report.Report) {
			path(r).Line, path(r).Segments = "", []report.PathSegment{stream("lan", 30)}
			link(r).GatewayLossPct, link(r).GatewaySent = new(30.0), new(40)
			*web(r) = report.NetworkWeb{DNSError: "timeout"}
		}, "net.lan_loss", report.AreaParticipant},
		"the interface disappeared": {func(r *report.Report) {
			path(r).Line = "cut"
			nat(r).UDP = report.ReachOpen
		}, "net.offline", report.AreaParticipant},
		"a server that loses packets is not silent": {func(r *report.Report) {
			path(r).Line, path(r).FaultSegment = "reached", "access"
			path(r).Segments = []report.PathSegment{stream("lan", 0), stream("access", 60), stream("transit", 60)}
		}, "net.access_loss", report.AreaProvider},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			r.Target = ""
			dead(r)
			tt.change(r)
			causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
			if tt.want == "" {
				if slices.Contains(codes(causes), "net.offline") || verdict == report.Ready {
					t.Errorf("got causes %q, verdict %s, want no net.offline and not %s", codes(causes), verdict, report.Ready)
				}
				return
			}
			if len(causes) == 0 || causes[0].Code != tt.want || !causes[0].Primary || causes[0].Area != tt.area {
				t.Errorf("got causes %+v, want %s, %s", causes, tt.want, tt.area)
			}
		})
	}
}

// TestLossIsNotASilentServer: a server is not down if its responses are lost on the
// path. If it never responded at all, loss does not explain that.
func TestLossIsNotASilentServer(t *testing.T) {
	hangs := report.NetworkWeb{Stage: "tcp", TCPMS: new(30.0)}
	silent := report.NetworkWeb{Stage: "dns", DNSMS: new(10.0), Online: new(true)}
	late := report.NetworkWeb{Stage: "tls", TCPMS: new(30.0), TLSMS: new(900.0)}
	lossy := []report.PathSegment{stream("lan", 0), stream("access", 22), stream("transit", 22)}
	tests := map[string]struct {
		target string
		web    report.NetworkWeb
		ends   []report.PathSegment
		down   bool
	}{
		"no response in time":                   {"", late, lossy, false},
		"no connection":                         {"", silent, lossy, false},
		"no TLS response":                       {"", hangs, lossy, false},
		"loss to the conference server as well": {"bbb.example", silent, append(slices.Clone(lossy), stream("server", 24)), false},
		"the conference server never responds":  {"bbb.example", silent, append(slices.Clone(lossy), silentEnd("server")), true},
		"no response, no loss":                  {"", late, []report.PathSegment{stream("lan", 0), stream("access", 0), stream("transit", 0)}, true},
		"no connection, little loss":            {"", silent, []report.PathSegment{stream("lan", 0), stream("access", 4), stream("transit", 4)}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			r.Target = tt.target
			*path(r) = report.NetworkPath{Segments: tt.ends, Line: "reached"}
			*web(r) = tt.web
			*nat(r) = report.NAT{UDP: report.ReachNotTested, TCP: report.ReachNotTested}
			media(r, report.MediaNoSignalling)
			causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
			if got := slices.Contains(codes(causes), "conf.server_down"); got != tt.down {
				t.Errorf("got causes %q, want conf.server_down: %t", codes(causes), tt.down)
			}
		})
	}
}

// TestWiFiThatStalls: Wi-Fi that stalls repeatedly explains jitter, and nothing else
// does.
func TestWiFiThatStalls(t *testing.T) {
	spread := func(name string, ms float64) report.PathSegment {
		s := stream(name, 0)
		s.RTTP95MS = new(2 + ms)
		return s
	}
	tests := map[string]struct {
		segments []report.PathSegment
		kind     string
		late     float64
		want     []string
	}{
		"jitter from the router on":    {[]report.PathSegment{spread("lan", 240), spread("access", 250), spread("transit", 260)}, "wifi", 30, []string{"net.wifi_weak"}},
		"no jitter of the voice":       {[]report.PathSegment{spread("lan", 240), spread("access", 250), spread("transit", 260)}, "wifi", 0, nil},
		"on a cable":                   {[]report.PathSegment{spread("lan", 240), spread("access", 250), spread("transit", 260)}, "ethernet", 30, []string{"net.jitter_high"}},
		"jitter from the provider on":  {[]report.PathSegment{spread("lan", 3), spread("access", 250), spread("transit", 260)}, "wifi", 30, []string{"net.jitter_high"}},
		"a router slow to answer":      {[]report.PathSegment{spread("lan", 240), spread("access", 9), spread("transit", 12)}, "wifi", 30, []string{"net.jitter_high"}},
		"no segment behind the router": {[]report.PathSegment{spread("lan", 240)}, "wifi", 30, []string{"net.jitter_high"}},
		"a busy Wi-Fi channel":         {[]report.PathSegment{spread("lan", 40), spread("access", 42), spread("transit", 44)}, "wifi", 30, []string{"net.jitter_high"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			link(r).Kind = tt.kind
			voice(r).LatePct60MS = new(tt.late)
			spreadMS := *tt.segments[0].RTTP95MS - 2
			*path(r) = report.NetworkPath{FaultSegment: "none", Segments: tt.segments, LANSpreadMS: &spreadMS, Line: "reached"}
			causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
			if !slices.Equal(codes(causes), tt.want) {
				t.Errorf("got causes %q, want %q", codes(causes), tt.want)
			}
		})
	}
}

// TestWeakSignalIsNotReportedForTheLine: a weak signal is not reported if the
// disturbance is behind the router.
func TestWeakSignalIsNotReportedForTheLine(t *testing.T) {
	r := healthy()
	link(r).SignalDBM = new(-80.0)
	loses(r, 12, 12)
	*path(r) = report.NetworkPath{FaultSegment: "access", Line: "reached"}
	causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
	if !slices.Equal(codes(causes), []string{"net.access_loss"}) {
		t.Errorf("got causes %q, want [\"net.access_loss\"]", codes(causes))
	}
}
