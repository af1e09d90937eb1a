package reflector

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// inNamespace runs the rest of the test in a new network namespace with loopback only.
// It returns false in the outer process.
func inNamespace(t *testing.T) bool {
	t.Helper()
	const inside = "TONPROBE_TEST_INSIDE"
	if os.Getenv(inside) == t.Name() {
		addr(t, "link", "set", "lo", "up")
		return true
	}
	need.Root(t, "a network namespace")
	cmd := exec.CommandContext(t.Context(), "unshare", "--net", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"="+t.Name())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// addr runs ip(8).
func addr(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// answersAt sends one request and reports whether the response came from the address of
// the request.
func answersAt(t *testing.T, at netip.AddrPort) (answer *stun.Message, ok bool) {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at)) // connected: drops responses from other addresses
	if err != nil {
		return nil, false
	}
	defer c.Close()
	question := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	if _, err := c.Write(question.Raw); err != nil {
		return nil, false
	}
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	buf := make([]byte, 1500)
	n, err := c.Read(buf)
	if err != nil {
		return nil, false
	}
	m := &stun.Message{Raw: buf[:n]}
	return m, m.Decode() == nil && m.TransactionID == question.TransactionID
}

func (r *Reflector) problems(t *testing.T, host string) string {
	t.Helper()
	err := r.Check(t.Context(), host)
	if err == nil {
		return ""
	}
	if _, ok := errors.AsType[*NotReadyError](err); !ok {
		t.Fatal(err)
	}
	return err.Error()
}

func candidatesOf(t *testing.T, r *Reflector) string {
	t.Helper()
	c := newClient(t)
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	// Before it gathers candidates: otherwise a client with loopback candidates would
	// receive ours.
	id, answer, err := r.Offer(context.Background(), t.Name(), offer.SDP)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.End(t.Name(), id); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(answer) {
		if strings.HasPrefix(line, "a=candidate:") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// TestAddressesThatComeLater: the collector starts at boot before DHCP has assigned an
// address; it gets a second one later, and loses the first.
func TestAddressesThatComeLater(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	const host = "ton.example"
	first, second, sixth := netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("192.0.2.20"), netip.MustParseAddr("2001:db8::10")
	r := start(t, func(c *Config) {
		c.STUNListen, c.MediaListen, c.STUNAlternate = ":3478", ":3480", second
		c.Limits.MaxDuration = 3 * time.Second // lifetime of a socket without its address
	})
	answered := func() bool { return r.ICE("anna", host).AnsweredMS != nil }
	at := func(ip netip.Addr) netip.AddrPort { return netip.AddrPortFrom(ip, 3478) }

	if p := r.problems(t, host); !strings.Contains(p, "UDP port 3478: this machine has no address yet but loopback") ||
		!strings.Contains(p, "UDP port 3480: this machine has no address yet") || !strings.Contains(p, second.String()) {
		t.Errorf("without an address: got %q, want both ports and the second address %s", p, second)
	}
	if answered() {
		t.Error("without an address, the reflector is reported as running for participants")
	}
	if r.ICE("anna", "localhost").AnsweredMS == nil {
		t.Error("got no result for this machine itself")
	}

	addr(t, "addr", "add", "192.0.2.10/24", "dev", "lo")
	until(t, "the first address responds", func() bool { _, ok := answersAt(t, at(first)); return ok })
	until(t, "the media port responds there", func() bool { return !strings.Contains(r.problems(t, host), "3480") })
	if c := candidatesOf(t, r); !strings.Contains(c, " 192.0.2.10 3480 typ host") || strings.Contains(c, "127.0.0.1") {
		t.Errorf("got candidates %s; want it to contain %q, without %q", c, " 192.0.2.10 3480 typ host", "127.0.0.1")
	}
	until(t, "participants get the result", answered)
	if r.STUNAddr().Addr() != first {
		t.Errorf("got address %v, want %v", r.STUNAddr(), first)
	}
	if p := r.problems(t, host); !strings.Contains(p, "second STUN address 192.0.2.20") {
		t.Errorf("with one address: got %q; want it to contain %q", p, "second STUN address 192.0.2.20")
	}
	if m, ok := answersAt(t, at(first)); !ok || m.Contains(stun.AttrOtherAddress) {
		t.Errorf("with one address, another one is announced: got %v, want a response without OTHER-ADDRESS", m)
	}

	addr(t, "addr", "add", "192.0.2.20/24", "dev", "lo")
	addr(t, "addr", "add", "2001:db8::10/64", "dev", "lo", "nodad")
	until(t, "there is no problem", func() bool { return r.problems(t, host) == "" })
	for from, other := range map[netip.Addr]string{first: "192.0.2.20:3479", second: "192.0.2.10:3479"} {
		m, ok := answersAt(t, at(from))
		var got stun.OtherAddress
		if !ok || got.GetFrom(m) != nil || got.String() != other {
			t.Errorf("%s: got other address %v, want %s", from, got, other)
		}
	}
	if _, ok := answersAt(t, netip.AddrPortFrom(second, 3479)); !ok {
		t.Error("no response from the second port of the second address")
	}
	if _, ok := answersAt(t, at(sixth)); !ok {
		t.Error("no response over IPv6")
	}
	if c := candidatesOf(t, r); !strings.Contains(c, " 192.0.2.20 3480 ") || !strings.Contains(c, " 2001:db8::10 3480 ") {
		t.Errorf("got candidates %s; want it to contain %q and %q", c, " 192.0.2.20 3480 ", " 2001:db8::10 3480 ")
	}

	addr(t, "addr", "del", "192.0.2.10/24", "dev", "lo") // also removes 192.0.2.20 if that is its secondary
	addr(t, "addr", "replace", "192.0.2.20/24", "dev", "lo")
	until(t, "the first one is no longer a candidate", func() bool { return !strings.Contains(candidatesOf(t, r), "192.0.2.10") })
	if p := r.problems(t, host); !strings.Contains(p, "second STUN address") {
		t.Errorf("without the first address: got %q; want it to contain %q", p, "second STUN address")
	}
	if m, ok := answersAt(t, at(second)); !ok || m.Contains(stun.AttrOtherAddress) {
		t.Errorf("only the second address: got %v, want a response without OTHER-ADDRESS", m)
	}
	until(t, "its socket is closed", func() bool { return r.media.sockets.socket(first) == nil && r.relay.ports.socket(first) == nil })

	addr(t, "addr", "add", "192.0.2.10/24", "dev", "lo")
	until(t, "there is no problem again", func() bool { return r.problems(t, host) == "" })
}

// TestConfiguredAddressThatComesLater is the same for a configured address.
func TestConfiguredAddressThatComesLater(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	r := start(t, func(c *Config) { c.STUNListen, c.MediaListen = "192.0.2.10:3478", "192.0.2.10:3480" })
	if p := r.problems(t, "ton.example"); !strings.Contains(p, "this machine does not have 192.0.2.10 now") {
		t.Errorf("before: got %q; want it to contain %q", p, "this machine does not have 192.0.2.10 now")
	}
	addr(t, "addr", "add", "192.0.2.10/24", "dev", "lo")
	until(t, "there is no problem", func() bool { return r.problems(t, "ton.example") == "" })
	c, err := net.Dial("tcp", "192.0.2.10:3478")
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if c := candidatesOf(t, r); !strings.Contains(c, " 192.0.2.10 3480 ") {
		t.Errorf("got candidates %s; want it to contain %q", c, " 192.0.2.10 3480 ")
	}
}
