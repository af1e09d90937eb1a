package nat

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"

	"github.com/pion/stun/v2"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/vnet"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// twoAddressServer implements RFC 5780 on two addresses with two ports each. spoil
// may modify each response.
type twoAddressServer struct {
	net   transport.Net
	ips   [2]string
	ports [2]int
	spoil func(a *action)
	conns [2][2]net.PacketConn
}

// action is a response before it is sent.
type action struct {
	n              int // number of the request, from 0
	copy           int // number of the copy of this request, from 0
	flags          byte
	ip, port       int // indexes of the socket that sends it
	other          netip.AddrPort
	mapped         netip.AddrPort
	drop, refuse   bool
	noResponsePort bool // do not send to RESPONSE-PORT
}

// start listens until the end of the test.
func (s *twoAddressServer) start(t *testing.T) {
	t.Helper()
	for i, ip := range s.ips {
		for j, port := range s.ports {
			c, err := s.net.ListenPacket("udp4", fmt.Sprintf("%s:%d", ip, port))
			fatal(t, err)
			t.Cleanup(func() { _ = c.Close() })
			s.conns[i][j] = c
		}
	}
	for i := range s.ips {
		for j := range s.ports {
			go s.serve(i, j)
		}
	}
}

func (s *twoAddressServer) serve(i, j int) {
	buf := make([]byte, maxPacket)
	copies := map[transactionID]int{}
	for n := 0; ; n++ {
		size, from, err := s.conns[i][j].ReadFrom(buf)
		if err != nil {
			return
		}
		request := stun.New()
		if _, err := request.Write(buf[:size]); err != nil {
			continue
		}
		a := action{n: n, copy: copies[request.TransactionID], ip: i, port: j, mapped: from.(*net.UDPAddr).AddrPort()}
		copies[request.TransactionID]++
		if change, err := request.Get(stun.AttrChangeRequest); err == nil && len(change) == 4 {
			a.flags = change[3]
			a.ip ^= int(a.flags>>2) & 1
			a.port ^= int(a.flags>>1) & 1
		}
		a.other = netip.AddrPortFrom(netip.MustParseAddr(s.ips[1-i]), uint16(s.ports[1-j]))
		if s.spoil != nil {
			s.spoil(&a)
		}
		if a.drop {
			continue
		}
		to := from.(*net.UDPAddr).AddrPort()
		if port, err := request.Get(stun.AttrResponsePort); err == nil && len(port) == 4 && !a.noResponsePort {
			to = netip.AddrPortFrom(to.Addr(), binary.BigEndian.Uint16(port))
		}
		answer := success(request.TransactionID, a.mapped, &stun.OtherAddress{IP: a.other.Addr().AsSlice(), Port: int(a.other.Port())})
		if a.refuse {
			answer = stun.MustBuild(stun.NewTransactionIDSetter(request.TransactionID), stun.BindingError, stun.CodeUnknownAttribute, stun.Fingerprint).Raw
		}
		_, _ = s.conns[a.ip][a.port].WriteTo(answer, net.UDPAddrFromAddrPort(to))
	}
}

// behind returns the environment of a home network with this NAT, or without one, and the
// server's address.
func behind(t *testing.T, nat *vnet.NATType, spoil func(*action)) (probe.Env, string) {
	t.Helper()
	return behindFiltered(t, nat, spoil, func(vnet.Chunk) bool { return true })
}

// behindFiltered also drops the packets for which filter returns false.
func behindFiltered(t *testing.T, nat *vnet.NATType, spoil func(*action), filter func(vnet.Chunk) bool) (probe.Env, string) {
	t.Helper()
	s := &twoAddressServer{ips: [2]string{wanServer, "198.51.100.8"}, ports: [2]int{3478, 3479}, spoil: spoil}
	client, server := virtual(t, nat, filter, s.ips[:]...)
	s.net = server
	s.start(t)
	env := probetest.Env(t)
	env.Net = client
	return env, "stun:" + s.ips[0]
}

func describe(t *testing.T, timers Timers, env probe.Env, url string) (*report.NATBehavior, probe.Result) {
	t.Helper()
	r, err := NewBehavior(Config{ICE: servers(url), Timers: timers}).Run(t.Context(), env)
	fatal(t, err)
	return r.Data.(*report.NATBehavior), r
}

