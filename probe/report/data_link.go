package report

// NetworkLink is the interface that carries the route to the server, and how
// the next router does. It holds no name and no address of either.
type NetworkLink struct {
	// Kind is wifi, ethernet, cellular or vpn; "" where the system does not tell.
	Kind string `json:"kind,omitempty" oneof:"wifi ethernet cellular vpn" show:"details dashboard"`
	// SignalDBM is the strength of the Wi-Fi signal in dBm, about -30 (near) to -90 (hardly there).
	SignalDBM *float64 `json:"signal_dbm,omitempty" show:"details dashboard"`
	// RateMbps is the link's own rate in Mbit/s as the system states it, of sending on Wi-Fi.
	RateMbps *float64 `json:"rate_mbps,omitempty" show:"dashboard"`
	// Uplink says what this computer lacks where no way leads out of it: no_link (no
	// interface is connected), no_address, self_assigned (only addresses of
	// 169.254.0.0/16, RFC 3927) or no_route; "" where there is a way, or that is not
	// known.
	Uplink string `json:"uplink,omitempty" oneof:"no_link no_address self_assigned no_route" show:"never"`
	// GatewayState is answered, silent, unreachable (it does not even answer to its
	// address on the own network), none (no router on the way to the server),
	// not_permitted (the system does not let this program ask) or failed.
	GatewayState string `json:"gateway_state,omitempty" oneof:"answered silent unreachable none not_permitted failed" show:"never"`
	// GatewayRTTMS is the median round trip to the next router in ms.
	GatewayRTTMS *float64 `json:"gateway_rtt_ms,omitempty" show:"details dashboard"`
	// GatewayRTTP95MS is the round trip to the next router that 95 of 100 requests kept, in ms.
	GatewayRTTP95MS *float64 `json:"gateway_rtt_p95_ms,omitempty" show:"never"`
	// GatewayRTTMaxMS is the longest round trip to the next router in ms.
	GatewayRTTMaxMS *float64 `json:"gateway_rtt_max_ms,omitempty" show:"never"`
	// GatewaySent is the number of requests sent to the next router.
	GatewaySent *int `json:"gateway_sent,omitempty" show:"never"`
	// GatewayLossPct is the share of them that stayed unanswered in percent; a
	// router that answers none is silent and has no loss.
	GatewayLossPct *float64 `json:"gateway_loss_pct,omitempty" show:"details dashboard"`
	// GatewayLossRunPackets is the mean number of them lost in a row; nil where none was.
	GatewayLossRunPackets *float64 `json:"gateway_loss_run_packets,omitempty" range:"0..1e6" show:"never"`
	// VPN is true when the way to the server leads through a tunnel of this computer.
	VPN *bool `json:"vpn,omitempty" show:"details dashboard"`
	// IPv4 is true when this computer has an address and a route of IPv4.
	IPv4 *bool `json:"ipv4,omitempty" show:"never"`
	// IPv6 is true when this computer has a global address and a route of IPv6.
	IPv6 *bool `json:"ipv6,omitempty" show:"never"`
	// IPv6Reached is whether the server's IPv6 address could be connected to,
	// measured only where the server has one and this computer a route, and
	// false only where IPv4 to the same server did better and the attempt over IPv6
	// hung: one that fails at once costs nobody time.
	IPv6Reached *bool `json:"ipv6_reached,omitempty" show:"never"`
	// MTU is the largest packet the interface takes, in bytes.
	MTU *int `json:"mtu,omitempty" show:"never"`
}

