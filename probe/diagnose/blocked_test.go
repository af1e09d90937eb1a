package diagnose_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// flow is one kind of packets to one port of the collector's site.
type flow struct {
	protocol string
	port     int
}

// site is the set of services that the collector offers. All of them work.
type site struct {
	web      int  // port of HTTPS
	shared   bool // TURN over TLS on the port of HTTPS
	turnsTLS int  // another port of TURN over TLS; 0: none
}

const (
	stunPort  = 3478
	mediaPort = 3480
)

// firewall permits some kinds of packets. atServer places it in front of the server
// instead of the participant. answers blocks the direction back only, hides blocks ICMP
// as well, and refuses makes the server's machine refuse connections. by is the sender
// of the ICMP errors, as in PathPort.RejectedBy.
type firewall struct {
	passes     func(flow) bool
	atServer   bool
	answers    bool
	hides      bool
	refuses    func(flow) bool
	by         string
	noRoute    bool // reports no route, not a prohibition
	asPort     bool // its ICMP error is "port unreachable", as for a closed port of the server
	othersWork bool // other addresses are reached
	// othersHeard means that other homes have reached the collector over UDP.
	othersHeard bool
}

func tcpOnly(ports ...int) func(flow) bool {
	return func(f flow) bool { return f.protocol == "tcp" && contains(ports, f.port) }
}

// udpOnly permits TCP to all ports and UDP to some.
func udpOnly(ports ...int) func(flow) bool {
	return func(f flow) bool { return f.protocol == "tcp" || contains(ports, f.port) }
}

func allBut(closed ...flow) func(flow) bool {
	return func(f flow) bool {
		for _, c := range closed {
			if c == f {
				return false
			}
		}
		return true
	}
}

func nothing(flow) bool    { return false }
func everything(flow) bool { return true }

func contains(ports []int, p int) bool {
	for _, x := range ports {
		if x == p {
			return true
		}
	}
	return false
}

// observe returns the report of a check behind the firewall. It simulates the probes
// step by step, independently of the rules.
func observe(s site, w firewall) *report.Report {
	r := healthy()
	r.Target = ""
	*load(r), *behavior(r) = report.MediaLoad{}, report.NATBehavior{}
	webFlow := flow{"tcp", s.web}
	*path(r) = observePath(s, w)
	if !w.passes(webFlow) {
		*web(r) = report.NetworkWeb{Stage: "dns", DNSMS: new(12.0), Proxy: "none"}
		if w.asPort || w.refuses != nil && w.refuses(webFlow) {
			web(r).Online = new(true)
		}
		*nat(r) = report.NAT{UDP: report.ReachNotTested, TCP: report.ReachNotTested}
		*turn(r) = report.NATTURN{}
		media(r, report.MediaNoSignalling)
		return r
	}
	reach := func(way, other flow) report.Reach {
		switch {
		case w.passes(way):
			return report.ReachOpen
		case w.passes(other):
			return report.ReachBlocked
		}
		return report.ReachServerSilent
	}
	udp, tcp := flow{"udp", stunPort}, flow{"tcp", stunPort}
	*nat(r) = report.NAT{UDP: reach(udp, tcp), TCP: reach(tcp, udp), Transmissions: new(4), ServerAnsweredS: new(0.5)}
	if w.othersHeard {
		nat(r).ServerHeardS = new(3600.0)
	}
	tls := s.shared || s.turnsTLS != 0 && w.passes(flow{"tcp", s.turnsTLS})
	relay := func(works bool) (allocated, relayed *bool, fault string) {
		if works {
			return new(true), new(true), ""
		}
		return new(false), nil, "unreachable"
	}
	t := turn(r)
	*t = report.NATTURN{Transports: new(2)}
	t.UDPAllocated, t.UDPRelayed, t.UDPError = relay(w.passes(udp))
	t.TCPAllocated, t.TCPRelayed, t.TCPError = relay(w.passes(tcp))
	if s.shared || s.turnsTLS != 0 {
		t.Transports = new(3)
		t.TLSAllocated, t.TLSRelayed, t.TLSError = relay(tls)
	}
	observeVoice(voice(r), w, tls)
	return r
}

