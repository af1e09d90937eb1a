package reflector

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// startWithTwo starts a reflector at 127.0.0.1 and 127.0.0.2.
func startWithTwo(t *testing.T, change ...func(*Config)) *Reflector {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.2:0")
	if err != nil {
		need.Lack(t, "a second loopback address", err)
	}
	_ = c.Close()
	return start(t, append(change, func(c *Config) { c.STUNAlternate = netip.MustParseAddr("127.0.0.2") })...)
}

func behaviorAt(t *testing.T, r *Reflector) (*report.NATBehavior, probe.Result) {
	t.Helper()
	p := nat.NewBehavior(nat.Config{
		ICE:    func(context.Context) (wire.ICEConfig, error) { return r.ICE("anna", "127.0.0.1"), nil },
		Timers: nat.Timers{RTO: 100 * time.Millisecond, Rc: 4, Rm: 4},
	})
	result, err := p.Run(t.Context(), probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	return result.Data.(*report.NATBehavior), result
}

func TestBehaviorWithTwoAddresses(t *testing.T) {
	d, result := behaviorAt(t, startWithTwo(t))
	if result.Status != report.StatusOK || d.Mapping != "none" || d.Filtering != "EIF" || d.LegacyName != "open internet" || *d.ALG {
		t.Errorf("got %+v, %+v; want Status %v, Mapping %q, Filtering %q, LegacyName %q, ALG false", result, d, report.StatusOK, "none", "EIF", "open internet")
	}
}

// TestBehaviorWithOneAddress: mapping and filtering are then unknown.
func TestBehaviorWithOneAddress(t *testing.T) {
	d, _ := behaviorAt(t, start(t))
	if d.Mapping != "none" || d.Filtering != "" || d.LegacyName != "" {
		t.Errorf("got %+v, want mapping none and no filtering", d)
	}
}

func TestCoturnsToolAgrees(t *testing.T) {
	tool := need.Program(t, "turnutils_natdiscovery")
	r := startWithTwo(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, tool, "-m", "-f", "-L", "127.0.0.1",
		"-p", fmt.Sprint(r.STUNAddr().Port()), "127.0.0.1").CombinedOutput()
	text := string(out)
	if err != nil || !strings.Contains(text, "NAT with Endpoint Independent Filtering") ||
		!strings.Contains(text, fmt.Sprintf("Other addr: : 127.0.0.2:%d", r.STUNAddr().Port()+1)) {
		t.Errorf("got error %v\n%s, want independent filtering and the second address 127.0.0.2", err, text)
	}
}

// ask sends a binding request and returns the response and its source.
func ask(t *testing.T, from *net.UDPConn, to netip.AddrPort, attributes ...stun.Setter) (*stun.Message, netip.AddrPort) {
	t.Helper()
	m := stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.BindingRequest}, attributes...)...)
	if _, err := from.WriteToUDPAddrPort(m.Raw, to); err != nil {
		t.Fatal(err)
	}
	return listen(t, from)
}

func listen(t *testing.T, at *net.UDPConn) (*stun.Message, netip.AddrPort) {
	t.Helper()
	buf := make([]byte, 1500)
	_ = at.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, by, err := at.ReadFromUDPAddrPort(buf)
	if err != nil {
		t.Fatal(err)
	}
	answer := &stun.Message{Raw: buf[:n]}
	if err := answer.Decode(); err != nil {
		t.Fatal(err)
	}
	return answer, by
}

func udpSocket(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func change(flags byte) stun.Setter {
	return stun.RawAttribute{Type: stun.AttrChangeRequest, Value: []byte{0, 0, 0, flags}}
}

func TestAnswersLeaveFromWhereTheyAreAsked(t *testing.T) {
	r := startWithTwo(t)
	first := r.STUNAddr()
	other := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), localAddrPort(r.relay.discovery.four.Load().at[1][1]).Port())
	c := udpSocket(t)
	for _, at := range []netip.AddrPort{
		first, netip.AddrPortFrom(first.Addr(), other.Port()), netip.AddrPortFrom(other.Addr(), first.Port()), other,
	} {
		opposite := netip.AddrPortFrom(netip.MustParseAddr(map[bool]string{true: "127.0.0.2", false: "127.0.0.1"}[at.Addr() == first.Addr()]), first.Port())
		if at.Port() == first.Port() {
			opposite = netip.AddrPortFrom(opposite.Addr(), other.Port())
		}
		for flags, want := range map[byte]netip.AddrPort{
			0: at, 2: netip.AddrPortFrom(at.Addr(), opposite.Port()), 4: netip.AddrPortFrom(opposite.Addr(), at.Port()), 6: opposite,
		} {
			m, by := ask(t, c, at, change(flags))
			var origin stun.ResponseOrigin
			var o stun.OtherAddress
			_ = origin.GetFrom(m)
			_ = o.GetFrom(m)
			if by != want || origin.String() != want.String() || o.String() != opposite.String() {
				t.Errorf("request to %v with %d: got a response of %v, origin %v, other %v; want %v, other %v", at, flags, by, origin, o, want, opposite)
			}
		}
	}
}

