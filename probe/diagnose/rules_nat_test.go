package diagnose_test

import (
	"slices"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// natCase is a change to a healthy report and its expected result without a conference
// server: the codes in order, and the severity, area and verdict that go with the first.
// With one, the result must be the same with the codes of our own servers.
type natCase struct {
	change   func(*report.Report)
	codes    []string
	severity report.Severity
	area     report.Area
	verdict  report.Verdict
}

// judgeNAT checks each case with and without a conference server.
func judgeNAT(t *testing.T, tests map[string]natCase) {
	t.Helper()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			tt.change(r)
			tt.judge(t, r, ofOurs(r, tt.codes))
			r.Target = ""
			tt.judge(t, r, tt.codes)
		})
	}
}

// judgeWeb checks each case against the server that it specifies: network.web has
// another meaning if that is the collector.
func judgeWeb(t *testing.T, tests map[string]natCase) {
	t.Helper()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := healthy()
			tt.change(r)
			tt.judge(t, r, tt.codes)
		})
	}
}

// ofOurs returns the codes for what was measured against the collector's own servers
// while a conference server was checked.
func ofOurs(r *report.Report, all []string) []string {
	ours := slices.Clone(all)
	for i, code := range all {
		switch code {
		case "conf.server_down":
			ours[i] = "net.test_server_down"
		case "conf.ice_failed", "conf.media_not_flowing":
			ours[i] = "net.media_blocked"
		case "conf.tcp_only":
			ours[i] = "net.media_detour"
		case "conf.media_ports_blocked":
			ours[i] = "net.media_detour"
			if v := voice(r); v.Path == "" {
				ours[i] = "net.media_blocked"
			}
		}
	}
	return ours
}

func (tt natCase) judge(t *testing.T, r *report.Report, want []string) {
	t.Helper()
	causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
	if !slices.Equal(codes(causes), want) {
		t.Fatalf("target %q: got causes %q, want %q", r.Target, codes(causes), want)
	}
	if len(causes) > 0 && (causes[0].Severity != tt.severity || tt.area != "" && causes[0].Area != tt.area) {
		t.Errorf("target %q: got %+v, want %s with area %s", r.Target, causes[0], tt.severity, tt.area)
	}
	if tt.verdict != "" && verdict != tt.verdict {
		t.Errorf("target %q: got verdict %s, want %s", r.Target, verdict, tt.verdict)
	}
}

func one(code string) []string { return []string{code} }