func observeVoice(v *report.MediaVoice, w firewall, tls bool) {
	v.DirectUDP = new(w.passes(flow{"udp", mediaPort}))
	if !*v.DirectUDP {
		v.DirectTCP = new(w.passes(flow{"tcp", mediaPort}))
	}
	switch {
	case *v.DirectUDP:
		v.Path = "srflx udp"
	case w.passes(flow{"udp", stunPort}):
		v.Path = "relay udp"
	case *v.DirectTCP:
		v.Path = "prflx tcp"
	case w.passes(flow{"tcp", stunPort}):
		v.Path = "relay tcp"
	case tls:
		v.Path = "relay tls"
	default:
		*v = report.MediaVoice{State: report.MediaICEFailed, DirectUDP: v.DirectUDP, DirectTCP: v.DirectTCP}
	}
}

// observePath simulates network.path. Routers on the path respond unless the firewall
// hides them. If it is in front of the server, or blocks only the direction back,
// packets are seen to leave.
func observePath(s site, w firewall) report.NetworkPath {
	segment := func(name string, answers bool) report.PathSegment {
		if !answers {
			return report.PathSegment{Name: name, Sent: new(100)}
		}
		return report.PathSegment{Name: name, Sent: new(100), Lost: new(0), LossPct: new(0.0), RTTMS: new(9.0)}
	}
	udp, web := flow{"udp", stunPort}, flow{"tcp", s.web}
	p := report.NetworkPath{FaultSegment: "none", Segments: []report.PathSegment{segment("lan", true)}}
	if !w.hides {
		p.Segments = append(p.Segments, segment("access", true))
		p.Line = "reached"
	}
	p.Segments = append(p.Segments, segment("transit", w.passes(udp) && w.passes(web)))
	if w.passes(udp) && w.passes(web) {
		p.Line = "reached"
		return p
	}
	answer := func(f flow) string {
		switch {
		case w.passes(f) && (f.port == s.web || w.refuses == nil):
			return map[bool]string{true: "open", false: "refused"}[f.port == s.web]
		case w.passes(f), w.refuses != nil && w.refuses(f):
			return "refused"
		}
		return "silent"
	}
	add := func(f flow, needed bool) {
		t := report.PathPort{Name: "transit", Protocol: f.protocol, Port: &f.port, Needed: &needed, Answer: "silent"}
		if f.protocol == "tcp" {
			t.Answer = answer(f)
		}
		switch {
		case t.Answer == "silent" && w.by != "":
			t.Answer, t.RejectedBy, t.NoRoute = "rejected", w.by, &w.noRoute
			if w.by == "lan" || w.by == "house" {
				t.Left = new(false)
			}
		case needed && t.Answer == "silent" && !w.hides:
			t.Left = new(w.atServer || w.answers)
		}
		if t.Answer == "open" || t.Answer == "refused" || t.Left != nil && *t.Left || w.othersWork || w.by == "provider" || w.by == "beyond" {
			p.Line = "reached"
		}
		p.Ports = append(p.Ports, t)
	}
	if w.passes(web) {
		add(udp, true)
		add(web, false)
	} else {
		add(web, true)
		for _, n := range []int{443, 80} {
			if n != s.web {
				add(flow{"tcp", n}, false)
			}
		}
	}
	rejects := !w.passes(web) && w.by != "beyond"
	for _, t := range p.Ports {
		rejects = rejects && t.Answer == "rejected"
	}
	if rejects {
		p.RejectedBy = w.by
	}
	if p.Line == "" && (w.by == "" || w.noRoute) {
		p.Line = "silent"
	}
	return p
}

