package diagnose

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestProxyFaults: a fault of a proxy is attributed to the proxy, and not to the line,
// the name server or the collector.
func TestProxyFaults(t *testing.T) {
	silent, open := report.NAT{UDP: report.ReachServerSilent, TCP: report.ReachServerSilent}, report.NAT{UDP: report.ReachOpen, TCP: report.ReachOpen}
	dead := report.NetworkPath{Line: "silent"}
	noSignal, complete := report.MediaVoice{State: report.MediaNoSignalling}, report.MediaVoice{State: report.MediaComplete}
	type web = report.NetworkWeb
	for name, c := range map[string]struct {
		web   web
		nat   report.NAT
		voice report.MediaVoice
		path  report.NetworkPath
		// want is the primary cause and its area; for a remark, only the cause.
		want     string
		severity report.Severity
		area     report.Area
	}{
		"refused, away from the office":    {web{Stage: "dns", Proxy: "http", ProxyFault: "refused", Online: new(true), BesideProxy: new(true)}, open, noSignal, report.NetworkPath{Line: "reached"}, "net.proxy_failed", report.SeverityFail, report.AreaParticipant},
		"silent, away from the office":     {web{Stage: "dns", Proxy: "http", ProxyFault: "silent", BesideProxy: new(true)}, open, noSignal, report.NetworkPath{Line: "reached"}, "net.proxy_failed", report.SeverityFail, report.AreaParticipant},
		"unresolved, away from the office": {web{Proxy: "http", DNSError: "not_found", ProxyFault: "unresolved", Online: new(true), BesideProxy: new(true)}, open, noSignal, report.NetworkPath{Line: "reached"}, "net.proxy_failed", report.SeverityFail, report.AreaParticipant},
		"unresolved, closed network":       {web{Proxy: "http", DNSError: "timeout", ProxyFault: "unresolved", BesideProxy: new(false)}, silent, noSignal, dead, "net.proxy_failed", report.SeverityFail, report.AreaParticipant},
		"silent, closed network":           {web{Stage: "dns", Proxy: "http", ProxyFault: "silent", BesideProxy: new(false)}, silent, noSignal, dead, "net.proxy_failed", report.SeverityFail, report.AreaParticipant},
		"refused, closed network":          {web{Stage: "dns", Proxy: "http", ProxyFault: "refused", Online: new(true), BesideProxy: new(false)}, silent, noSignal, dead, "net.proxy_failed", report.SeverityFail, report.AreaParticipant},
		"403":                              {web{Stage: "tcp", Proxy: "http", ProxyFault: "forbidden", HTTPStatus: new(403), Online: new(true), BesideProxy: new(false)}, silent, noSignal, dead, "net.proxy_failed", report.SeverityFail, report.AreaParticipant},
		"503, direct works":                {web{Stage: "tcp", Proxy: "http", ProxyFault: "failing", HTTPStatus: new(503), Online: new(true), BesideProxy: new(true)}, open, noSignal, dead, "net.proxy_failed", report.SeverityFail, report.AreaParticipant},
		"503, perhaps the server":          {web{Stage: "tcp", Proxy: "http", ProxyFault: "failing", HTTPStatus: new(503), Online: new(true), BesideProxy: new(false)}, silent, noSignal, dead, "net.proxy_failed", report.SeverityFail, report.AreaUnknown},
		"407":                              {web{Stage: "tcp", Proxy: "http", HTTPStatus: new(407), Online: new(true), BesideProxy: new(false)}, silent, noSignal, dead, "net.proxy_required", report.SeverityFail, report.AreaParticipant},
		"SOCKS requires a password":        {web{Stage: "tcp", Proxy: "socks5", ProxyFault: "login", Online: new(true)}, silent, noSignal, dead, "net.proxy_required", report.SeverityFail, report.AreaParticipant},
		"script, closed network":           {web{Stage: "dns", Proxy: "none", ProxyFault: "script"}, silent, noSignal, dead, "net.proxy_failed", report.SeverityFail, report.AreaParticipant},
		"script missing, closed":           {web{Stage: "dns", Proxy: "none", ProxyFault: "script_missing"}, silent, noSignal, dead, "net.proxy_failed", report.SeverityFail, report.AreaParticipant},
		"script, no DNS either":            {web{Proxy: "none", ProxyFault: "script", DNSError: "timeout"}, silent, noSignal, dead, "net.proxy_failed", report.SeverityFail, report.AreaParticipant},
		"script, direct works":             {web{Stage: "http", Proxy: "none", ProxyFault: "script", HTTPStatus: new(200), ServerHealthy: new(true), Online: new(true)}, open, complete, report.NetworkPath{Line: "reached"}, "net.proxy_failed", report.SeverityInfo, ""},
		"no network at all":                {web{Proxy: "http", DNSError: "timeout", ProxyFault: "unresolved", Online: new(false)}, silent, noSignal, dead, "net.offline", report.SeverityFail, report.AreaParticipant},
	} {
		for _, target := range []string{"", "https://bbb.example.org"} {
			r := &report.Report{Target: target, Probes: []report.Result{
				{Name: report.ProbeNetworkWeb, Data: &c.web}, {Name: report.ProbeNAT, Data: &c.nat},
				{Name: report.ProbeMediaVoice, Data: &c.voice}, {Name: report.ProbeNetworkPath, Data: &c.path},
			}}
			p, err := LoadProfile(DefaultProfile)
			if err != nil {
				t.Fatal(err)
			}
			causes, _ := Diagnose(r, p)
			if len(causes) != 1 || causes[0].Code != c.want || causes[0].Severity != c.severity || c.area != "" && causes[0].Area != c.area {
				t.Errorf("%s (%q): got %+v, want only %s, %s, %s", name, target, causes, c.want, c.severity, c.area)
			}
		}
	}
}

