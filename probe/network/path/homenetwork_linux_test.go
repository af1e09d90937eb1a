package path

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pion/stun/v2"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/internal/echo"
	"github.com/tonprobe/tonprobe/probe/network/internal/testnet"
	"github.com/tonprobe/tonprobe/probe/network/link"
	"github.com/tonprobe/tonprobe/probe/network/lookup"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// The network of these tests: a computer, its router, the provider's router and two
// servers, each in a network namespace.
//
//	home 192.168.77.2 - .1 router 198.51.100.2 - .1 provider 203.0.113.1 - .10 conference, .20 collector
const (
	conferenceAddress = "203.0.113.10"
	collectorAddress  = "203.0.113.20"
	roleVariable      = "TONPROBE_TEST_ROLE"
	outVariable       = "TONPROBE_TEST_OUT"
)

type homeNetwork struct{ home, router, provider, servers string }

// buildHomeNetwork creates the namespaces for one test, which runs beside others: nearly all
// of its time it waits for packets.
func buildHomeNetwork(t *testing.T) homeNetwork {
	t.Helper()
	need.Minutes(t)
	need.Root(t, "network namespaces")
	need.Programs(t, "ip", "nft", "sysctl")
	t.Parallel()
	id := fmt.Sprintf("tp%d-%s-", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))
	h := homeNetwork{id + "h", id + "r", id + "p", id + "s"}
	for _, ns := range []string{h.home, h.router, h.provider, h.servers} {
		if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
			need.Lack(t, "network namespaces", fmt.Errorf("%w: %s", err, out))
		}
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
		inside(t, ns, "ip link set lo up")
		inside(t, ns, "sysctl -qw net.ipv4.ip_forward=1")
	}
	cable := func(from, fromAddr, to, toAddr, name string) {
		inside(t, from, fmt.Sprintf("ip link add %s0 type veth peer name %s1 netns %s", name, name, to))
		inside(t, from, fmt.Sprintf("ip addr add %s/24 dev %s0", fromAddr, name))
		inside(t, from, fmt.Sprintf("ip link set %s0 up", name))
		inside(t, to, fmt.Sprintf("ip addr add %s/24 dev %s1", toAddr, name))
		inside(t, to, fmt.Sprintf("ip link set %s1 up", name))
	}
	cable(h.home, "192.168.77.2", h.router, "192.168.77.1", "lan")
	cable(h.router, "198.51.100.2", h.provider, "198.51.100.1", "wan")
	cable(h.provider, "203.0.113.1", h.servers, conferenceAddress, "net")
	inside(t, h.servers, "ip addr add "+collectorAddress+"/24 dev net1")
	inside(t, h.home, "ip route add default via 192.168.77.1")
	inside(t, h.router, "ip route add default via 198.51.100.1")
	inside(t, h.provider, "ip route add 192.168.77.0/24 via 198.51.100.2")
	inside(t, h.servers, "ip route add default via 203.0.113.1")
	inside(t, h.home, "sysctl -qw net.ipv4.ping_group_range=0\t2147483647")
	startSTUN(t, h)
	return h
}

func inside(t *testing.T, ns, command string) {
	t.Helper()
	args := append([]string{"netns", "exec", ns}, strings.Split(command, " ")...)
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
}

// lose drops a percentage of the packets that a namespace receives on an interface.
func lose(t *testing.T, ns, device, match string, percent int) {
	t.Helper()
	inside(t, ns, "nft add table ip lossy")
	inside(t, ns, "nft add chain ip lossy in { type filter hook prerouting priority -300 ; }")
	chance := ""
	if percent < 100 {
		chance = fmt.Sprintf("numgen random mod 100 < %d ", percent)
	}
	inside(t, ns, fmt.Sprintf("nft add rule ip lossy in iifname %s %s %sdrop", device, match, chance))
}

func noLoss(t *testing.T, h homeNetwork) {
	for _, ns := range []string{h.home, h.router, h.provider, h.servers} {
		_ = exec.Command("ip", "netns", "exec", ns, "nft", "flush", "ruleset").Run()
	}
}