var (
	mappings   = map[vnet.EndpointDependencyType]string{vnet.EndpointIndependent: "EIM", vnet.EndpointAddrDependent: "ADM", vnet.EndpointAddrPortDependent: "APDM"}
	filterings = map[vnet.EndpointDependencyType]string{vnet.EndpointIndependent: "EIF", vnet.EndpointAddrDependent: "ADF", vnet.EndpointAddrPortDependent: "APDF"}
)

func TestNineBehaviours(t *testing.T) {
	names := map[string]string{"EIM EIF": "full cone", "EIM ADF": "restricted cone", "EIM APDF": "port restricted cone"}
	for m, mapping := range mappings {
		for f, filtering := range filterings {
			t.Run(mapping+" "+filtering, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					env, url := behind(t, &vnet.NATType{MappingBehavior: m, FilteringBehavior: f}, nil)
					d, r := describe(t, DefaultTimers, env, url)
					legacy := "symmetric"
					if n := names[mapping+" "+filtering]; n != "" {
						legacy = n
					}
					if r.Status != report.StatusOK || d.Mapping != mapping || d.Filtering != filtering || d.LegacyName != legacy {
						t.Errorf("got %s, %s, %q; %+v; want %s, %s, %q, Status %v", d.Mapping, d.Filtering, d.LegacyName, r, mapping, filtering, legacy, report.StatusOK)
					}
					if d.UDP == nil || !*d.UDP || d.PublicAddress != "203.0.113.0/24" || d.PortPreserved == nil || d.CGNAT != nil {
						t.Errorf("got %+v; want UDP true, PublicAddress %q, PortPreserved set, no CGNAT", d, "203.0.113.0/24")
					}
				})
			})
		}
	}
}

func TestNoNAT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env, url := behind(t, nil, nil)
		if d, _ := describe(t, DefaultTimers, env, url); d.Mapping != "none" || d.Filtering != "EIF" || d.LegacyName != "open internet" || d.Hairpin != nil || d.PortPreserved != nil {
			t.Errorf("got %+v, want no NAT", d)
		}
	})
}

// TestOnLoopback uses real sockets and no NAT.
func TestOnLoopback(t *testing.T) {
	env := probetest.Env(t)
	port := freePorts(t, "127.0.0.1", "127.0.0.2")
	(&twoAddressServer{net: env.Net, ips: [2]string{"127.0.0.1", "127.0.0.2"}, ports: [2]int{port, port + 1}}).start(t)
	if d, _ := describe(t, StandardTimers, env, fmt.Sprintf("stun:127.0.0.1:%d", port)); d.Mapping != "none" || d.Filtering != "EIF" {
		t.Errorf("got %+v, want no NAT", d)
	}
}

func TestBehaviourOfCoturn(t *testing.T) {
	port := coturn(t, "127.0.0.1", "127.0.0.2")
	d, r := describe(t, StandardTimers, probetest.Env(t), fmt.Sprintf("stun:127.0.0.1:%d", port))
	if r.Status != report.StatusOK || d.Mapping != "none" || d.Filtering != "EIF" || d.LegacyName != "open internet" {
		t.Errorf("got %+v, %+v; want no NAT", r, d)
	}
}

func TestLostPacketsDoNotFilter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env, url := behind(t, &vnet.NATType{MappingBehavior: vnet.EndpointIndependent, FilteringBehavior: vnet.EndpointIndependent},
			func(a *action) { a.drop = a.copy < 2 })
		if d, _ := describe(t, DefaultTimers, env, url); d.Mapping != "EIM" || d.Filtering != "EIF" {
			t.Errorf("two of three packets lost: got %s, %s; want %s, %s", d.Mapping, d.Filtering, "EIM", "EIF")
		}
	})
}