// TestRestrictedNetworks is a truth table of networks that permit some ports and
// protocols. The expectations follow from what the firewall does, not from the rules.
func TestRestrictedNetworks(t *testing.T) {
	ours, usual := site{web: 443, shared: true}, site{web: 8443, shared: true}
	behindProxy, besides := site{web: 443}, site{web: 443, turnsTLS: 5349}
	participant, unknown, server, provider := report.AreaParticipant, report.AreaUnknown, report.AreaMunicipality, report.AreaProvider
	for _, c := range []struct {
		name    string
		site    site
		wall    firewall
		code    string // "" for none
		area    report.Area
		path    string
		verdict report.Verdict
	}{
		{"no firewall", ours, firewall{passes: everything}, "", "", "srflx udp", report.Ready},
		{"all of UDP, TCP only to 443", ours, firewall{passes: func(f flow) bool { return f.protocol == "udp" || f.port == 443 }}, "", "", "srflx udp", report.Ready},

		{"TCP 443 alone", ours, firewall{passes: tcpOnly(443)}, "net.udp_blocked", participant, "relay tls", report.Limited},
		{"TCP 443 alone, and no pings", ours, firewall{passes: tcpOnly(443), hides: true}, "net.udp_blocked", participant, "relay tls", report.Limited},
		{"TCP 80, 443 and 8443", usual, firewall{passes: tcpOnly(80, 443, 8443)}, "net.udp_blocked", participant, "relay tls", report.Limited},
		{"TCP 80, 443 and 8443, and no pings", usual, firewall{passes: tcpOnly(80, 443, 8443), hides: true}, "net.udp_blocked", participant, "relay tls", report.Limited},
		{"TCP 443, and the relay is at 5349", besides, firewall{passes: tcpOnly(443)}, "net.udp_blocked", participant, "", report.NotReady},
		{"TCP 443, no relay over TLS", behindProxy, firewall{passes: tcpOnly(443)}, "net.udp_blocked", participant, "", report.NotReady},
		{"TCP 443, no relay over TLS, no pings", behindProxy, firewall{passes: tcpOnly(443), hides: true}, "conf.media_ports_blocked", unknown, "", report.Unknown},

		{"UDP dropped or rejected", ours, firewall{passes: udpOnly()}, "net.udp_blocked", participant, "prflx tcp", report.Limited},
		{"UDP dropped, and pings", ours, firewall{passes: udpOnly(), hides: true}, "net.udp_blocked", unknown, "prflx tcp", report.Limited},
		{"UDP dropped, and pings, others reach it", ours, firewall{passes: udpOnly(), hides: true, othersHeard: true}, "net.udp_blocked", participant, "prflx tcp", report.Limited},
		{"UDP out, no answers", ours, firewall{passes: udpOnly(), answers: true}, "net.udp_blocked", unknown, "prflx tcp", report.Limited},
		{"UDP out, no answers, others reach it", ours, firewall{passes: udpOnly(), answers: true, othersHeard: true}, "net.udp_blocked", participant, "prflx tcp", report.Limited},
		{"UDP to 53 and 443", ours, firewall{passes: udpOnly(53, 443)}, "net.udp_blocked", participant, "prflx tcp", report.Limited},
		{"UDP to 3478", ours, firewall{passes: udpOnly(3478)}, "conf.media_ports_blocked", unknown, "relay udp", report.Limited},
		{"UDP to 53, 443 and 3478, TCP to 443", ours, firewall{passes: func(f flow) bool {
			return f.protocol == "udp" && contains([]int{53, 443, 3478}, f.port) || f == flow{"tcp", 443}
		}}, "conf.media_ports_blocked", unknown, "relay udp", report.Limited},
		{"the media port over UDP", ours, firewall{passes: allBut(flow{"udp", mediaPort})}, "conf.media_ports_blocked", unknown, "relay udp", report.Limited},
		{"the media port", ours, firewall{passes: allBut(flow{"udp", mediaPort}, flow{"tcp", mediaPort})}, "conf.media_ports_blocked", unknown, "relay udp", report.Limited},
		{"the STUN port", ours, firewall{passes: allBut(flow{"udp", stunPort}, flow{"tcp", stunPort})}, "", "", "srflx udp", report.Ready},

		{"8443 blocked", usual, firewall{passes: allBut(flow{"tcp", 8443})}, "net.port_blocked", participant, "", report.Unknown},
		{"TCP 443 alone, the collector at 8443", usual, firewall{passes: tcpOnly(443)}, "net.port_blocked", participant, "", report.Unknown},
		{"TCP 443 alone, no pings, the collector at 8443", usual, firewall{passes: tcpOnly(443), hides: true}, "net.port_blocked", participant, "", report.Unknown},
		{"TCP 80 and 443, no pings, the collector at 8443", usual, firewall{passes: tcpOnly(80, 443), hides: true}, "net.port_blocked", participant, "", report.Unknown},
		{"443 blocked", ours, firewall{passes: allBut(flow{"tcp", 443})}, "net.port_blocked", participant, "", report.Unknown},

		{"at the server: 8443 blocked", usual, firewall{passes: allBut(flow{"tcp", 8443}), atServer: true}, "conf.server_down", server, "", report.Unknown},
		{"at the server: all blocked", usual, firewall{passes: nothing, atServer: true}, "conf.server_down", server, "", report.Unknown},
		{"at the server: UDP blocked", ours, firewall{passes: udpOnly(), atServer: true}, "net.udp_blocked", unknown, "prflx tcp", report.Limited},
		{"at the server: UDP and media TCP blocked", ours, firewall{passes: tcpOnly(443), atServer: true}, "conf.media_ports_blocked", unknown, "relay tls", report.Limited},
		{"at the server: only HTTPS permitted", behindProxy, firewall{passes: tcpOnly(443), atServer: true}, "conf.media_ports_blocked", unknown, "", report.Unknown},
		{"the collector is not running", usual, firewall{passes: allBut(flow{"tcp", 8443}), refuses: everything}, "conf.server_down", server, "", report.Unknown},

		{"LAN prohibits the server", usual, firewall{passes: nothing, hides: true, by: "lan"}, "net.port_blocked", participant, "", report.Unknown},
		{"LAN prohibits the server, former value", usual, firewall{passes: nothing, hides: true, by: "house"}, "net.port_blocked", participant, "", report.Unknown},
		{"LAN prohibits the server, port unreachable", usual, firewall{passes: nothing, hides: true, by: "lan", asPort: true}, "net.port_blocked", participant, "", report.Unknown},
		{"LAN prohibits the server, others work", ours, firewall{passes: nothing, hides: true, by: "lan", othersWork: true}, "net.port_blocked", participant, "", report.Unknown},
		{"LAN has no route to the server, others work", usual, firewall{passes: nothing, hides: true, by: "lan", noRoute: true, othersWork: true}, "net.port_blocked", participant, "", report.Unknown},
		{"LAN has no route", usual, firewall{passes: nothing, hides: true, by: "lan", noRoute: true}, "net.offline", provider, "", report.NotReady},
		{"server dropped silently, others work", usual, firewall{passes: nothing, hides: true, othersWork: true}, "conf.server_down", server, "", report.Unknown},
		{"LAN prohibits 8443", usual, firewall{passes: allBut(flow{"tcp", 8443}), by: "lan"}, "net.port_blocked", participant, "", report.Unknown},
		{"LAN prohibits 8443, port unreachable", usual, firewall{passes: allBut(flow{"tcp", 8443}), by: "lan", asPort: true}, "net.port_blocked", participant, "", report.Unknown},
		{"provider prohibits the server", usual, firewall{passes: nothing, hides: true, by: "provider"}, "net.port_blocked", provider, "", report.Unknown},
		{"provider prohibits the server, port unreachable", usual, firewall{passes: nothing, hides: true, by: "provider", asPort: true}, "net.port_blocked", provider, "", report.Unknown},
		{"provider has no route to the server", ours, firewall{passes: nothing, hides: true, by: "provider", noRoute: true}, "net.port_blocked", provider, "", report.Unknown},
		{"provider prohibits 8443", usual, firewall{passes: allBut(flow{"tcp", 8443}), by: "provider"}, "net.port_blocked", provider, "", report.Unknown},
		{"router near the server prohibits it", usual, firewall{passes: nothing, hides: true, by: "beyond"}, "conf.server_down", server, "", report.Unknown},
		{"router near the server has no route", usual, firewall{passes: nothing, hides: true, by: "beyond", noRoute: true}, "conf.server_down", server, "", report.Unknown},
		{"provider prohibits UDP", ours, firewall{passes: udpOnly(), by: "provider"}, "net.udp_blocked", participant, "prflx tcp", report.Limited},

		{"everything blocked", usual, firewall{passes: nothing, hides: true}, "net.offline", provider, "", report.NotReady},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := observe(c.site, c.wall)
			if v := voice(r); v.Path != c.path {
				t.Fatalf("the model takes path %q, want %q", v.Path, c.path)
			}
			causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
			if verdict != c.verdict {
				t.Errorf("got verdict %s, want %s", verdict, c.verdict)
			}
			if c.code == "" {
				for _, cause := range causes {
					if cause.Severity != report.SeverityInfo {
						t.Errorf("got %+v, want only causes of severity info", cause)
					}
				}
				return
			}
			if len(causes) == 0 || causes[0].Code != c.code || causes[0].Area != c.area {
				t.Errorf("got %+v, want %s with area %s", causes, c.code, c.area)
			}
			answered := web(r).Stage == "http"
			for _, cause := range causes {
				if answered && cause.Code == "conf.server_down" {
					t.Errorf("got %+v, want no fault of the server, which responded", cause)
				}
			}
		})
	}
}