// role returns the command that runs this test program inside a namespace.
func role(t *testing.T, ns, name, out string) *exec.Cmd {
	t.Helper()
	self, err := filepath.Abs(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ip", "netns", "exec", ns, self, "-test.run", "^TestRoleInNamespace$")
	cmd.Env = append(os.Environ(), roleVariable+"="+name, outVariable+"="+out)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

func startSTUN(t *testing.T, h homeNetwork) {
	t.Helper()
	ready := filepath.Join(t.TempDir(), "ready")
	cmd := role(t, h.servers, "stun", ready)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); _ = cmd.Wait() })
	for until := time.Now().Add(10 * time.Second); ; {
		if _, err := os.Stat(ready); err == nil {
			return
		}
		if time.Now().After(until) {
			t.Fatal("the STUN server did not start")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// measure runs a probe in the home namespace and returns its data.
func measure[T any](t *testing.T, h homeNetwork, name string) *T {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	if b, err := role(t, h.home, name, out).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	d := new(T)
	if err := json.Unmarshal(b, d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestRoleInNamespace is not a test itself: the others run it in a namespace.
func TestRoleInNamespace(t *testing.T) {
	out := os.Getenv(outVariable)
	switch os.Getenv(roleVariable) {
	case "stun":
		serveSTUN(t, out)
	case "path":
		record(t, out, New(Config{
			URL: "https://" + conferenceAddress,
			ICE: func(context.Context) (wire.ICEConfig, error) {
				return wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: []string{"stun:" + collectorAddress + ":3478"}}}}, nil
			},
		}))
	case "mtu":
		recordMTU(t, out)
	case "ports-tcp":
		recordPorts(t, out, farEnds{collector: netip.MustParseAddr(collectorAddress)})
	case "ports-udp":
		stun := netip.AddrPortFrom(netip.MustParseAddr(collectorAddress), lookup.STUNPort)
		recordPorts(t, out, farEnds{collector: stun.Addr(), stun: stun})
	case "rejected4":
		recordRejection(t, out, collectorAddress, conferenceAddress)
	case "rejected6":
		recordRejection(t, out, collectorAddress6, "2001:db8:203::10")
	case "link":
		record(t, out, link.New(link.Config{URL: "https://" + conferenceAddress}))
	}
}

func record(t *testing.T, out string, p probe.Probe) {
	r, err := p.Run(t.Context(), probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r.Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(out, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// recordMTU runs only the part of network.path that sends large packets, by STUN
// and then by echo requests.
func recordMTU(t *testing.T, out string) {
	p := path{Config{Asker: echo.System()}}
	server := netip.MustParseAddr(collectorAddress)
	both := make([]report.NetworkPath, 2)
	var wg sync.WaitGroup
	for i, far := range []farEnds{{stun: netip.AddrPortFrom(server, lookup.STUNPort)}, {server: server}} {
		wg.Go(func() { p.askLarge(t.Context(), probetest.Env(t), surveyed{far: far}, &both[i]) })
	}
	wg.Wait()
	b, err := json.Marshal(both)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(out, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func serveSTUN(t *testing.T, ready string) {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(collectorAddress+":3478")))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ready, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFromUDP(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		m := &stun.Message{Raw: b[:n]}
		if err != nil || m.Decode() != nil {
			continue
		}
		answer, err := stun.Build(m, stun.BindingSuccess, &stun.XORMappedAddress{IP: from.IP, Port: from.Port})
		if err == nil {
			_, _ = conn.WriteToUDP(answer.Raw, from)
		}
	}
}

// maxPathKbps is the limit for the traffic of network.path in each direction.
const maxPathKbps = 40

// traffic returns the bytes that have passed the home's interface so far, without
// Ethernet headers.
func traffic(t *testing.T, h homeNetwork) int {
	t.Helper()
	counter := func(name string) int {
		out, err := exec.Command("ip", "netns", "exec", h.home, "cat", "/sys/class/net/lan0/statistics/"+name).Output()
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(out)))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	const ethernetHeader = 14
	return counter("tx_bytes") + counter("rx_bytes") - ethernetHeader*(counter("tx_packets")+counter("rx_packets"))
}

// TestPathLocatesTheFault creates a loss of 40 % in each segment in turn.
func TestPathLocatesTheFault(t *testing.T) {
	for _, c := range []struct {
		want  string
		fault func(h homeNetwork)
	}{
		{noFault, func(homeNetwork) {}},
		{segmentLAN, func(h homeNetwork) { lose(t, h.router, "lan1", "ip saddr 192.168.77.2", 40) }},
		{segmentAccess, func(h homeNetwork) { lose(t, h.provider, "wan1", "ip saddr 192.168.77.2", 40) }},
		{segmentTransit, func(h homeNetwork) { lose(t, h.servers, "net1", "ip saddr 192.168.77.2", 40) }},
		{segmentServer, func(h homeNetwork) { lose(t, h.servers, "net1", "ip daddr "+conferenceAddress, 40) }},
	} {
		t.Run(c.want, func(t *testing.T) {
			h := buildHomeNetwork(t)
			c.fault(h)
			before, start := traffic(t, h), time.Now()
			d := measure[report.NetworkPath](t, h, "path")
			kbps := float64(traffic(t, h)-before) * 8 / 1000 / time.Since(start).Seconds() / 2
			if t.Logf("%.0f kbit/s each way", kbps); c.want == noFault && kbps > maxPathKbps {
				t.Errorf("got %.0f kbit/s, want at most %d", kbps, maxPathKbps)
			}
			var names []string
			for _, s := range d.Segments {
				names = append(names, s.Name)
				t.Logf("%s: sent %v, loss %v, RTT %v", s.Name, testnet.Deref(s.Sent), testnet.Deref(s.LossPct), testnet.Deref(s.RTTMS))
			}
			if d.FaultSegment != c.want {
				t.Errorf("got fault %q, want %q, segments %q", d.FaultSegment, c.want, names)
			}
		})
	}
}

// TestPathFindsTheBlackHole checks that it is reported only if large packets are
// dropped without an ICMP error.
func TestPathFindsTheBlackHole(t *testing.T) {
	h := buildHomeNetwork(t)
	for _, c := range []struct {
		name  string
		want  bool
		by    [2]string // of the measurement by STUN and that by echo requests
		fault func()
	}{
		{"whole", false, [2]string{"udp", "icmp"}, func() {}},
		{"a smaller MTU with an ICMP error", false, [2]string{"udp", "icmp"}, func() {
			inside(t, h.router, "ip link set wan0 mtu 1300")
			inside(t, h.provider, "ip link set wan1 mtu 1300")
		}},
		// A padded request is large upstream only.
		{"a black hole downstream", true, [2]string{"icmp", "icmp"}, func() { lose(t, h.router, "wan0", "meta length > 1280", 100) }},
		{"a black hole", true, [2]string{"udp", "icmp"}, func() {
			noLoss(t, h)
			lose(t, h.provider, "wan1", "meta length > 1280", 100)
		}},
	} {
		c.fault()
		inside(t, h.home, "ip route flush cache") // reports of routers
		both := *measure[[]report.NetworkPath](t, h, "mtu")
		for i, by := range c.by {
			if d := both[i]; d.MTUBlackhole == nil || *d.MTUBlackhole != c.want || d.MTUBy != by {
				t.Errorf("%s by %s: got black hole %v, by %q; want %v, %q", c.name, by, testnet.Deref(d.MTUBlackhole), d.MTUBy, c.want, by)
			}
		}
		inside(t, h.router, "ip link set wan0 mtu 1500")
		inside(t, h.provider, "ip link set wan1 mtu 1500")
	}
}

func TestLinkInANamespace(t *testing.T) {
	h := buildHomeNetwork(t)
	for _, ping := range []string{"0\t2147483647", "1\t0"} { // with and without ping sockets
		inside(t, h.home, "sysctl -qw net.ipv4.ping_group_range="+ping)
		d := measure[report.NetworkLink](t, h, "link")
		if d.Kind != "ethernet" || d.GatewayState != "answered" || testnet.Deref(d.MTU) != 1500 || !testnet.Deref(d.IPv4) || testnet.Deref(d.IPv6) || testnet.Deref(d.VPN) || testnet.Deref(d.GatewayLossPct) != 0 {
			t.Errorf("ping_group_range %q: got %+v, want Ethernet with IPv4 and a router that answered without loss", ping, d)
		}
	}
	inside(t, h.router, "sysctl -qw net.ipv4.icmp_echo_ignore_all=1")
	inside(t, h.home, "sysctl -qw net.ipv4.ping_group_range=0\t2147483647")
	if d := measure[report.NetworkLink](t, h, "link"); d.GatewayState != "answered" || testnet.Deref(d.GatewayLossPct) != 0 {
		t.Errorf("a router without echo responses that refuses connections: got %+v; want GatewayState %q, GatewayLossPct 0", d, "answered")
	}
	lose(t, h.router, "lan1", "ip daddr 192.168.77.1", 100)
	if d := measure[report.NetworkLink](t, h, "link"); d.GatewayState != "silent" || d.GatewayLossPct != nil {
		t.Errorf("a silent router: got %+v; want GatewayState %q, no GatewayLossPct", d, "silent")
	}
}
