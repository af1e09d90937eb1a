package nat_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/pion/stun/v4"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// redirector redirects every request over UDP, TCP and, with a configuration, TLS
// to the server to. It uses the same port number for UDP and TCP.
type redirector struct {
	at string
	mu sync.Mutex
	to []stun.Setter
	n  int // number of requests so far
}

func (r *redirector) name(to ...stun.Setter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
}

func (r *redirector) asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

func (r *redirector) answer(b []byte) []byte {
	m := stun.New()
	if _, err := m.Write(b); err != nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	setters := []stun.Setter{m, stun.NewType(m.Type.Method, stun.ClassErrorResponse), stun.CodeTryAlternate}
	return stun.MustBuild(append(setters, r.to...)...).Raw
}

func redirecting(t *testing.T, secure *tls.Config) *redirector {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &redirector{at: l.Addr().String()}
	u, err := net.ListenPacket("udp", r.at)
	if err != nil {
		t.Fatal(err)
	}
	if secure != nil {
		l = tls.NewListener(l, secure)
	}
	t.Cleanup(func() { _, _ = l.Close(), u.Close() })
	go func() {
		b := make([]byte, 2048)
		for {
			n, from, err := u.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = u.WriteTo(r.answer(b[:n]), from)
		}
	}()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(c)
		}
	}()
	return r
}

func (r *redirector) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	header := make([]byte, stunHeader)
	for {
		if _, err := io.ReadFull(c, header); err != nil {
			return
		}
		body := make([]byte, int(header[2])<<8|int(header[3]))
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		if _, err := c.Write(r.answer(slices.Concat(header, body))); err != nil {
			return
		}
	}
}

func alternateServer(at string) stun.Setter {
	a := netip.MustParseAddrPort(at)
	return &stun.AlternateServer{IP: a.Addr().AsSlice(), Port: int(a.Port())}
}

func alternateDomain(name string) stun.Setter {
	return stun.RawAttribute{Type: stun.AttrAlternateDomain, Value: []byte(name)}
}

// relayURLs returns the URLs of a reflector's relays by transport.
func relayURLs(c wire.ICEConfig) map[string]string {
	urls := c.ICEServers[1].URLs
	return map[string]string{"udp": urls[0], "tcp": urls[1], "tls": urls[2]}
}

func TestTryAlternateIsFollowed(t *testing.T) {
	secure, roots := probetest.Certificate(t)
	real, _ := collector(t)
	list := real.ICE("anna", "127.0.0.1")
	host := func(url string) string { return nat.RelayAddresses(one(url))[0][len("udp "):] }
	for name, c := range map[string]struct {
		prefix, query, transport string
		secure                   *tls.Config
		names                    []stun.Setter
		works                    bool
		fault                    string
	}{
		"UDP":                {prefix: "turn:", transport: "udp", works: true},
		"TCP":                {prefix: "turn:", query: "?transport=tcp", transport: "tcp", works: true},
		"TLS, the same name": {prefix: "turns:", transport: "tls", secure: secure, works: true},
		"TLS, another name that the certificate has": {
			prefix: "turns:", transport: "tls", secure: secure, names: []stun.Setter{alternateDomain("example.com")}, works: true,
		},
		"TLS, another name that the certificate lacks": {
			prefix: "turns:", transport: "tls", secure: secure, names: []stun.Setter{alternateDomain("elsewhere.test")}, fault: "tls",
		},
		"an address of the other family first": {
			prefix: "turn:", transport: "udp", names: []stun.Setter{alternateServer("[2001:db8::1]:3478")}, works: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			front := redirecting(t, c.secure)
			front.name(append(c.names, alternateServer(host(relayURLs(list)[c.transport])))...)
			d, result := tryRelays(t, wire.ICEConfig{ICEServers: []wire.ICEServer{
				list.ICEServers[0],
				{URLs: []string{c.prefix + front.at + c.query}, Username: list.ICEServers[1].Username, Credential: list.ICEServers[1].Credential},
			}}, roots)
			if len(d.Relays) != 1 || front.asked() == 0 {
				t.Fatalf("got %+v, %+v, want one relay and a request to the redirecting server", result, d)
			}
			got := d.Relays[0]
			if *got.Allocated != c.works || got.Error != c.fault || got.Redirected == nil && c.works || got.Transport != c.transport {
				t.Errorf("got %+v, want allocated %t over %s, error %q", got, c.works, c.transport, c.fault)
			}
			if c.works && (got.Relayed == nil || !*got.Relayed) {
				t.Errorf("nothing was relayed: %+v", got)
			}
		})
	}
}

