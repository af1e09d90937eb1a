package report

// NetworkLink describes the interface on the route to the server, and the next router.
// It contains neither names nor addresses.
type NetworkLink struct {
	// Kind is wifi, ethernet, cellular or vpn; "" if the system does not report it.
	Kind string `json:"kind,omitempty" oneof:"wifi ethernet cellular vpn" show:"details dashboard"`
	// SignalDBM is the strength of the Wi-Fi signal in dBm, from about -30 (near) to
	// -90 (hardly usable).
	SignalDBM *float64 `json:"signal_dbm,omitempty" show:"details dashboard"`
	// RateMbps is the rate of the link in Mbit/s as stated by the system; on Wi-Fi that
	// of sending.
	RateMbps *float64 `json:"rate_mbps,omitempty" show:"dashboard"`
	// Uplink says why no route leads out of this computer: no_link (no interface is
	// connected), no_address, self_assigned (only addresses of 169.254.0.0/16, RFC
	// 3927) or no_route; "" if there is a route or that is not known.
	Uplink string `json:"uplink,omitempty" oneof:"no_link no_address self_assigned no_route" show:"never"`
	// GatewayState is answered, silent, unreachable (no answer on the link layer), none
	// (no router on the route to the server), not_permitted (the system does not permit
	// this program to ask) or failed.
	GatewayState string `json:"gateway_state,omitempty" oneof:"answered silent unreachable none not_permitted failed" show:"never"`
	// GatewayRTTMS is the median round trip to the next router in ms.
	GatewayRTTMS *float64 `json:"gateway_rtt_ms,omitempty" show:"details dashboard"`
	// GatewayRTTP95MS is the 95th percentile of the round trip to the next router in
	// ms.
	GatewayRTTP95MS *float64 `json:"gateway_rtt_p95_ms,omitempty" show:"never"`
	// GatewayRTTMaxMS is the longest round trip to the next router in ms.
	GatewayRTTMaxMS *float64 `json:"gateway_rtt_max_ms,omitempty" show:"never"`
	// GatewaySent is the number of requests sent to the next router.
	GatewaySent *int `json:"gateway_sent,omitempty" show:"never"`
	// GatewayLossPct is the share of these requests without an answer in percent; a
	// router that answers none is silent and has no loss.
	GatewayLossPct *float64 `json:"gateway_loss_pct,omitempty" show:"details dashboard"`
	// GatewayLossRunPackets is the mean number of consecutive lost packets; nil if none
	// was lost.
	GatewayLossRunPackets *float64 `json:"gateway_loss_run_packets,omitempty" range:"0..1e6" show:"never"`
	// VPN is true if the route to the server leads through a tunnel of this computer.
	VPN *bool `json:"vpn,omitempty" show:"details dashboard"`
	// IPv4 is true if this computer has an IPv4 address and route.
	IPv4 *bool `json:"ipv4,omitempty" show:"never"`
	// IPv6 is true if this computer has a global IPv6 address and a route.
	IPv6 *bool `json:"ipv6,omitempty" show:"never"`
	// IPv6Reached reports whether a connection to the server's IPv6 address succeeded.
	// It is measured only if the server has one and this computer a route. It is false
	// only if IPv4 to the same server was faster and the attempt over IPv6 hung: an
	// immediate failure delays nobody.
	IPv6Reached *bool `json:"ipv6_reached,omitempty" show:"never"`
	// IPv6Beyond is true if, when that attempt had failed, the server's machine or a
	// router of its site (the same /48) answered a packet over IPv6, so that the line
	// carries it; nil if nobody answered or it was not tried.
	IPv6Beyond *bool `json:"ipv6_beyond,omitempty" show:"never"`
	// MTU is the largest packet that the interface accepts, in bytes.
	MTU *int `json:"mtu,omitempty" show:"never"`
}