// NetworkPath is what streams of small packets met that ran at the same time to
// points ever farther away, and the segment where they began to get lost.
type NetworkPath struct {
	// Segments has one entry for each point that was asked, nearest first.
	Segments []PathSegment `json:"segments,omitempty" max:"8" show:"never"`
	// Line is reached where a machine behind the own router answered (a router
	// of the provider or a server), silent where the own router answers and
	// nobody behind it does, router_silent where neither the own router nor
	// anybody behind it answers, cut where this computer's own interface went away
	// meanwhile and stayed away, and "" where the figures do not tell.
	Line string `json:"line,omitempty" oneof:"reached silent router_silent cut" show:"details dashboard"`
	// FaultSegment is lan, access, transit or server; none where all is well,
	// "" where the figures do not tell. It is lan, too, where the own interface
	// was away for a while, so that nothing could be sent.
	FaultSegment string `json:"fault_segment,omitempty" oneof:"lan access transit server none" show:"details dashboard"`
	// LossRunPackets is how many packets of all streams together were lost at a
	// time on average, where a packet to the far end was among them: bursts take
	// several streams at once. nil where nothing was lost on the way there.
	LossRunPackets *float64 `json:"loss_run_packets,omitempty" range:"0..1e6" show:"never"`
	// LANSpreadMS is how much the round trip to the next router varies: what 95 of
	// 100 packets kept, less the shortest, in ms.
	LANSpreadMS *float64 `json:"lan_spread_ms,omitempty" show:"never"`
	// AccessSpreadMS is the same for the first router of the provider, in ms.
	AccessSpreadMS *float64 `json:"access_spread_ms,omitempty" show:"never"`
	// UDPCut is true where the server's answers over UDP ended in the middle for
	// good while the same machine went on answering an echo or TCP; false where
	// they were back soon after; nil where they did not end, or nobody answered.
	UDPCut *bool `json:"udp_cut,omitempty" show:"never"`
	// CGNAT is true where the way leads through a router that has an address for
	// providers' own NATs (100.64.0.0/10, RFC 6598); nil where none showed itself.
	CGNAT *bool `json:"cgnat,omitempty" show:"never"`
	// MTUBlackhole is true where small packets to a server were answered and none
	// of those as large as the interface takes, without a word from a router; false
	// where a large one was answered or a router named a smaller size (RFC 8899 §1).
	MTUBlackhole *bool `json:"mtu_blackhole,omitempty" show:"dashboard"`
	// MTUBy is how that was asked: udp (a padded STUN request) or icmp (an echo,
	// which some firewalls drop only because it is large).
	MTUBy string `json:"mtu_by,omitempty" oneof:"udp icmp" show:"never"`
	// MTUWorksBytes is the largest IP packet that was answered, in bytes.
	MTUWorksBytes *int `json:"mtu_works_bytes,omitempty" show:"never"`
	// Ports has one entry for each port that was tried because one that is needed
	// kept silent.
	Ports []PathPort `json:"ports,omitempty" max:"8" show:"never"`
	// RejectedBy is house or provider where that machine rejects every port of a
	// server that was tried, in the server's place; see PathPort.RejectedBy.
	RejectedBy string `json:"rejected_by,omitempty" oneof:"house provider" show:"never"`
}

// PathPort is what became of packets to one port of a server.
type PathPort struct {
	// Name is that of the segment whose end was asked: transit (the collector) or
	// server (the conference server).
	Name string `json:"name" oneof:"transit server" empty:"no" show:"never"`
	// Protocol is tcp or udp.
	Protocol string `json:"protocol" oneof:"tcp udp" empty:"no" show:"never"`
	// Port is the number of the port.
	Port *int `json:"port,omitempty" range:"1..65535" show:"never"`
	// Needed is true for the port that is in use, false for one that was tried
	// for comparison.
	Needed *bool `json:"needed,omitempty" show:"never"`
	// Answer is open, refused (by the server), rejected (by a machine before it)
	// or silent.
	Answer string `json:"answer" oneof:"open refused rejected silent" empty:"no" show:"never"`
	// Left is true where a public router behind the own one complained of such a
	// packet whose time to live ran out there, so that it had left this network;
	// false where that router complained of others, before and after, and of none
	// of these, or where the own network rejected it; nil where nothing tells.
	Left *bool `json:"left,omitempty" show:"never"`
	// RejectedBy says, by the source of an ICMP error, which machine rejected the
	// port in the server's place: house (the own router or another one of the own
	// network), provider (one of the first two routers behind it) or beyond; "" where
	// none did, or where the source is not known.
	RejectedBy string `json:"rejected_by,omitempty" oneof:"house provider beyond" show:"never"`
	// NoRoute is true where that machine says that it has no way to the server,
	// false where it says that it does not let the packet pass.
	NoRoute *bool `json:"no_route,omitempty" show:"never"`
}

// PathSegment is the stream to the far end of one segment of the path.
type PathSegment struct {
	// Name is host, lan (to the next router), access (to the first router of
	// the provider with a public address), transit (to the collector) or server
	// (to the conference server).
	Name string `json:"name" oneof:"host lan access transit server" empty:"no" show:"never"`
	// Sent is the number of packets sent.
	Sent *int `json:"sent,omitempty" show:"never"`
	// Lost is the number of packets without an answer.
	Lost *int `json:"lost,omitempty" show:"never"`
	// RTTMinMS is the shortest round trip in ms.
	RTTMinMS *float64 `json:"rtt_min_ms,omitempty" show:"never"`
	// RTTMS is the median round trip in ms.
	RTTMS *float64 `json:"rtt_ms,omitempty" show:"never"`
	// RTTP95MS is the round trip that 95 of 100 packets kept, in ms.
	RTTP95MS *float64 `json:"rtt_p95_ms,omitempty" show:"never"`
	// LossPct is the share of packets without an answer in percent; not set
	// where the far end answers none at all.
	LossPct *float64 `json:"loss_pct,omitempty" show:"never"`
}
