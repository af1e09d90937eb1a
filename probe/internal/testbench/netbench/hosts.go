package netbench

import "net/netip"

// The hosts of a world, from the home to the server.
const (
	atHome = iota
	atGateway
	atISP
	atServer
	hosts
)

var hostNames = [hosts]string{"home", "gateway", "isp", "server"}

// segmentNames contains the name of segment i, which is between host i and host i+1.
var segmentNames = [hosts - 1]string{"lan", "access", "server"}

// Addresses of a world. The public ones are those of RFC 5737, which no real line
// uses.
var (
	serverAddr  = netip.MustParseAddr("198.51.100.10")
	serverOther = netip.MustParseAddr("198.51.100.11") // second address, required by RFC 5780
	unusedAddr  = netip.MustParseAddr("198.51.100.99") // unused address in the server's network
	ispAddr     = netip.MustParseAddr("203.0.113.1")
	publicAddr  = netip.MustParseAddr("203.0.113.20")
	sharedAddr  = netip.MustParseAddr("100.64.0.20") // RFC 6598

	privateHome    = netip.MustParseAddr("192.168.178.20")
	privateGateway = netip.MustParseAddr("192.168.178.1")
	publicGateway  = netip.MustParseAddr("203.0.113.17") // of a home without NAT, whose own address is publicAddr

	// IPv6 addresses (RFC 3849), which are not translated.
	home6Addr    = netip.MustParseAddr("2001:db8:20::20")
	gateway6Addr = netip.MustParseAddr("2001:db8:20::1")
	isp6Addr     = netip.MustParseAddr("2001:db8:1::1")
	server6Addr  = netip.MustParseAddr("2001:db8:100::10")
)

// ServerName is the collector's name in every world.
const ServerName = "ton.example.org"

// ConferenceNames returns the names of the server for conference systems next to the
// collector.
func ConferenceNames() []string {
	return []string{"bbb.example.org", "livekit.example.org", "janus.example.org", "media.example.org", "stream.example.org", "us02web.zoom.us"}
}

// ServerAddress returns the server's address.
func ServerAddress() netip.Addr { return serverAddr }

// addressPlan contains the addresses of a scenario.
type addressPlan struct {
	home, gateway netip.Addr
	wan           netip.Addr   // external address of the gateway
	all           []netip.Addr // all addresses of the home
}

func planOf(s Scenario) addressPlan {
	p := addressPlan{home: privateHome, gateway: privateGateway, wan: publicAddr}
	if s.CGNAT != nil {
		p.wan = sharedAddr
	}
	if s.NAT.Mapping == "none" {
		p.home, p.gateway = publicAddr, publicGateway
		if s.CGNAT != nil {
			p.home = sharedAddr
		}
	}
	p.all = []netip.Addr{p.home}
	if s.IPv6 {
		p.all = append(p.all, home6Addr)
	}
	return p
}
