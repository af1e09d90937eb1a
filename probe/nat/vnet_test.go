package nat

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/pion/logging"
	"github.com/pion/stun/v2"
	"github.com/pion/transport/v4/vnet"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	lanClient = "192.168.178.20"
	wanRouter = "203.0.113.77"
	wanServer = "198.51.100.7"
)

// building serialises the construction of virtual networks: pion's vnet counts MAC
// addresses in an unguarded variable.
var building sync.Mutex

// virtual starts an internet with a server at the addresses, and returns the server's
// network and that of a client. The client is at lanClient behind a router with this
// NAT, or at wanRouter if nat is nil. Packets for which filter returns false are lost.
func virtual(t *testing.T, nat *vnet.NATType, filter func(vnet.Chunk) bool, addresses ...string) (client, server *vnet.Net) {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	factory := logging.NewDefaultLoggerFactory()
	wan, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "0.0.0.0/0", LoggerFactory: factory})
	fatal(t, err)
	server, err = vnet.NewNet(&vnet.NetConfig{StaticIPs: addresses})
	fatal(t, err)
	fatal(t, wan.AddNet(server))
	if nat == nil {
		client, err = vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{wanRouter}})
		fatal(t, err)
		fatal(t, wan.AddNet(client))
	} else {
		own := *nat // the router modifies it
		lan, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "192.168.178.0/24", StaticIPs: []string{wanRouter}, NATType: &own, LoggerFactory: factory})
		fatal(t, err)
		client, err = vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{lanClient}})
		fatal(t, err)
		fatal(t, lan.AddNet(client))
		fatal(t, wan.AddRouter(lan))
	}
	wan.AddChunkFilter(filter)
	fatal(t, wan.Start())
	t.Cleanup(func() { _ = wan.Stop() })
	return client, server
}

// home returns the environment of a home network behind a NAT, with a STUN server
// outside. Packets for which filter returns false are lost.
func home(t *testing.T, filter func(vnet.Chunk) bool) (probe.Env, string) {
	t.Helper()
	client, server := virtual(t, &vnet.NATType{
		MappingBehavior: vnet.EndpointIndependent, FilteringBehavior: vnet.EndpointAddrPortDependent,
	}, filter, wanServer)
	conn, err := server.ListenPacket("udp4", wanServer+":3478")
	fatal(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, maxPacket)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			request := stun.New()
			if _, err := request.Write(buf[:n]); err == nil {
				_, _ = conn.WriteTo(success(request.TransactionID, from.(*net.UDPAddr).AddrPort()), from)
			}
		}
	}()
	env := probetest.Env(t)
	env.Net = client
	return env, "stun:" + wanServer
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestBehindAVirtualNAT(t *testing.T) {
	var packets atomic.Int32
	for name, c := range map[string]struct {
		filter func(vnet.Chunk) bool
		want   report.Reach
		copies int
	}{
		"clean":    {func(vnet.Chunk) bool { return true }, report.ReachOpen, 1},
		"two lost": {func(vnet.Chunk) bool { return packets.Add(1) > 2 }, report.ReachOpen, 3},
		// The virtual network has no TCP, so the reason for the silence is
		// unknown.
		"all lost": {func(vnet.Chunk) bool { return false }, report.ReachServerSilent, DefaultTimers.Rc},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				env, url := home(t, c.filter)
				r, err := New(Config{ICE: servers(url)}).Run(t.Context(), env)
				fatal(t, err)
				data := r.Data.(*report.NAT)
				if data.UDP != c.want || data.TCP != report.ReachNotTested || *data.Transmissions != c.copies {
					t.Fatalf("got UDP %s, TCP %s, %d copies; want %s, %s, %d", data.UDP, data.TCP, *data.Transmissions, c.want, report.ReachNotTested, c.copies)
				}
				if c.want != report.ReachOpen {
					return
				}
				if data.Translated == nil || !*data.Translated || data.PublicAddress != "203.0.113.0/24" {
					t.Errorf("got %+v, want translated, 203.0.113.0/24", data)
				}
			})
		})
	}
}

func TestKeepPublicAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env, url := home(t, func(vnet.Chunk) bool { return true })
		r, err := New(Config{ICE: servers(url), KeepPublicAddress: true}).Run(t.Context(), env)
		fatal(t, err)
		if got := r.Data.(*report.NAT).PublicAddress; netip.MustParseAddr(got).String() != wanRouter {
			t.Errorf("got public address %q, want %s", got, wanRouter)
		}
	})
}