// TestOfferedProxy: a network that announces a proxy may permit direct connections as
// well. If its line works, a silent server is not its fault.
func TestOfferedProxy(t *testing.T) {
	kept := func(segment string, left bool) []report.PathPort {
		return []report.PathPort{{Name: segment, Protocol: "tcp", Port: new(443), Needed: new(true), Answer: "silent", Left: &left}}
	}
	unresolved := report.NetworkWeb{Proxy: "none", DNSError: "timeout", ProxyOffered: new(true)}
	silent := report.NetworkWeb{Stage: "dns", DNSMS: new(4.0), Proxy: "none", ProxyOffered: new(true)}
	const demanded, down, unnamed = "net.proxy_required", "conf.server_down", "net.dns_failure"
	for name, c := range map[string]struct {
		web                report.NetworkWeb
		path               report.NetworkPath
		collector, session string // the primary cause without and with a conference server
	}{
		"the line is silent":                    {silent, report.NetworkPath{Line: "silent"}, demanded, demanded},
		"a router of the provider answers":      {silent, report.NetworkPath{Line: "reached"}, down, down},
		"one answers, packets leave":            {silent, report.NetworkPath{Line: "reached", Ports: append(kept("server", true), kept("transit", true)...)}, down, down},
		"one answers, packets do not leave":     {silent, report.NetworkPath{Line: "reached", Ports: append(kept("server", false), kept("transit", false)...)}, demanded, demanded},
		"one answers, only ours do not leave":   {silent, report.NetworkPath{Line: "reached", Ports: kept("transit", false)}, demanded, "net.port_blocked"},
		"one answers, and names do not resolve": {unresolved, report.NetworkPath{Line: "reached"}, unnamed, unnamed},
	} {
		for target, want := range map[string]string{"": c.collector, "https://bbb.example.org": c.session} {
			r := &report.Report{Target: target, Probes: []report.Result{
				{Name: report.ProbeNetworkWeb, Data: &c.web}, {Name: report.ProbeNetworkPath, Data: &c.path},
				{Name: report.ProbeNAT, Data: &report.NAT{UDP: report.ReachServerSilent, TCP: report.ReachServerSilent}},
				{Name: report.ProbeMediaVoice, Data: &report.MediaVoice{State: report.MediaNoSignalling}},
			}}
			p, err := LoadProfile(DefaultProfile)
			if err != nil {
				t.Fatal(err)
			}
			causes, verdict := Diagnose(r, p)
			if len(causes) == 0 || causes[0].Code != want {
				t.Errorf("%s (%q): got %+v, want %s first", name, target, causes, want)
			}
			if target == "" && want == down && verdict != report.Unknown {
				t.Errorf("%s: got verdict %s, want %s", name, verdict, report.Unknown)
			}
		}
	}
}
