package nat_test

import (
	"context"
	"crypto/x509"
	"errors"
	"maps"
	"net"
	stdreflect "reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pion/transport/v4"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/reflector"
)

// collector returns a reflector with TURN over TLS, and the roots that verify it.
func collector(t *testing.T, change ...func(*reflector.Config)) (*reflector.Reflector, *x509.CertPool) {
	t.Helper()
	secure, roots := probetest.Certificate(t)
	c := reflector.Config{STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0", TLSConfig: secure, TURNTLSListen: "127.0.0.1:0"}
	for _, f := range change {
		f(&c)
	}
	r, err := reflector.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, roots
}

func tryRelays(t *testing.T, c wire.ICEConfig, roots *x509.CertPool) (*report.NATTURN, probe.Result) {
	t.Helper()
	result, err := nat.NewTURN(nat.TURNConfig{
		ICE: func(context.Context) (wire.ICEConfig, error) { return c, nil }, RootCAs: roots,
		Timers: nat.Timers{RTO: 100 * time.Millisecond, Rc: 4, Rm: 4},
	}).Run(t.Context(), probetest.Env(t))
	if err != nil {
		t.Fatal(err)
	}
	return result.Data.(*report.NATTURN), result
}

func TestRelaysOfTheCollector(t *testing.T) {
	r, roots := collector(t)
	d, result := tryRelays(t, r.ICE("anna", "127.0.0.1"), roots)
	if result.Status != report.StatusOK {
		t.Fatalf("got %+v, %+v; want Status %v", result, d, report.StatusOK)
	}
	for name, w := range map[string]struct {
		allocated, relayed *bool
		rttMS              *float64
		fault              string
	}{
		"udp": {d.UDPAllocated, d.UDPRelayed, d.UDPRTTMS, d.UDPError},
		"tcp": {d.TCPAllocated, d.TCPRelayed, d.TCPRTTMS, d.TCPError},
		"tls": {d.TLSAllocated, d.TLSRelayed, d.TLSRTTMS, d.TLSError},
	} {
		if w.allocated == nil || !*w.allocated || w.relayed == nil || !*w.relayed || w.rttMS == nil || *w.rttMS <= 0 || w.fault != "" {
			t.Errorf("%s: got %+v, want it allocated and relayed", name, w)
		}
	}
	for end := time.Now().Add(5 * time.Second); r.Stats().RelaysOpen != 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d relays were not released", r.Stats().RelaysOpen)
		}
	}
}

func TestRefusedRelays(t *testing.T) {
	r, roots := collector(t)
	full, fullRoots := collector(t, func(c *reflector.Config) { c.Limits.RelaysPerOwner = -1 })
	wrong := r.ICE("anna", "127.0.0.1")
	wrong.ICEServers[1].Credential = "guess"
	expired := r.ICE("anna", "127.0.0.1")
	expired.ICEServers[1].Username = "1:anna"
	silent := silentServer(t)
	for name, c := range map[string]struct {
		config wire.ICEConfig
		roots  *x509.CertPool
		fault  string // over UDP and TCP
		tls    string
		status report.Status
	}{
		"wrong password":    {wrong, roots, "auth_failed", "auth_failed", report.StatusWarn},
		"expired":           {expired, roots, "auth_failed", "auth_failed", report.StatusWarn},
		"quota":             {full.ICE("anna", "127.0.0.1"), fullRoots, "quota", "quota", report.StatusWarn},
		"no relay":          {silent, roots, "unreachable", "unreachable", report.StatusUnknown},
		"unknown authority": {r.ICE("anna", "127.0.0.1"), x509.NewCertPool(), "", "tls", report.StatusOK},
		"no server":         {wire.ICEConfig{}, roots, "", "", report.StatusUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, result := tryRelays(t, c.config, c.roots)
			if d.UDPError != c.fault || d.TCPError != c.fault || d.TLSError != c.tls || result.Status != c.status {
				t.Errorf("got %+v, %+v; want Status %v, UDPError %v, TCPError %v, TLSError %v", result, d, c.status, c.fault, c.fault, c.tls)
			}
			if c.tls != "" && *d.TLSAllocated {
				t.Error("got an allocation over TLS, want none")
			}
		})
	}
}

