package diagnose

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

// TestWebFaults checks the rules that read network.web against combinations of its
// results; "" means no cause.
func TestWebFaults(t *testing.T) {
	blocked, open := report.NAT{UDP: report.ReachServerSilent, TCP: report.ReachServerSilent}, report.NAT{UDP: report.ReachOpen, TCP: report.ReachOpen}
	for name, c := range map[string]struct {
		web  report.NetworkWeb
		nat  report.NAT
		want string
		not  string
	}{
		"the network names a proxy":                   {report.NetworkWeb{Stage: "dns", Proxy: "none", ProxyOffered: new(true)}, blocked, "net.proxy_required", ""},
		"it does, but direct connections work":        {report.NetworkWeb{Stage: "dns", Proxy: "none", ProxyOffered: new(true)}, open, "", "net.proxy_required"},
		"the proxy wants a password":                  {report.NetworkWeb{Stage: "tcp", Proxy: "http", HTTPStatus: new(407), Online: new(true)}, open, "net.proxy_required", ""},
		"the proxy is silent":                         {report.NetworkWeb{Stage: "dns", Proxy: "http"}, open, "", "conf.server_down"},
		"the proxy's name is not found":               {report.NetworkWeb{Proxy: "http", DNSError: "not_found", Online: new(true)}, blocked, "", "net.dns_failure"},
		"false DNS response":                          {report.NetworkWeb{Proxy: "none", DNSError: "false"}, blocked, "net.dns_failure", ""},
		"false DNS response, UDP works":               {report.NetworkWeb{Proxy: "none", DNSError: "false", Online: new(true)}, open, "net.dns_failure", ""},
		"a portal, but the web works":                 {report.NetworkWeb{Stage: "tcp", Online: new(true), TLSError: "wrong_name", CaptivePortal: new(true)}, open, "conf.cert_invalid", "net.captive_portal"},
		"no DNS response for IPv6":                    {report.NetworkWeb{Stage: "http", HTTPStatus: new(200), ServerHealthy: new(true), DNSSilent6: new(true)}, open, "net.dns_slow", ""},
		"WebSockets blocked":                          {report.NetworkWeb{Stage: "http", HTTPStatus: new(200), ServerHealthy: new(true), WebSocket: new(false)}, open, "net.websocket_blocked", ""},
		"WebSockets not tested":                       {report.NetworkWeb{Stage: "http", HTTPStatus: new(200), ServerHealthy: new(true)}, open, "", "net.websocket_blocked"},
		"the clock is an hour fast":                   {report.NetworkWeb{Stage: "http", HTTPStatus: new(200), ServerHealthy: new(true), ClockOffsetMS: new(3.6e6), ClockUncertaintyMS: new(20.0)}, open, "net.clock_wrong", ""},
		"an hour fast, but not by the router's clock": {report.NetworkWeb{Stage: "http", HTTPStatus: new(200), ServerHealthy: new(true), ClockOffsetMS: new(3.6e6), ClockUncertaintyMS: new(20.0), ClockConfirmed: new(false)}, open, "", "net.clock_wrong"},
		"years off, TLS fails":                        {report.NetworkWeb{Stage: "tcp", TLSError: "expired", ClockOffsetMS: new(-2.5e11), ClockUncertaintyMS: new(20.0)}, open, "net.clock_wrong", "conf.cert_invalid"},
		"the server's clock is years off":             {report.NetworkWeb{Stage: "tcp", TLSError: "expired", ClockOffsetMS: new(-2.5e11), ClockUncertaintyMS: new(20.0), ClockConfirmed: new(false)}, open, "conf.cert_invalid", "net.clock_wrong"},
		"the offset is uncertain":                     {report.NetworkWeb{Stage: "http", HTTPStatus: new(200), ServerHealthy: new(true), ClockOffsetMS: new(9e5), ClockUncertaintyMS: new(9e5)}, open, "", "net.clock_wrong"},
	} {
		r := &report.Report{Target: "https://bbb.example.org", Probes: []report.Result{
			{Name: report.ProbeNetworkWeb, Data: &c.web}, {Name: report.ProbeNAT, Data: &c.nat},
		}}
		p, err := LoadProfile(DefaultProfile)
		if err != nil {
			t.Fatal(err)
		}
		causes, verdict := Diagnose(r, p)
		if c.web.TLSError == "expired" && verdict != report.NotReady {
			t.Errorf("%s: got verdict %s, want %s", name, verdict, report.NotReady)
		}
		found := map[string]bool{}
		for _, cause := range causes {
			found[cause.Code] = true
		}
		if c.want != "" && !found[c.want] || c.not != "" && found[c.not] {
			t.Errorf("%s: got %v, want %q and not %q", name, found, c.want, c.not)
		}
	}
}