func one(url string) wire.ICEConfig {
	return wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: []string{url}, Username: "u", Credential: "c"}}}
}

// TestRedirectionsEnd tests a server that redirects to itself, two that redirect to each
// other, one without an alternate server, and an endless chain: each gets a limited
// number of requests and does not count as silent.
func TestRedirectionsEnd(t *testing.T) {
	self := redirecting(t, nil)
	self.name(alternateServer(self.at))
	a, b := redirecting(t, nil), redirecting(t, nil)
	a.name(alternateServer(b.at))
	b.name(alternateServer(a.at))
	nobody := redirecting(t, nil)
	chain := []*redirector{redirecting(t, nil)}
	for range 8 {
		next := redirecting(t, nil)
		chain[len(chain)-1].name(alternateServer(next.at))
		chain = append(chain, next)
	}
	for name, at := range map[string]*redirector{"itself": self, "each other": a, "nobody": nobody, "a chain": chain[0]} {
		t.Run(name, func(t *testing.T) {
			d, result := tryRelays(t, one("turn:"+at.at), nil)
			if d.UDPError != "other" || d.UDPAllocated == nil || *d.UDPAllocated || result.Status != report.StatusUnknown {
				t.Errorf("got %+v, %+v; want Status %v, UDPError %q, UDPAllocated false", result, d, report.StatusUnknown, "other")
			}
		})
	}
	if n := chain[len(chain)-1].asked(); n != 0 {
		t.Errorf("the last server of a chain of nine got %d requests, want 0", n)
	}
	if n := a.asked() + b.asked(); n > 4 {
		t.Errorf("two servers that redirect to each other got %d requests, want at most 4", n)
	}
}

// staleNonceProxy runs in front of a TURN server over UDP and rejects the first
// nonces of a method as stale (RFC 8489 §9.2.4).
func staleNonceProxy(t *testing.T, server string, method stun.Method, times int) (at string) {
	t.Helper()
	return refusingProxy(t, server, method, times, stun.CodeStaleNonce)
}

// refusingProxy runs in front of a TURN server over UDP and responds to the first
// requests of a method with an error that contains refusal; nil drops them.
func refusingProxy(t *testing.T, server string, method stun.Method, times int, refusal stun.Setter) (at string) {
	t.Helper()
	in, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out, err := net.Dial("udp", server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = in.Close(), out.Close() })
	var mu sync.Mutex
	var client net.Addr
	var realm stun.Realm
	var nonce stun.Nonce
	go func() {
		b := make([]byte, 2048)
		for {
			n, err := out.Read(b)
			if err != nil {
				return
			}
			m := stun.New()
			mu.Lock()
			if _, err := m.Write(b[:n]); err == nil && m.Contains(stun.AttrNonce) {
				_, _ = realm.GetFrom(m), nonce.GetFrom(m)
			}
			to := client
			mu.Unlock()
			_, _ = in.WriteTo(b[:n], to)
		}
	}()
	go func() {
		b := make([]byte, 2048)
		for {
			n, from, err := in.ReadFrom(b)
			if err != nil {
				return
			}
			m := stun.New()
			mu.Lock()
			client = from
			_, err = m.Write(b[:n])
			refused := err == nil && m.Type.Method == method && m.Contains(stun.AttrMessageIntegrity) && times > 0
			if refused {
				times--
			}
			if refused && refusal != nil {
				answer := stun.MustBuild(m, stun.NewType(method, stun.ClassErrorResponse), refusal, realm, nonce)
				_, _ = in.WriteTo(answer.Raw, from)
			}
			mu.Unlock()
			if !refused {
				_, _ = out.Write(b[:n])
			}
		}
	}()
	return in.LocalAddr().String()
}