// TestBlockedPortIsNamed: the texts name the port, in both languages.
func TestBlockedPortIsNamed(t *testing.T) {
	for _, port := range []int{8443, 443, 10443} {
		r := observe(site{web: port, shared: true}, firewall{passes: allBut(flow{"tcp", port})})
		causes, _ := diagnose.Diagnose(r, profile(t, "bbb"))
		if len(causes) == 0 || causes[0].Code != "net.port_blocked" {
			t.Fatalf("port %d: got %+v, want net.port_blocked", port, causes)
		}
		for _, lang := range phrase.Langs() {
			text, ok := diagnose.ExplainCause(causes[0], lang)
			if !ok || !strings.Contains(text.Sentence, fmt.Sprint(port)) || !strings.Contains(text.Action, fmt.Sprint(port)) {
				t.Errorf("%s: %q, %q do not name %d", lang, text.Sentence, text.Action, port)
			}
		}
	}
}

// TestConferencePortBlocked: a blocked port of the conference server makes the session
// impossible, while our collector, on another port, is reached.
func TestConferencePortBlocked(t *testing.T) {
	r := healthy()
	*web(r) = report.NetworkWeb{Stage: "dns", DNSMS: new(12.0), Proxy: "none"}
	path(r).Ports = []report.PathPort{
		{Name: "server", Protocol: "tcp", Port: new(8443), Needed: new(true), Answer: "silent", Left: new(false)},
		{Name: "server", Protocol: "tcp", Port: new(443), Needed: new(false), Answer: "open"},
	}
	causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
	if len(causes) != 1 || causes[0].Code != "net.port_blocked" || causes[0].Severity != report.SeverityFail || verdict != report.NotReady {
		t.Errorf("got %+v, verdict %s; want only net.port_blocked as fail, verdict %s", causes, verdict, report.NotReady)
	}
}

// TestWebSocketStopped: responsibility depends on whose machine stops the WebSocket.
func TestWebSocketStopped(t *testing.T) {
	by := func(who string) func(*report.Report) {
		return func(r *report.Report) { web(r).WebSocket, web(r).WebSocketBy = new(false), who }
	}
	judgeNAT(t, map[string]natCase{
		"firewall":            {by("between"), one("net.websocket_blocked"), report.SeverityWarn, report.AreaParticipant, report.Limited},
		"origin missing":      {by(""), one("net.websocket_blocked"), report.SeverityWarn, report.AreaParticipant, report.Limited},
		"origin unknown":      {by("unknown"), one("net.websocket_blocked"), report.SeverityWarn, report.AreaUnknown, report.Limited},
		"our reverse proxy's": {by("server"), one("net.websocket_blocked"), report.SeverityInfo, report.AreaMunicipality, report.Ready},
	})
}