// TestResponsePort: a response to another port of the client's host requires the
// credentials of agents.
func TestResponsePort(t *testing.T) {
	r := start(t)
	relay := r.ICE("anna", "127.0.0.1").ICEServers[1]
	signed := func(user, password string) []stun.Setter {
		return []stun.Setter{stun.NewUsername(user), stun.NewShortTermIntegrity(password)}
	}
	for name, c := range map[string]struct {
		proof   []stun.Setter
		refused stun.ErrorCode
	}{
		"none":           {nil, stun.CodeBadRequest},
		"wrong password": {signed(relay.Username, "guess"), stun.CodeUnauthorized},
		"expired":        {signed("1:anna", r.relay.password("1:anna")), stun.CodeUnauthorized},
		"good":           {signed(relay.Username, relay.Credential), 0},
	} {
		t.Run(name, func(t *testing.T) {
			x, y := udpSocket(t), udpSocket(t)
			port := x.LocalAddr().(*net.UDPAddr).Port
			m := stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.BindingRequest,
				stun.RawAttribute{Type: stun.AttrResponsePort, Value: []byte{byte(port >> 8), byte(port), 0, 0}}}, c.proof...)...)
			if _, err := y.WriteToUDPAddrPort(m.Raw, r.STUNAddr()); err != nil {
				t.Fatal(err)
			}
			at := x
			if c.refused != 0 {
				at = y
			}
			answer, _ := listen(t, at)
			if answer.TransactionID != m.TransactionID {
				t.Fatalf("got %v, want the response to our request", answer)
			}
			if c.refused != 0 {
				var code stun.ErrorCodeAttribute
				if code.GetFrom(answer) != nil || code.Code != c.refused || len(answer.Raw) > len(m.Raw) {
					t.Errorf("got %v, want code %v", answer, c.refused)
				}
				_ = x.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
				if n, err := x.Read(make([]byte, 100)); err == nil {
					t.Errorf("got %d bytes at the other port, want none", n)
				}
				return
			}
			var mapped stun.XORMappedAddress
			if err := mapped.GetFrom(answer); err != nil || mapped.Port != y.LocalAddr().(*net.UDPAddr).Port {
				t.Errorf("got %v, error %v; want port %d", mapped, err, y.LocalAddr().(*net.UDPAddr).Port)
			}
			// RFC 8489 §9.1.4: the response is signed with the same password.
			if err := stun.NewShortTermIntegrity(relay.Credential).Check(answer); err != nil {
				t.Errorf("the integrity of the response: got error %v, want none", err)
			}
		})
	}
}

// TestOneAddressIsReported: RFC 8489 §6.3.1, and no OTHER-ADDRESS.
func TestOneAddressIsReported(t *testing.T) {
	r := start(t)
	c := udpSocket(t)
	if m, _ := ask(t, c, r.STUNAddr()); m.Contains(stun.AttrOtherAddress) || m.Type != stun.BindingSuccess {
		t.Errorf("got %v, want success without OTHER-ADDRESS", m)
	}
	for name, a := range map[string]stun.Setter{
		"change":  change(6),
		"padding": stun.RawAttribute{Type: attrPadding, Value: make([]byte, 1000)},
	} {
		m, _ := ask(t, c, r.STUNAddr(), a)
		var code stun.ErrorCodeAttribute
		if code.GetFrom(m) != nil || code.Code != stun.CodeUnknownAttribute || len(m.Raw) > 100 {
			t.Errorf("%s: got %v, want %v", name, m, stun.CodeUnknownAttribute)
		}
	}
}

func TestSecondAddressFaultsAreClear(t *testing.T) {
	for _, second := range []string{"127.0.0.1", "192.0.2.1", "::1"} {
		r, err := New(Config{STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0", STUNAlternate: netip.MustParseAddr(second)})
		if err == nil {
			_ = r.Close()
			t.Errorf("%s was accepted", second)
		} else if !strings.Contains(err.Error(), second) {
			t.Errorf("%s: got error %q, want it to contain the address", second, err)
		}
	}
}

func FuzzBindingRequest(f *testing.F) {
	r := start(f)
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingRequest, change(6)).Raw)
	f.Add([]byte{0, 1, 0, 0})
	at := r.relay.discovery
	out, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		f.Fatal(err)
	}
	defer out.Close()
	f.Fuzz(func(_ *testing.T, b []byte) {
		at.answer(out, slices.Clone(b), netip.MustParseAddrPort("127.0.0.1:9"))
	})
}