// TestIncompleteServers checks that a server with a missing or faulty feature does
// not make a NAT look stricter or more permissive.
func TestIncompleteServers(t *testing.T) {
	strict := &vnet.NATType{MappingBehavior: vnet.EndpointAddrPortDependent, FilteringBehavior: vnet.EndpointAddrPortDependent}
	open := &vnet.NATType{MappingBehavior: vnet.EndpointIndependent, FilteringBehavior: vnet.EndpointIndependent}
	primary := netip.MustParseAddrPort("198.51.100.7:3479")
	for name, c := range map[string]struct {
		nat                *vnet.NATType
		spoil              func(*action)
		mapping, filtering string
	}{
		"one address":       {strict, func(a *action) { a.other = primary }, "", ""},
		"same port":         {strict, func(a *action) { a.other = netip.MustParseAddrPort("198.51.100.8:3478") }, "", ""},
		"no second address": {strict, func(a *action) { a.other = netip.MustParseAddrPort("0.0.0.0:0") }, "", ""},
		"refuses to change": {open, func(a *action) { a.refuse = a.flags != 0; a.ip, a.port = 0, 0 }, "", ""},
		"ignores the change": {open, func(a *action) {
			a.ip, a.port = map[bool]int{true: 0, false: a.ip}[a.flags != 0], map[bool]int{true: 0, false: a.port}[a.flags != 0]
		}, "EIM", ""},
		"second address is silent": {open, func(a *action) { a.drop = a.ip == 1 }, "", ""},
		"impossible mapping":       {strict, func(a *action) { a.mapped = netip.MustParseAddrPort("0.0.0.0:7") }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				env, url := behind(t, c.nat, c.spoil)
				d, r := describe(t, DefaultTimers, env, url)
				if d.Mapping != c.mapping || d.Filtering != c.filtering || c.mapping == "" && (r.Status != report.StatusUnknown || r.Note == "") {
					t.Errorf("got %q, %q; %+v; want %q, %q", d.Mapping, d.Filtering, r, c.mapping, c.filtering)
				}
			})
		})
	}
}

func TestBehaviourWithoutAServer(t *testing.T) {
	silent := udpServer(t, "127.0.0.1:0", silentTCP)
	for name, c := range map[string]Config{
		"none": {}, "empty": {ICE: servers()}, "silent": {ICE: servers("stun:" + silent.String()), Timers: quick},
	} {
		r, err := NewBehavior(c).Run(t.Context(), probetest.Env(t))
		if d := r.Data.(*report.NATBehavior); err != nil || r.Status != report.StatusUnknown || r.Note == "" || *d != (report.NATBehavior{}) {
			t.Errorf("%s: got %+v, %+v, error %v; want Status %v, Note set, %+v", name, r, d, err, report.StatusUnknown, (report.NATBehavior{}))
		}
	}
}

// TestHairpin: the virtual network always supports hairpinning; the filter
// simulates a router that does not.
func TestHairpin(t *testing.T) {
	for _, want := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			env, url := behindFiltered(t, &vnet.NATType{MappingBehavior: vnet.EndpointIndependent}, nil, func(c vnet.Chunk) bool {
				to, ok := c.DestinationAddr().(*net.UDPAddr)
				return want || !ok || to.IP.String() != wanRouter || c.SourceAddr().(*net.UDPAddr).IP.String() != wanRouter
			})
			if d, _ := describe(t, DefaultTimers, env, url); d.Hairpin == nil || *d.Hairpin != want {
				t.Errorf("got hairpin %v, want %t", probetest.Value(d.Hairpin), want)
			}
		})
	}
}

// TestHairpinOnLoopback runs the test on loopback, where the mapped address is our
// own and each packet arrives.
func TestHairpinOnLoopback(t *testing.T) {
	env := probetest.Env(t)
	l := lab{env: env, timers: StandardTimers, primary: udpServer(t, "127.0.0.1:0", honest)}
	if got := l.hairpin(t.Context()); got == nil || !*got {
		t.Errorf("got %v, want true", probetest.Value(got))
	}
	dead := lab{env: env, timers: quick, primary: udpServer(t, "127.0.0.1:0", silentTCP)}
	if got := dead.hairpin(t.Context()); got != nil {
		t.Errorf("a silent server: got %v, want nil", *got)
	}
}

func TestSharedByProvider(t *testing.T) {
	for addr, want := range map[string]bool{"100.64.0.1": true, "100.127.255.254": true, "100.128.0.1": false, "192.168.1.2": false, "10.0.0.1": false} {
		got := sharedByProvider([]netip.Addr{netip.MustParseAddr(addr)})
		if (got != nil) != want || got != nil && !*got {
			t.Errorf("%s: got %v, want true: %t", addr, probetest.Value(got), want)
		}
	}
}