// silentServer accepts everything and never responds.
func silentServer(t *testing.T) wire.ICEConfig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	at := l.Addr().String()
	c, err := net.ListenPacket("udp", at)
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return wire.ICEConfig{ICEServers: []wire.ICEServer{{
		URLs: []string{"turn:" + at, "turn:" + at + "?transport=tcp", "turns:" + at}, Username: "a", Credential: "b",
	}}}
}

// TestStoppedRelays checks that a cancelled check reports nothing. One that waited for the
// servers would report that they do not respond.
func TestStoppedRelays(t *testing.T) {
	t.Parallel()
	c := silentServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	result, err := nat.NewTURN(nat.TURNConfig{ICE: func(context.Context) (wire.ICEConfig, error) { return c, nil }}).Run(ctx, probetest.Env(t))
	if d := result.Data.(*report.NATTURN); err != nil || d.Transports == nil || !stdreflect.DeepEqual(*d, report.NATTURN{Transports: d.Transports}) || result.Status != report.StatusUnknown {
		t.Errorf("got %+v, %+v, error %v, want only Transports, unknown and no error", result, d, err)
	}
}

func TestRelayURLs(t *testing.T) {
	urls := []string{
		"turns:a.example?transport=udp", "turn:", "turn:a b", "stun:a.example", "turn:a.example?transport=sctp", // none of these
		"turn:a.example", "turn:b.example", "turns:[2001:db8::1]:443", "turn:a.example?transport=tcp",
	}
	got := nat.RelayAddresses(wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: urls, Username: "u", Credential: "c"}}})
	want := []string{"udp a.example:3478", "tls [2001:db8::1]:443", "tcp a.example:3478", "udp b.example:3478"}
	if !slices.Equal(got, want) {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), strings.Join(want, ", "))
	}
}

// noIPv4 is a network without a route over IPv4. It counts the sockets of each family.
type noIPv4 struct {
	transport.Net
	names  map[string]string // addresses of the relay by family
	mu     *sync.Mutex
	opened map[string]int
}

func (n noIPv4) ResolveUDPAddr(family, _ string) (*net.UDPAddr, error) {
	if n.names[family] == "" {
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	return net.ResolveUDPAddr(family, n.names[family])
}

func (n noIPv4) DialUDP(family string, local, remote *net.UDPAddr) (transport.UDPConn, error) {
	if family == "udp4" {
		return nil, &net.OpError{Op: "dial", Net: family, Err: syscall.ENETUNREACH}
	}
	return n.Net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
}

func (n noIPv4) ListenUDP(family string, _ *net.UDPAddr) (transport.UDPConn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opened[family]++
	return nil, errors.New("no sockets in this test")
}

// TestRelayWithoutIPv4: a relay is not unreachable if this computer has no route to its
// IPv4 address.
func TestRelayWithoutIPv4(t *testing.T) {
	const four, six = "198.51.100.7:3478", "[2001:db8:5::7]:3478"
	for name, c := range map[string]struct {
		names  map[string]string
		opened map[string]int
		tried  bool
	}{
		"both":      {map[string]string{"udp4": four, "udp6": six}, map[string]int{"udp6": 1}, true},
		"IPv4 only": {map[string]string{"udp4": four}, map[string]int{}, false},
	} {
		env := probetest.Env(t)
		n := noIPv4{env.Net, c.names, &sync.Mutex{}, map[string]int{}}
		env.Net = n
		result, err := nat.NewTURN(nat.TURNConfig{
			ICE: func(context.Context) (wire.ICEConfig, error) {
				return wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: []string{"turn:relay.example:3478?transport=udp"}, Username: "1:anna", Credential: "x"}}}, nil
			},
			Timers: nat.Timers{RTO: 100 * time.Millisecond, Rc: 4, Rm: 4},
		}).Run(t.Context(), env)
		if err != nil {
			t.Fatal(err)
		}
		d := result.Data.(*report.NATTURN)
		if !maps.Equal(n.opened, c.opened) || (d.UDPAllocated != nil) != c.tried {
			t.Errorf("%s: opened %v, want %v; got %+v, want it tried: %t", name, n.opened, c.opened, d, c.tried)
		}
	}
}
