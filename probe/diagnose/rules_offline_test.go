package diagnose_test

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestNoNetworkIsPlaced checks the three places at which a path may end, and the
// responses that contradict them.
func TestNoNetworkIsPlaced(t *testing.T) {
	type change func(*report.Report)
	nothing := func(r *report.Report) {
		*web(r) = report.NetworkWeb{DNSError: "timeout", Proxy: "none"}
		*link(r) = report.NetworkLink{Kind: "wifi", GatewayState: "silent", IPv4: new(true), IPv6: new(false)}
		*path(r) = report.NetworkPath{}
		noReflector(r)
		media(r, report.MediaNoSignalling)
	}
	uplink := func(lacks string) change {
		return func(r *report.Report) {
			*link(r) = report.NetworkLink{Uplink: lacks, IPv4: new(false), IPv6: new(false)}
			*web(r) = report.NetworkWeb{DNSError: "other", Online: new(false), Proxy: "none"}
		}
	}
	both := func(all ...change) change {
		return func(r *report.Report) {
			for _, c := range all {
				c(r)
			}
		}
	}
	routerSilent := func(r *report.Report) { path(r).Line = "router_silent" }
	lineSilent := func(r *report.Report) {
		path(r).Line, link(r).GatewayState = "silent", "answered"
	}
	cached := func(r *report.Report) { *web(r) = report.NetworkWeb{Stage: "dns", DNSMS: new(1.0), Proxy: "none"} }
	computer, router, line := report.AreaParticipant, report.AreaParticipant, report.AreaProvider
	for name, c := range map[string]struct {
		change change
		field  string // of the first evidence; "" for no cause about the network
		value  any
		area   report.Area
	}{
		"airplane mode":                        {uplink("no_link"), "uplink", "no_link", computer},
		"no address":                           {uplink("no_address"), "uplink", "no_address", computer},
		"DHCP gave nothing":                    {uplink("self_assigned"), "uplink", "self_assigned", computer},
		"no route":                             {uplink("no_route"), "uplink", "no_route", computer},
		"no route, name from a cache":          {both(uplink("no_route"), cached, func(r *report.Report) { web(r).Online = new(false) }), "uplink", "no_route", computer},
		"only according to the web probe":      {both(cached, func(r *report.Report) { web(r).Online = new(false) }), "online", false, computer},
		"cable not connected at the other end": {func(r *report.Report) { link(r).Uplink = "no_link" }, "uplink", "no_link", computer},
		"no route, server on the local network": {both(uplink("no_route"), func(r *report.Report) {
			*web(r) = report.NetworkWeb{Stage: "http", HTTPStatus: new(200), TCPMS: new(1.0)}
		}), "", nil, ""},
		"no route, but packets pass":                 {both(uplink("no_route"), func(r *report.Report) { nat(r).UDP = report.ReachOpen }), "", nil, ""},
		"cable pulled in the middle":                 {func(r *report.Report) { path(r).Line = "cut" }, "line", "cut", computer},
		"router off":                                 {func(r *report.Report) { link(r).GatewayState = "unreachable" }, "gateway_state", "unreachable", router},
		"router off, name from a cache":              {both(cached, func(r *report.Report) { link(r).GatewayState = "unreachable" }), "gateway_state", "unreachable", router},
		"router dead, names time out":                {routerSilent, "line", "router_silent", router},
		"router does not respond, server down":       {both(routerSilent, cached), "", nil, ""},
		"router does not respond, names refused":     {both(routerSilent, func(r *report.Report) { web(r).DNSError, web(r).Online = "refused", new(true) }), "", nil, ""},
		"router does not respond, no such name":      {both(routerSilent, func(r *report.Report) { web(r).DNSError = "not_found" }), "", nil, ""},
		"router does not respond, another host does": {both(routerSilent, func(r *report.Report) { web(r).Online = new(true) }), "", nil, ""},
		"router does not respond, UDP passes":        {both(routerSilent, func(r *report.Report) { nat(r).UDP = report.ReachOpen }), "", nil, ""},
		"no response, place unknown":                 {func(*report.Report) {}, "", nil, ""},
		"not permitted by the system":                {func(r *report.Report) { link(r).GatewayState = "not_permitted" }, "", nil, ""},
		"line dead":                                  {lineSilent, "line", "silent", line},
		"line dead, the router's DNS too":            {both(lineSilent, func(r *report.Report) { web(r).DNSError, web(r).Online = "servfail", new(true) }), "line", "silent", line},
		"line dead, the router refuses":              {both(lineSilent, func(r *report.Report) { web(r).DNSError, web(r).Online = "refused", new(true) }), "line", "silent", line},
		"line dead, the router's own page":           {both(lineSilent, func(r *report.Report) { web(r).DNSError, web(r).TCPMS = "false", new(1.0) }), "line", "silent", line},
		"line silent, the web connected":             {both(lineSilent, func(r *report.Report) { web(r).DNSError, web(r).TCPMS, web(r).Stage = "", new(9.0), "tcp" }), "", nil, ""},
		"proxy does not respond":                     {both(routerSilent, func(r *report.Report) { web(r).ProxyFault = "silent" }), "", nil, ""},
	} {
		for _, target := range []string{"", "https://bbb.example.org"} {
			r := healthy()
			r.Target = target
			nothing(r)
			c.change(r)
			causes, verdict := diagnose.Diagnose(r, profile(t, "bbb"))
			said := len(causes) > 0 && causes[0].Code == "net.offline"
			switch {
			case said != (c.field != ""):
				t.Errorf("%s (%q): got %+v, want net.offline first: %t", name, target, causes, c.field != "")
			case said && (causes[0].Evidence[0].Field != c.field || causes[0].Evidence[0].Value != c.value || causes[0].Area != c.area):
				t.Errorf("%s (%q): got %+v, want %s = %v, %s", name, target, causes[0], c.field, c.value, c.area)
			case said && (verdict != report.NotReady || !causes[0].Primary):
				t.Errorf("%s (%q): got verdict %s, %+v, want %s and a primary cause", name, target, verdict, causes[0], report.NotReady)
			}
		}
	}
}