func TestNATRules(t *testing.T) {
	judgeNAT(t, map[string]natCase{
		"no NAT":                 {func(r *report.Report) { behavior(r).Mapping = "none" }, nil, "", "", report.Ready},
		"mapping unknown":        {func(r *report.Report) { behavior(r).Mapping = "" }, nil, "", "", report.Ready},
		"symmetric, voice works": {func(r *report.Report) { behavior(r).Mapping = "ADM" }, one("net.nat_symmetric"), report.SeverityInfo, "", report.Ready},
		"symmetric, relay works": {func(r *report.Report) { behavior(r).Mapping = "APDM"; media(r, report.MediaNotEnrolled) }, one("net.nat_symmetric"), report.SeverityInfo, "", report.Unknown},
		"symmetric, relay test incomplete": {func(r *report.Report) {
			behavior(r).Mapping = "APDM"
			noRelay(r, "other")
			turn(r).TLSAllocated = nil
			media(r, report.MediaICEFailed)
		}, []string{"conf.ice_failed", "net.nat_symmetric"}, report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"binding 30 s":   {func(r *report.Report) { behavior(r).BindingLifetimeS = new(30.0) }, nil, "", "", report.Ready},
		"binding 29.9 s": {func(r *report.Report) { behavior(r).BindingLifetimeS = new(29.9) }, one("net.nat_binding_short"), report.SeverityWarn, report.AreaParticipant, report.Limited},
		"binding 0 s":    {func(r *report.Report) { behavior(r).BindingLifetimeS = new(0.0) }, one("net.nat_binding_short"), report.SeverityWarn, report.AreaParticipant, report.Limited},
		"CGNAT false":    {func(r *report.Report) { behavior(r).CGNAT = new(false) }, nil, "", "", report.Ready},
	})
}

func TestRelayRules(t *testing.T) {
	iceFailed := func(r *report.Report) { media(r, report.MediaICEFailed) }
	judgeNAT(t, map[string]natCase{
		"wrong credentials, voice works": {func(r *report.Report) { noRelay(r, "auth_failed") }, one("net.turn_auth_failed"), report.SeverityInfo, report.AreaMunicipality, report.Ready},
		"wrong credentials, no voice":    {func(r *report.Report) { noRelay(r, "auth_failed"); iceFailed(r) }, one("net.turn_auth_failed"), report.SeverityWarn, report.AreaMunicipality, report.Unknown},
		"no TLS":                         {func(r *report.Report) { turn(r).TLSAllocated, turn(r).TLSError = new(false), "unreachable" }, one("net.turn_unreachable"), report.SeverityInfo, report.AreaUnknown, report.Ready},
		"relay unreachable, voice works": {func(r *report.Report) { noRelay(r, "unreachable") }, one("net.turn_unreachable"), report.SeverityInfo, report.AreaUnknown, report.Ready},
		"relay unreachable, no voice":    {func(r *report.Report) { noRelay(r, "unreachable"); iceFailed(r) }, one("net.turn_unreachable"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"TLS certificate":                {func(r *report.Report) { turn(r).TLSAllocated, turn(r).TLSError = new(false), "tls" }, one("net.turn_unreachable"), report.SeverityInfo, report.AreaMunicipality, report.Ready},
		"TLS certificate, inspected": {func(r *report.Report) {
			turn(r).TLSAllocated, turn(r).TLSError, web(r).TLSIntercepted = new(false), "tls", new(true)
		}, one("net.tls_intercepted"), report.SeverityWarn, report.AreaParticipant, report.Limited},
		"TLS certificate, no voice":      {func(r *report.Report) { noRelay(r, "tls"); iceFailed(r) }, one("net.turn_unreachable"), report.SeverityWarn, report.AreaMunicipality, report.Unknown},
		"TLS certificate, UDP is silent": {func(r *report.Report) { noRelay(r, "unreachable"); turn(r).TLSError = "tls"; iceFailed(r) }, one("net.turn_unreachable"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"quota, voice works":             {func(r *report.Report) { noRelay(r, "quota") }, one("net.turn_auth_failed"), report.SeverityInfo, report.AreaMunicipality, report.Ready},
		"quota, no voice":                {func(r *report.Report) { noRelay(r, "quota"); iceFailed(r) }, one("net.turn_auth_failed"), report.SeverityWarn, report.AreaMunicipality, report.Unknown},
		"UDP blocked, relay over UDP only": {func(r *report.Report) {
			nat(r).UDP, voice(r).Path = report.ReachBlocked, "relay tcp"
			turn(r).UDPAllocated, turn(r).UDPError = new(false), "unreachable"
		}, one("net.udp_blocked"), report.SeverityWarn, report.AreaParticipant, report.Limited},
		"server does not respond at all": {func(r *report.Report) { noReflector(r); noRelay(r, "unreachable") }, one("conf.server_down"), report.SeverityWarn, report.AreaMunicipality, report.Unknown},
		"only web pages pass":            {func(r *report.Report) { onlyWeb(r) }, one("net.udp_blocked"), report.SeverityFail, report.AreaParticipant, report.NotReady},
		"a router on the path responds":  {func(r *report.Report) { onlyWeb(r); path(r).Line = "reached" }, one("conf.media_ports_blocked"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"only the proxy is reached": {func(r *report.Report) {
			onlyWeb(r)
			path(r).Line, web(r).Proxy, web(r).BesideProxy = "reached", "http", new(false)
		}, one("net.udp_blocked"), report.SeverityFail, report.AreaParticipant, report.NotReady},
		"an optional proxy": {func(r *report.Report) {
			onlyWeb(r)
			path(r).Line, web(r).Proxy, web(r).BesideProxy = "reached", "http", new(true)
		}, one("conf.media_ports_blocked"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"a router responds, others reach the reflector": {func(r *report.Report) {
			onlyWeb(r)
			path(r).Line, nat(r).ServerHeardS = "reached", new(600.0)
		}, one("net.udp_blocked"), report.SeverityFail, report.AreaParticipant, report.NotReady},
		"a router responds, others reached the reflector earlier": {func(r *report.Report) {
			onlyWeb(r)
			path(r).Line, nat(r).ServerHeardS = "reached", new(600.1)
		}, one("conf.media_ports_blocked"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"others reached it just before, it no longer responds": {func(r *report.Report) {
			onlyWeb(r)
			path(r).Line, nat(r).ServerHeardS, nat(r).ServerAnsweredS = "reached", new(1.0), nil
		}, one("conf.server_down"), report.SeverityWarn, report.AreaMunicipality, report.Unknown},
		"no router responds, the reflector no longer responds": {func(r *report.Report) {
			onlyWeb(r)
			nat(r).ServerAnsweredS = nil
		}, one("conf.server_down"), report.SeverityWarn, report.AreaMunicipality, report.Unknown},
		"no router responds, nobody ever reached the reflector": {func(r *report.Report) {
			onlyWeb(r)
			nat(r).ServerHeardS = nil
		}, one("conf.media_ports_blocked"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"the last self-test was long ago": {func(r *report.Report) {
			onlyWeb(r)
			nat(r).ServerAnsweredS = new(16.0)
		}, one("conf.server_down"), report.SeverityWarn, report.AreaMunicipality, report.Unknown},
		"no router on the path was tested":            {func(r *report.Report) { onlyWeb(r); path(r).Segments = path(r).Segments[:1] }, one("conf.media_ports_blocked"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"a router on the path lost only some packets": {func(r *report.Report) { onlyWeb(r); path(r).Segments[1].Lost = new(100) }, one("conf.media_ports_blocked"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"only the relay responds": {func(r *report.Report) {
			*nat(r) = report.NAT{UDP: report.ReachServerSilent, TCP: report.ReachServerSilent}
			turn(r).UDPAllocated, turn(r).UDPRelayed, turn(r).UDPError = new(false), nil, "unreachable"
			iceFailed(r)
		}, one("net.udp_blocked"), report.SeverityFail, report.AreaParticipant, report.NotReady},
		"nothing tested":            {func(r *report.Report) { *turn(r) = report.NATTURN{Transports: new(3)} }, nil, "", "", report.Ready},
		"list unknown":              {func(r *report.Report) { *turn(r) = report.NATTURN{} }, nil, "", "", report.Ready},
		"relay used, STUN unknown":  {func(r *report.Report) { nat(r).UDP, voice(r).Path = report.ReachNotTested, "relay udp" }, one("net.turn_required"), report.SeverityInfo, report.AreaUnknown, report.Ready},
		"none offered, voice works": {func(r *report.Report) { *turn(r) = report.NATTURN{Transports: new(0)} }, nil, "", "", report.Ready},
		"none offered, no voice":    {func(r *report.Report) { *turn(r) = report.NATTURN{Transports: new(0)}; iceFailed(r) }, one("net.turn_required"), report.SeverityWarn, report.AreaMunicipality, report.Unknown},
	})
}

// onlyWeb makes the line permit web pages only.
func onlyWeb(r *report.Report) {
	noReflector(r)
	media(r, report.MediaICEFailed)
	nat(r).ServerAnsweredS, nat(r).ServerHeardS = new(0.5), new(3600.0)
	*path(r) = report.NetworkPath{Line: "silent", Segments: []report.PathSegment{
		{Name: "lan", Sent: new(100), Lost: new(0), RTTMS: new(0.4)},
		{Name: "transit", Sent: new(100)},
	}}
}

// overfull makes the line too slow even for the check itself, so that no voice stream is
// established.
func overfull(r *report.Report) {
	media(r, report.MediaICEFailed)
	noRelay(r, "unreachable")
	r.Target, web(r).TCPMS = "", new(180.0)
	*path(r) = report.NetworkPath{Line: "reached", FaultSegment: "access", Segments: []report.PathSegment{
		{Name: "lan", Sent: new(100), Lost: new(0), RTTMS: new(0.4)},
		{Name: "access", Sent: new(100), Lost: new(30), RTTMS: new(670.0)},
		{Name: "transit", Sent: new(100), Lost: new(37), RTTMS: new(700.0)},
	}}
}

// cutOff is a firewall that blocks UDP in the middle of the stream.
func cutOff(r *report.Report) {
	media(r, report.MediaInterrupted)
	v := voice(r)
	v.Path, v.Sent, v.UpReceived, v.UpLossPct, v.UpLossCI95 = "host udp", new(300), new(140), new(53.3), &report.Interval{47.7, 58.9}
	v.LongestGapMS, v.ServerAnsweredS = new(3200.0), new(0.0)
	*path(r) = report.NetworkPath{Line: "reached", UDPCut: new(true), Segments: []report.PathSegment{
		{Name: "lan", Sent: new(100), Lost: new(0), RTTMS: new(0.4)},
		{Name: "access", Sent: new(100), Lost: new(0), RTTMS: new(9.0)},
		{Name: "transit", Sent: new(100), Lost: new(45), RTTMS: new(20.0)},
	}}
}

func TestMediaRules(t *testing.T) {
	judgeNAT(t, map[string]natCase{
		"relay beside an open STUN port": {func(r *report.Report) { voice(r).Path = "relay tls" }, one("conf.media_ports_blocked"), report.SeverityWarn, report.AreaUnknown, report.Limited},
		"TCP, STUN answers":              {func(r *report.Report) { voice(r).Path = "prflx tcp" }, one("conf.tcp_only"), report.SeverityWarn, report.AreaUnknown, report.Limited},
		"TCP, STUN not tested":           {func(r *report.Report) { voice(r).Path, nat(r).UDP = "host tcp", report.ReachNotTested }, one("conf.tcp_only"), report.SeverityWarn, report.AreaUnknown, report.Limited},
		"TCP, UDP blocked":               {func(r *report.Report) { voice(r).Path, nat(r).UDP = "host tcp", report.ReachBlocked }, one("net.udp_blocked"), report.SeverityWarn, report.AreaParticipant, report.Limited},
		"TCP, UDP blocked, perhaps at the server": {func(r *report.Report) {
			voice(r).Path, nat(r).UDP, nat(r).Transmissions = "host tcp", report.ReachBlocked, new(4)
		}, one("net.udp_blocked"), report.SeverityWarn, report.AreaUnknown, report.Limited},
		"TCP, UDP blocked, others reach it": {func(r *report.Report) {
			voice(r).Path, nat(r).UDP, nat(r).Transmissions = "host tcp", report.ReachBlocked, new(4)
			nat(r).ServerAnsweredS, nat(r).ServerHeardS = new(0.5), new(3600.0)
		}, one("net.udp_blocked"), report.SeverityWarn, report.AreaParticipant, report.Limited},
		"no path, UDP blocked, perhaps at the server": {func(r *report.Report) {
			media(r, report.MediaICEFailed)
			nat(r).UDP, nat(r).Transmissions = report.ReachBlocked, new(4)
		}, one("net.udp_blocked"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"no echo, no log":      {func(r *report.Report) { media(r, report.MediaNotFlowing) }, one("conf.media_not_flowing"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"no keys":              {func(r *report.Report) { media(r, report.MediaDTLSFailed) }, one("conf.media_not_flowing"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"no path, relay works": {func(r *report.Report) { media(r, report.MediaICEFailed) }, one("conf.ice_failed"), report.SeverityWarn, report.AreaMunicipality, report.Unknown},
		"no path, relay not tested": {func(r *report.Report) {
			media(r, report.MediaICEFailed)
			*turn(r) = report.NATTURN{}
		}, one("conf.ice_failed"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"no path, UDP blocked": {func(r *report.Report) { media(r, report.MediaICEFailed); nat(r).UDP = report.ReachBlocked }, one("net.udp_blocked"), report.SeverityFail, report.AreaParticipant, report.NotReady},
		"no path, the media port responds": {func(r *report.Report) {
			media(r, report.MediaICEFailed)
			noRelay(r, "unreachable")
			nat(r).ServerAnsweredS = new(0.0)
		}, []string{"conf.media_ports_blocked", "net.turn_unreachable"}, report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"no path, the line loses half": {func(r *report.Report) {
			media(r, report.MediaICEFailed)
			noRelay(r, "unreachable")
			nat(r).ServerAnsweredS = new(0.0)
			*path(r) = report.NetworkPath{Line: "reached", Segments: []report.PathSegment{{Name: "transit", Sent: new(100), Lost: new(43), RTTMS: new(20.0)}}}
		}, one("net.turn_unreachable"), report.SeverityWarn, report.AreaUnknown, report.Unknown},
		"no path, the line is full": {func(r *report.Report) { overfull(r) }, []string{"net.bufferbloat", "net.turn_unreachable"}, report.SeverityFail, report.AreaUnknown, report.NotReady},
		"no path, the line has latency and loss": {func(r *report.Report) {
			overfull(r)
			web(r).TCPMS = new(501.0)
		}, []string{"net.access_loss", "net.turn_unreachable"}, report.SeverityFail, report.AreaProvider, report.NotReady},
		"line full, web through a proxy": {func(r *report.Report) {
			overfull(r)
			web(r).Proxy = "http"
		}, []string{"net.access_loss", "net.turn_unreachable"}, report.SeverityFail, report.AreaProvider, report.NotReady},
		"UDP stops in the middle":              {func(r *report.Report) { cutOff(r) }, one("net.udp_blocked"), report.SeverityFail, report.AreaParticipant, report.NotReady},
		"the reflector stops in the middle":    {func(r *report.Report) { cutOff(r); voice(r).ServerAnsweredS = nil }, one("conf.server_down"), report.SeverityWarn, report.AreaMunicipality, report.Unknown},
		"UDP stops after the stream":           {func(r *report.Report) { path(r).UDPCut = new(true) }, nil, "", "", report.Ready},
		"the whole server stops in the middle": {func(r *report.Report) { cutOff(r); path(r).UDPCut, path(r).FaultSegment = nil, "server" }, one("net.server_loss"), report.SeverityFail, report.AreaMunicipality, report.NotReady},
		"UDP stopped and resumed":              {func(r *report.Report) { cutOff(r); path(r).UDPCut = new(false) }, one("net.server_loss"), report.SeverityFail, report.AreaMunicipality, report.NotReady},
	})
}

func TestLargePackets(t *testing.T) {
	vanish := func(r *report.Report, by string) {
		path(r).MTUBlackhole, path(r).MTUBy, path(r).MTUWorksBytes = new(true), by, new(1300)
	}
	judgeWeb(t, map[string]natCase{
		"large pings dropped, web works":       {func(r *report.Report) { vanish(r, "icmp") }, nil, "", "", report.Ready},
		"large UDP requests vanish, web works": {func(r *report.Report) { vanish(r, "udp") }, one("net.mtu_blackhole"), report.SeverityInfo, "", report.Ready},
		"large pings vanish, web hangs":        {func(r *report.Report) { hangs(r); vanish(r, "icmp") }, one("net.mtu_blackhole"), report.SeverityFail, "", report.NotReady},
		"web hangs, large packets unknown":     {hangs, nil, "", "", report.Unknown},
		"web hangs, small packets work":        {func(r *report.Report) { hangs(r); web(r).TLSSmallPackets = new(true) }, one("net.mtu_blackhole"), report.SeverityFail, "", report.NotReady},
		"a lossy line, second attempt works by chance": {func(r *report.Report) {
			hangs(r)
			web(r).TLSSmallPackets = new(true)
			loses(r, 17, 12)
			*path(r) = report.NetworkPath{FaultSegment: "lan", Line: "reached", Segments: []report.PathSegment{stream("lan", 25), stream("access", 26), stream("transit", 24)}}
		}, one("net.lan_loss"), report.SeverityFail, report.AreaParticipant, report.NotReady},
		"small packets work, but so do large pings": {func(r *report.Report) { hangs(r); web(r).TLSSmallPackets, path(r).MTUBlackhole = new(true), new(false) }, one("net.mtu_blackhole"), report.SeverityFail, "", report.NotReady},
		"web hangs with any size":                   {func(r *report.Report) { hangs(r); web(r).TLSSmallPackets = new(false) }, nil, "", "", report.Unknown},
		"web hangs, large packets pass":             {func(r *report.Report) { hangs(r); path(r).MTUBlackhole = new(false) }, nil, "", "", report.Unknown},
	})
}

func TestCertificates(t *testing.T) {
	shown := func(fault string) func(*report.Report) {
		return func(r *report.Report) {
			*web(r) = report.NetworkWeb{Stage: "tcp", Online: new(true), TCPMS: new(20.0), TLSError: fault}
		}
	}
	judgeWeb(t, map[string]natCase{
		"expired, clock right": {func(r *report.Report) { shown("expired")(r); web(r).ClockOffsetMS = new(200.0) }, one("conf.cert_invalid"), report.SeverityFail, report.AreaMunicipality, report.NotReady},
		"expired, clock wrong": {func(r *report.Report) { shown("expired")(r); web(r).ClockOffsetMS = new(4e9) }, one("net.clock_wrong"), report.SeverityFail, report.AreaParticipant, report.NotReady},
		"expired, no clock":    {shown("expired"), one("conf.cert_invalid"), report.SeverityFail, report.AreaUnknown, report.NotReady},
		"unknown authority":    {shown("untrusted"), one("conf.cert_invalid"), report.SeverityFail, report.AreaUnknown, report.NotReady},
		"intercepted":          {func(r *report.Report) { shown("untrusted")(r); web(r).TLSIntercepted = new(true) }, one("net.tls_intercepted"), report.SeverityFail, report.AreaParticipant, report.NotReady},
		"our collector's":      {func(r *report.Report) { shown("wrong_name")(r); r.Target = ""; noReflector(r) }, one("conf.cert_invalid"), report.SeverityWarn, report.AreaMunicipality, report.Unknown},
		"no TLS error":         {shown(""), nil, "", "", report.Unknown},
	})
}

// TestFarIsNotSilent: a server that is merely far away is not silent: three round trips
// of one second each exceed the time limit of the server list.
func TestFarIsNotSilent(t *testing.T) {
	far := func(r *report.Report) {
		web(r).TCPMS = new(1120.0)
		media(r, report.MediaNoSignalling)
		*nat(r) = report.NAT{UDP: report.ReachNotTested, TCP: report.ReachNotTested}
	}
	judgeNAT(t, map[string]natCase{
		"no stream":               {far, nil, "", "", report.Unknown},
		"one request over UDP":    {func(r *report.Report) { far(r); nat(r).UDP, nat(r).UDPRTTMS = report.ReachOpen, new(1120.0) }, one("net.latency_high"), report.SeverityFail, report.AreaUnknown, report.NotReady},
		"near, and no signalling": {func(r *report.Report) { far(r); web(r).TCPMS = new(20.0) }, one("conf.server_down"), report.SeverityWarn, report.AreaMunicipality, report.Unknown},
	})
}

// TestNoIPv4: a computer without IPv4 cannot ask a server that has no IPv6 address, so
// that its silence says nothing about that server.
func TestNoIPv4(t *testing.T) {
	judgeWeb(t, map[string]natCase{
		"no route to the conference server": {func(r *report.Report) {
			*web(r) = report.NetworkWeb{Stage: "dns", DNSMS: new(12.0), Proxy: "none", NoRoute: new(true)}
			link(r).IPv4, link(r).IPv6Reached = new(false), nil
		}, nil, "", "", report.Unknown},
	})
}

// TestIPv6ToTheServer: IPv6 that does not reach the server may end on the line or at the
// server's own firewall.
func TestIPv6ToTheServer(t *testing.T) {
	hangs := func(r *report.Report) { link(r).IPv6Reached = new(false) }
	judgeNAT(t, map[string]natCase{
		"no answer over IPv6":       {hangs, one("net.ipv6_broken"), report.SeverityWarn, report.AreaUnknown, report.Limited},
		"the server's site answers": {func(r *report.Report) { hangs(r); link(r).IPv6Beyond = new(true) }, one("net.ipv6_broken"), report.SeverityInfo, report.AreaUnknown, report.Ready},
	})
}