func TestStaleNonceIsRenewed(t *testing.T) {
	r, roots := collector(t)
	list := r.ICE("anna", "127.0.0.1")
	server := nat.RelayAddresses(one(relayURLs(list)["udp"]))[0][len("udp "):]
	for name, c := range map[string]struct {
		method stun.Method
		times  int
		fault  string
	}{
		"once":                  {stun.MethodAllocate, 1, ""},
		"twice":                 {stun.MethodAllocate, 2, ""},
		"always":                {stun.MethodAllocate, 1000, "auth_failed"},
		"with the permission":   {stun.MethodCreatePermission, 1, ""},
		"with the channel bind": {stun.MethodChannelBind, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, result := tryRelays(t, wire.ICEConfig{ICEServers: []wire.ICEServer{
				list.ICEServers[0],
				{URLs: []string{"turn:" + staleNonceProxy(t, server, c.method, c.times)}, Username: list.ICEServers[1].Username, Credential: list.ICEServers[1].Credential},
			}}, roots)
			if d.UDPError != c.fault || d.UDPAllocated == nil || *d.UDPAllocated != (c.fault == "") {
				t.Fatalf("got %+v, %+v, want error %q", result, d, c.fault)
			}
			if c.fault == "" && (d.UDPRelayed == nil || !*d.UDPRelayed) {
				t.Errorf("nothing was relayed: %+v", d)
			}
		})
	}
}

// TestEveryServerIsTried: the list contains the collector's relays and others. A
// transport works if one of its relays does, and each relay has its own result.
func TestEveryServerIsTried(t *testing.T) {
	r, roots := collector(t)
	list := r.ICE("anna", "127.0.0.1")
	dead := silentServer(t)
	for name, servers := range map[string][]wire.ICEServer{
		"its own first":     {list.ICEServers[0], list.ICEServers[1], dead.ICEServers[0]},
		"a dead one first":  {list.ICEServers[0], dead.ICEServers[0], list.ICEServers[1]},
		"a wrong one first": {list.ICEServers[0], {URLs: []string{"turn:127.0.0.1:9"}, Username: "a", Credential: "b"}, list.ICEServers[1]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, result := tryRelays(t, wire.ICEConfig{ICEServers: servers}, roots)
			if result.Status != report.StatusOK || *d.Transports != 3 || len(d.Relays) != len(nat.RelayAddresses(wire.ICEConfig{ICEServers: servers})) {
				t.Fatalf("got %+v, %+v, want ok, three transports and every relay", result, d)
			}
			for transport, relayed := range map[string]*bool{"udp": d.UDPRelayed, "tcp": d.TCPRelayed, "tls": d.TLSRelayed} {
				if relayed == nil || !*relayed {
					t.Errorf("%s: got %+v, want it relayed", transport, d)
				}
			}
		})
	}
}

// FuzzRedirection checks that no response leads to an invalid address or to one of
// the wrong family.
func FuzzRedirection(f *testing.F) {
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassErrorResponse), stun.CodeTryAlternate,
		alternateServer("192.0.2.1:3478"), alternateDomain("a.example")).Raw)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		at, domain := nat.AlternateOf(b, true)
		if at.IsValid() && (!at.Addr().Is4() || at.Port() == 0 || at.Addr().IsUnspecified()) {
			t.Errorf("got a redirect to %v, want a valid IPv4 address and port", at)
		}
		if len(domain) > 253 {
			t.Errorf("got a name of %d bytes, want at most 253", len(domain))
		}
	})
}