// NetworkPath describes simultaneous streams of small packets to points at increasing
// distance, and the segment in which packets get lost.
type NetworkPath struct {
	// Segments has one entry for each point, nearest first.
	Segments []PathSegment `json:"segments,omitempty" max:"8" show:"never" against:"segment"`
	// Line is reached if a machine beyond the local router responded (a router of the
	// provider or a server), silent if only the local router responds and no local name
	// server resolves a new name, router_silent if neither the local router nor anything
	// beyond it responds, cut if this computer's interface went away and stayed away,
	// and "" if the figures are inconclusive.
	Line string `json:"line,omitempty" oneof:"reached silent router_silent cut" show:"details dashboard"`
	// FaultSegment is lan, access, transit or server; none if there is no fault, "" if
	// the figures are inconclusive. It is also lan if the local interface was down for a
	// while, so that nothing could be sent.
	FaultSegment string `json:"fault_segment,omitempty" oneof:"lan access transit server none" show:"details dashboard" against:"segment"`
	// LossRunPackets is the mean number of packets of all streams that were lost
	// together, counting only losses that include a packet to the far end, since a
	// burst affects several streams. It is nil if no packet to the far end was lost.
	LossRunPackets *float64 `json:"loss_run_packets,omitempty" range:"0..1e6" show:"never"`
	// LANSpreadMS is the variation of the round trip to the next router: the 95th
	// percentile minus the minimum, in ms.
	LANSpreadMS *float64 `json:"lan_spread_ms,omitempty" show:"never"`
	// AccessSpreadMS is the same for the first router of the provider, in ms.
	AccessSpreadMS *float64 `json:"access_spread_ms,omitempty" show:"never"`
	// UDPCut is true if the server's answers over UDP ended permanently while the same
	// machine continued to answer an echo or TCP; false if they resumed soon; nil if
	// they did not end, or there were none.
	UDPCut *bool `json:"udp_cut,omitempty" show:"never"`
	// CGNAT is true if a router on the path has an address reserved for NAT of
	// providers (100.64.0.0/10, RFC 6598); nil if none was seen.
	CGNAT *bool `json:"cgnat,omitempty" show:"never"`
	// MTUBlackhole is true if small packets to a server were answered, none as large as
	// the interface's MTU was, and no router reported an error; false if a large one
	// was answered or a router reported a smaller MTU (RFC 8899 §1).
	MTUBlackhole *bool `json:"mtu_blackhole,omitempty" show:"dashboard"`
	// MTUBy is the method: udp (a padded STUN request) or icmp (an echo, which some
	// firewalls drop only because of its size).
	MTUBy string `json:"mtu_by,omitempty" oneof:"udp icmp" show:"never"`
	// MTUWorksBytes is the largest IP packet that was answered, in bytes.
	MTUWorksBytes *int `json:"mtu_works_bytes,omitempty" show:"never"`
	// Ports has one entry for each port that was tried because a required one was
	// silent.
	Ports []PathPort `json:"ports,omitempty" max:"8" show:"never"`
	// RejectedBy is lan or provider if that machine rejects every port of a server
	// that was tried, in place of the server; see PathPort.RejectedBy.
	RejectedBy string `json:"rejected_by,omitempty" oneof:"lan provider house" show:"never"`
}

// PathPort describes what happened to packets to one port of a server.
type PathPort struct {
	// Name is the segment at whose end the server is: transit (the collector) or server
	// (the conference server).
	Name string `json:"name" oneof:"transit server" empty:"no" show:"never"`
	// Protocol is tcp or udp.
	Protocol string `json:"protocol" oneof:"tcp udp" empty:"no" show:"never"`
	// Port is the number of the port.
	Port *int `json:"port,omitempty" range:"1..65535" show:"never"`
	// Needed is true for the port in use, false for one that was tried for comparison.
	Needed *bool `json:"needed,omitempty" show:"never"`
	// Answer is open, refused (by the server), rejected (by a machine before it) or
	// silent.
	Answer string `json:"answer" oneof:"open refused rejected silent" empty:"no" show:"never"`
	// Left is true if a public router beyond the local one reported that the time to live
	// of such a packet expired, so that the packet had left this network; false if that
	// router reported it for other packets before and after, but for none of these, or
	// if the local network rejected them; nil if unknown.
	Left *bool `json:"left,omitempty" show:"never"`
	// RejectedBy is the machine that rejected the port in place of the server, by the
	// source of the ICMP error: lan (the local router or another one of the local
	// network), provider (one of the first two routers beyond it) or beyond; "" if none
	// did or the source is not known. Reports of agents until November 2026 contain house
	// instead of lan.
	RejectedBy string `json:"rejected_by,omitempty" oneof:"lan provider beyond house" show:"never"`
	// NoRoute is true if that machine reports that it has no route to the server, false
	// if it reports that the packet is prohibited.
	NoRoute *bool `json:"no_route,omitempty" show:"never"`
}

// PathSegment is the stream to the far end of one segment of the path.
type PathSegment struct {
	// Name is host, lan (to the next router), access (to the first router with a public
	// address), transit (to the collector) or server (to the conference server).
	Name string `json:"name" oneof:"host lan access transit server" empty:"no" show:"never"`
	// Sent is the number of packets sent.
	Sent *int `json:"sent,omitempty" show:"never"`
	// Lost is the number of packets without an answer.
	Lost *int `json:"lost,omitempty" show:"never"`
	// RTTMinMS is the shortest round trip in ms.
	RTTMinMS *float64 `json:"rtt_min_ms,omitempty" show:"never"`
	// RTTMS is the median round trip in ms.
	RTTMS *float64 `json:"rtt_ms,omitempty" show:"never"`
	// RTTP95MS is the 95th percentile of the round trip in ms.
	RTTP95MS *float64 `json:"rtt_p95_ms,omitempty" show:"never"`
	// LossPct is the share of packets without an answer in percent; nil if the far end
	// answers none.
	LossPct *float64 `json:"loss_pct,omitempty" show:"never"`
}
