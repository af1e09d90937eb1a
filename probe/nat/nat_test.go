package nat

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v2"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestOpenLine(t *testing.T) {
	data, r := run(t, StandardTimers, both(t, honest)) // a busy machine may need longer than the default RTO
	if r.Status != report.StatusOK || data.UDP != report.ReachOpen || data.TCP != report.ReachOpen {
		t.Fatalf("got %+v, %+v; want UDP and TCP open", r, data)
	}
	if *data.Translated || *data.Transmissions != 1 || data.UDPRTTMS == nil || data.TCPRTTMS == nil || data.ALG != nil {
		t.Errorf("got translated %v, %d copies, RTT %v and %v, ALG %v; want false, 1, non-nil, non-nil, nil", *data.Translated, *data.Transmissions, probetest.Value(data.UDPRTTMS), probetest.Value(data.TCPRTTMS), probetest.Value(data.ALG))
	}
	if data.PublicAddress != "127.0.0.0/24" {
		t.Errorf("public address %q is not truncated", data.PublicAddress)
	}
}

// TestWhoIsSilent checks whether the participant's line or our own server is
// blamed.
func TestWhoIsSilent(t *testing.T) {
	for name, c := range map[string]struct {
		udp, tcp reply // nil: nothing listens
		wantUDP  report.Reach
		wantTCP  report.Reach
		status   report.Status
	}{
		"UDP dropped":               {silentTCP, honest, report.ReachBlocked, report.ReachOpen, report.StatusWarn},
		"TCP dropped":               {honest, silentTCP, report.ReachOpen, report.ReachBlocked, report.StatusOK},
		"TCP not offered":           {honest, nil, report.ReachOpen, report.ReachNotTested, report.StatusOK},
		"server dead":               {silentTCP, silentTCP, report.ReachServerSilent, report.ReachServerSilent, report.StatusUnknown},
		"server dead, port refused": {silentTCP, nil, report.ReachServerSilent, report.ReachNotTested, report.StatusUnknown},
		"server responds with garbage over TCP": {silentTCP, func(_ int, _ *stun.Message, _ netip.AddrPort, send func([]byte)) {
			send([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		}, report.ReachServerSilent, report.ReachNotTested, report.StatusUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := udpServer(t, loopback(t), c.udp)
			if c.tcp != nil {
				tcpServer(t, at, c.tcp)
			}
			data, r := run(t, patient, "stun:"+at.String())
			if data.UDP != c.wantUDP || data.TCP != c.wantTCP || r.Status != c.status {
				t.Errorf("got UDP %s, TCP %s, status %s; want %s, %s, %s", data.UDP, data.TCP, r.Status, c.wantUDP, c.wantTCP, c.status)
			}
			if r.Status == report.StatusUnknown && r.Note == "" {
				t.Error("status unknown without a note")
			}
		})
	}
}

// TestFaultyReplies tests every kind of invalid packet. Each server sends the
// invalid one first, then the valid response, which alone counts.
func TestFaultyReplies(t *testing.T) {
	forged := netip.MustParseAddrPort("198.51.100.66:6666")
	stranger, err := net.ListenPacket("udp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stranger.Close() })
	for name, wrong := range map[string]reply{
		"nonsense": func(_ int, _ *stun.Message, _ netip.AddrPort, send func([]byte)) { send([]byte("\x00\xff nonsense")) },
		"empty":    func(_ int, _ *stun.Message, _ netip.AddrPort, send func([]byte)) { send(nil) },
		"truncated": func(_ int, m *stun.Message, _ netip.AddrPort, send func([]byte)) {
			send(success(m.TransactionID, forged)[:30])
		},
		"wrong id": func(_ int, _ *stun.Message, _ netip.AddrPort, send func([]byte)) {
			send(success(transactionID{1}, forged))
		},
		"own request back": func(_ int, m *stun.Message, _ netip.AddrPort, send func([]byte)) { send(m.Raw) },
		"other method": func(_ int, m *stun.Message, _ netip.AddrPort, send func([]byte)) {
			send(stun.MustBuild(stun.NewTransactionIDSetter(m.TransactionID), stun.NewType(stun.MethodAllocate, stun.ClassSuccessResponse)).Raw)
		},
		"broken fingerprint": func(_ int, m *stun.Message, _ netip.AddrPort, send func([]byte)) {
			b := success(m.TransactionID, forged)
			b[len(b)-1] ^= 1
			send(b)
		},
		"from another address": func(_ int, m *stun.Message, from netip.AddrPort, _ func([]byte)) {
			_, _ = stranger.WriteTo(success(m.TransactionID, forged), net.UDPAddrFromAddrPort(from))
		},
	} {
		t.Run(name, func(t *testing.T) {
			data, _ := run(t, StandardTimers, both(t, func(n int, m *stun.Message, from netip.AddrPort, send func([]byte)) {
				wrong(n, m, from, send)
				honest(n, m, from, send)
			}))
			if data.UDP != report.ReachOpen || *data.Translated || data.PublicAddress != "127.0.0.0/24" {
				t.Errorf("the invalid packet was accepted: %+v", data)
			}
		})
		t.Run(name+" only", func(t *testing.T) {
			t.Parallel()
			if data, _ := run(t, patient, both(t, wrong)); data.UDP != report.ReachBlocked {
				t.Errorf("the invalid packet was accepted: UDP %s", data.UDP)
			}
		})
	}
}

func TestOneOrTwoLostPacketsAreNotBlocked(t *testing.T) {
	t.Parallel()
	// As many copies as by default; a busy machine may need longer than the default RTO for an answer.
	timers := Timers{RTO: StandardTimers.RTO, Rc: DefaultTimers.Rc, Rm: DefaultTimers.Rm}
	for lost := 1; lost <= 3; lost++ {
		data, _ := run(t, timers, both(t, func(n int, m *stun.Message, from netip.AddrPort, send func([]byte)) {
			if n >= lost {
				honest(n, m, from, send)
			}
		}))
		if data.UDP != report.ReachOpen || *data.Transmissions != lost+1 {
			t.Errorf("%d lost: got UDP %s after %d copies; want %s, %d", lost, data.UDP, *data.Transmissions, report.ReachOpen, lost+1)
		}
		// It is unknown which copy was answered, so the additional request is
		// timed.
		if data.UDPRTTMS == nil || *data.UDPRTTMS >= float64(timers.RTO.Milliseconds()) {
			t.Errorf("%d lost: the round trip %v includes a wait for a retransmission", lost, probetest.Value(data.UDPRTTMS))
		}
	}
}

func TestLateAndDuplicateReplies(t *testing.T) {
	t.Parallel()
	var copies atomic.Int32
	data, _ := run(t, StandardTimers, both(t, func(n int, m *stun.Message, from netip.AddrPort, send func([]byte)) {
		copies.Add(1)
		if n > 0 { // the first response is late: it arrives with the second one
			honest(n, m, from, send)
			honest(n, m, from, send)
			honest(n, m, from, send)
		}
	}))
	if data.UDP != report.ReachOpen || *data.Transmissions != 2 || copies.Load() != 3 {
		t.Errorf("got %+v after %d requests, want two copies and one for the round trip", data, copies.Load())
	}
}

func TestErrorResponseProvesThePath(t *testing.T) {
	data, _ := run(t, StandardTimers, both(t, func(_ int, m *stun.Message, _ netip.AddrPort, send func([]byte)) {
		send(stun.MustBuild(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingError, stun.CodeUnauthorized, stun.Fingerprint).Raw)
	}))
	if data.UDP != report.ReachOpen || data.PublicAddress == "" {
		t.Errorf("got %+v, want UDP open and an address from TCP", data)
	}
}

func TestALG(t *testing.T) {
	for name, plain := range map[string]struct {
		ip   net.IP
		want bool
	}{"rewritten": {net.IP{10, 0, 0, 1}, true}, "left alone": {net.IP{127, 0, 0, 1}, false}} {
		data, _ := run(t, StandardTimers, both(t, func(_ int, m *stun.Message, from netip.AddrPort, send func([]byte)) {
			send(success(m.TransactionID, from, &stun.MappedAddress{IP: plain.ip, Port: int(from.Port())}))
		}))
		if data.ALG == nil || *data.ALG != plain.want {
			t.Errorf("%s: got ALG %v, want %v", name, probetest.Value(data.ALG), plain.want)
		}
	}
}

func TestTranslated(t *testing.T) {
	data, _ := run(t, StandardTimers, both(t, func(_ int, m *stun.Message, _ netip.AddrPort, send func([]byte)) {
		send(success(m.TransactionID, netip.MustParseAddrPort("203.0.113.77:40000")))
	}))
	if data.Translated == nil || !*data.Translated || data.PublicAddress != "203.0.113.0/24" {
		t.Errorf("got %+v, want translated, 203.0.113.0/24", data)
	}
}

// TestImpossibleAddresses: no host is 0.0.0.0, so a server that returns it provides
// no information.
func TestImpossibleAddresses(t *testing.T) {
	for _, mapped := range []string{"0.0.0.0:7", "224.0.0.1:7", "203.0.113.1:0"} {
		at := udpServer(t, "127.0.0.1:0", func(_ int, m *stun.Message, _ netip.AddrPort, send func([]byte)) {
			send(success(m.TransactionID, netip.MustParseAddrPort(mapped)))
		})
		data, _ := run(t, StandardTimers, "stun:"+at.String())
		if data.UDP != report.ReachOpen || data.PublicAddress != "" || data.Translated != nil {
			t.Errorf("%s: got %+v; want UDP %v, PublicAddress none, no Translated", mapped, data, report.ReachOpen)
		}
	}
}

func TestSeveralServers(t *testing.T) {
	t.Parallel()
	var copies atomic.Int32
	dead := udpServer(t, "127.0.0.1:0", func(int, *stun.Message, netip.AddrPort, func([]byte)) { copies.Add(1) })
	good := both(t, honest)
	data, _ := run(t, StandardTimers, "stun:"+dead.String(), "stun:"+closedPort(t).String(), good)
	if data.UDP != report.ReachOpen || data.TCP != report.ReachOpen || *data.Translated {
		t.Errorf("got %+v, want UDP and TCP open, not translated", data)
	}
	if got := copies.Load(); got >= int32(StandardTimers.Rc) {
		t.Errorf("a server that does not respond got %d requests, want fewer than %d: the probe waited for it", got, StandardTimers.Rc)
	}
}

func TestNoServers(t *testing.T) {
	for name, ice := range map[string]func(context.Context) (wire.ICEConfig, error){
		"not enrolled": nil,
		"error":        func(context.Context) (wire.ICEConfig, error) { return wire.ICEConfig{}, errors.New("401") },
		"empty":        func(context.Context) (wire.ICEConfig, error) { return wire.ICEConfig{}, nil },
		"only TURN":    servers("turn:127.0.0.1:3478", "stuns:127.0.0.1:5349"),
		"no such name": servers("stun:does-not-exist.invalid"),
		"hostile":      servers("stun:"+strings.Repeat("a", 10_000), "stun:<script>:x", "stun:127.0.0.1:0", "javascript:1"),
	} {
		r, err := New(Config{ICE: ice, Timers: quick}).Run(t.Context(), probetest.Env(t))
		data := r.Data.(*report.NAT)
		if err != nil || r.Status != report.StatusUnknown || r.Note == "" || data.UDP != report.ReachNotTested || data.TCP != report.ReachNotTested {
			t.Errorf("%s: got %+v, %+v, error %v; want Status %v, Note set, UDP %v, TCP %v", name, r, data, err, report.StatusUnknown, report.ReachNotTested, report.ReachNotTested)
		}
	}
}

// TestCutShort checks that a check that ends during the retransmissions proves
// nothing.
func TestCutShort(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	r, err := New(Config{ICE: servers(both(t, silentTCP)), Timers: StandardTimers}).Run(ctx, probetest.Env(t))
	if data := r.Data.(*report.NAT); err != nil || data.UDP != report.ReachNotTested || data.TCP != report.ReachOpen || r.Status != report.StatusUnknown {
		t.Errorf("got %+v, %+v, error %v; want Status %v, UDP %v, TCP %v", r, data, err, report.StatusUnknown, report.ReachNotTested, report.ReachOpen)
	}
}

func TestIPv6Loopback(t *testing.T) {
	if c, err := net.ListenPacket("udp", "[::1]:0"); err != nil {
		need.Lack(t, "IPv6 on loopback", err)
	} else {
		_ = c.Close()
	}
	at := udpServer(t, "[::1]:0", honest)
	tcpServer(t, at, honest)
	data, _ := run(t, StandardTimers, "stun:"+at.String())
	if data.UDP != report.ReachOpen || *data.Translated || data.PublicAddress != "::/48" {
		t.Errorf("got %+v, want UDP open, not translated, ::/48", data)
	}
}

func TestSchedule(t *testing.T) {
	ms := func(d ...int) (all []time.Duration) {
		for _, d := range d {
			all = append(all, time.Duration(d)*time.Millisecond)
		}
		return all
	}
	// RFC 8489 §6.2.1: sent at 0, 500, 1500, 3500, 7500, 15500, 31500 ms, failed at 39500 ms.
	for i, want := range ms(500, 1000, 2000, 4000, 8000, 16000, 8000) {
		if got := StandardTimers.waits()[i]; got != want {
			t.Errorf("wait %d is %s, want %s", i, got, want)
		}
	}
	if got := StandardTimers.Total(); got != 39500*time.Millisecond {
		t.Errorf("the schedule of RFC 8489 takes %s, want 39.5s", got)
	}
	if got := DefaultTimers.Total(); got > 3*time.Second || DefaultTimers.Rc < 3 {
		t.Errorf("a failure takes %s with %d copies, want at most 3s and at least 3", got, DefaultTimers.Rc)
	}
}

func TestProbeContract(t *testing.T) {
	var p probe.Probe = New(Config{})
	if p.Name() != report.ProbeNAT || p.Version() < 1 {
		t.Errorf("got name %s, version %d; want %s, at least 1", p.Name(), p.Version(), report.ProbeNAT)
	}
}

func TestParseURL(t *testing.T) {
	for in, want := range map[string]server{
		"stun:a.example":                  {"a.example", 3478, true, true, credentials{}},
		"stun:a.example:19302":            {"a.example", 19302, true, true, credentials{}},
		"stun:[2001:db8::1]:3478":         {"2001:db8::1", 3478, true, true, credentials{}},
		"stun:[2001:db8::1]":              {"2001:db8::1", 3478, true, true, credentials{}},
		"stun:192.0.2.1?transport=tcp":    {"192.0.2.1", 3478, false, true, credentials{}},
		"stun:192.0.2.1:80?transport=udp": {"192.0.2.1", 80, true, false, credentials{}},
	} {
		if got, ok := parseURL(in); !ok || got != want {
			t.Errorf("%s: got %+v, ok %t; want %+v", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "stun:", "stun::3478", "turn:a", "stuns:a", "stun:a:0", "stun:a:65536", "stun:a b", "stun://a"} {
		if got, ok := parseURL(in); ok {
			t.Errorf("%q: got %+v, want an error", in, got)
		}
	}
}

func FuzzParseBinding(f *testing.F) {
	id := transactionID{1, 2, 3}
	f.Add(success(id, netip.MustParseAddrPort("203.0.113.1:7")))
	f.Add(success(id, netip.MustParseAddrPort("[2001:db8::1]:7"), &stun.MappedAddress{IP: net.IP{1, 2, 3, 4}, Port: 7}))
	f.Add(stun.MustBuild(stun.NewTransactionIDSetter(id), stun.BindingError, stun.CodeBadRequest).Raw)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseBinding(b, id)
		if err == nil && r.mapped.IsValid() && !isPublicForm(r.mapped) {
			t.Errorf("%v is not an address", r.mapped)
		}
		if err == nil && len(b) >= stunHeaderBytes && transactionID(b[8:20]) != id {
			t.Errorf("%x was accepted as a response to our request", b)
		}
	})
}

func FuzzReadMessage(f *testing.F) {
	f.Add(string(success(transactionID{}, netip.MustParseAddrPort("203.0.113.1:7"))))
	f.Fuzz(func(t *testing.T, s string) {
		b, err := readMessage(strings.NewReader(s))
		if err == nil && (len(b) > maxPacket || len(b) < stunHeaderBytes || s[:len(b)] != string(b)) {
			t.Errorf("got %d bytes from %d, want the beginning, %d to %d bytes", len(b), len(s), stunHeaderBytes, maxPacket)
		}
	})
}
