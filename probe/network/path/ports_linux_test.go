package path

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/tonprobe/tonprobe/probe/network/internal/adapter"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// recordPorts runs only the part of network.path that tests ports.
func recordPorts(t *testing.T, out string, far farEnds) {
	env := probetest.Env(t)
	p := path{Config{Collector: "https://" + collectorAddress + ":8443", Asker: echo.System(), Toward: adapter.Toward}}
	found := p.survey(t.Context(), env, far)
	b, err := json.Marshal(p.askPorts(t.Context(), env, found))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(out, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// filter replaces the firewall rules of a namespace for one hook.
func filter(t *testing.T, ns, hook string, rules ...string) {
	t.Helper()
	inside(t, ns, "nft flush ruleset")
	inside(t, ns, "nft add table ip fw")
	inside(t, ns, "nft add chain ip fw c { type filter hook "+hook+" priority 0 ; }")
	for _, r := range rules {
		inside(t, ns, "nft add rule ip fw c "+r)
	}
}

// portTruth is the expected result for the needed port, and whether another port
// responded.
type portTruth struct {
	answer string
	left   *bool
	others bool
}

// TestPortsInANamespace compares the results with firewall rules of the kernel, on
// the home router and in front of the server.
func TestPortsInANamespace(t *testing.T) {
	h := buildHomeNetwork(t)
	yes, no := new(true), new(false)
	const known = "ct state established,related accept"
	for _, c := range []struct {
		name, role string
		router     []string // rules of the home router for forwarded packets
		server     []string // rules of the server for received packets
		want       *portTruth
	}{
		{"the program is not running", "ports-tcp", nil, nil, &portTruth{portRefused, yes, true}},
		{"the network resets 8443", "ports-tcp", []string{"tcp dport 8443 reject with tcp reset"}, nil, &portTruth{portRejected, no, true}},
		{"the network resets all but 443", "ports-tcp", []string{known, "tcp dport 443 accept", "ip protocol icmp accept", "ip protocol tcp reject with tcp reset", "drop"}, nil, &portTruth{portRejected, no, true}},
		{"the server's firewall resets 8443", "ports-tcp", nil, []string{"tcp dport 8443 reject with tcp reset"}, &portTruth{portRefused, yes, true}},
		{"the network drops 8443", "ports-tcp", []string{"tcp dport 8443 drop"}, nil, &portTruth{portSilent, no, true}},
		{"the network permits only 443", "ports-tcp", []string{known, "tcp dport 443 accept", "drop"}, nil, &portTruth{portSilent, no, true}},
		{"only 443, no router responds", "ports-tcp", []string{"ip protocol icmp drop", "tcp dport 443 accept", "tcp sport 443 accept", "drop"}, nil, &portTruth{portSilent, nil, true}},
		{"only 80 and 443", "ports-tcp", []string{known, "tcp dport { 80, 443 } accept", "drop"}, nil, &portTruth{portSilent, no, true}},
		{"the network rejects 8443", "ports-tcp", []string{"tcp dport 8443 reject with icmp type admin-prohibited"}, nil, &portTruth{portRejected, no, true}},
		{"the server's firewall drops 8443", "ports-tcp", nil, []string{"tcp dport 8443 drop"}, &portTruth{portSilent, yes, true}},
		{"the server drops all", "ports-tcp", nil, []string{"ip protocol tcp drop"}, &portTruth{portSilent, yes, false}},
		{"nothing leaves", "ports-tcp", []string{"drop"}, nil, &portTruth{portSilent, nil, false}},
		{"UDP works", "ports-udp", nil, nil, nil},
		{"the network drops UDP", "ports-udp", []string{"ip protocol udp drop"}, nil, &portTruth{portSilent, no, true}},
		{"the network drops UDP and pings", "ports-udp", []string{known, "tcp dport { 443, 8443 } accept", "drop"}, nil, &portTruth{portSilent, no, true}},
		{"the network rejects UDP", "ports-udp", []string{"ip protocol udp reject with icmp type port-unreachable"}, nil, &portTruth{portRejected, no, true}},
		{"UDP only to DNS", "ports-udp", []string{"udp dport 53 accept", "ip protocol udp drop"}, nil, &portTruth{portSilent, no, true}},
		{"the server's firewall drops UDP", "ports-udp", nil, []string{"udp dport 3478 drop"}, &portTruth{portSilent, yes, true}},
		{"answers over UDP are dropped", "ports-udp", []string{"udp sport 3478 drop"}, nil, &portTruth{portSilent, yes, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			filter(t, h.router, "forward", c.router...)
			filter(t, h.servers, "input", c.server...)
			got := *measure[[]report.PathPort](t, h, c.role)
			if c.want == nil {
				if len(got) > 0 {
					t.Errorf("got %s, want nothing, because the port responds", describePorts(got))
				}
				return
			}
			var needed *report.PathPort
			others := false
			for i, p := range got {
				if testnet.Deref(p.Needed) {
					needed = &got[i]
				} else {
					others = others || p.Answer == portOpen || p.Answer == portRefused
				}
			}
			if needed == nil || needed.Answer != c.want.answer || (needed.Left == nil) != (c.want.left == nil) ||
				needed.Left != nil && *needed.Left != *c.want.left || others != c.want.others {
				t.Errorf("got %s, want %+v", describePorts(got), c.want)
			}
		})
	}
}

func describePorts(ports []report.PathPort) (s string) {
	for _, p := range ports {
		left := "unknown"
		if p.Left != nil {
			left = fmt.Sprint(*p.Left)
		}
		s += fmt.Sprintf("%s/%d %s, left %s; ", p.Protocol, testnet.Deref(p.Port), p.Answer, left)
	}
	return s
}
