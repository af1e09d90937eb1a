package report

// Names of the probes of address translation.
const (
	ProbeNAT         = "nat"
	ProbeNATBehavior = "nat.behavior"
	ProbeNATTURN     = "nat.turn"
)

func natProbes() []Probe {
	return []Probe{
		{Name: ProbeNAT, Data: (*NAT)(nil), Against: AgainstReflector},
		{Name: ProbeNATBehavior, Data: (*NATBehavior)(nil), Supporting: true, Against: AgainstReflector},
		{Name: ProbeNATTURN, Data: (*NATTURN)(nil), Supporting: true, Against: AgainstReflector},
	}
}

// Reach is whether a server was reached by one transport. It has no value for "not
// tested, hence fine".
type Reach string

// The results. ReachServerSilent means that our own server did not answer by any
// transport, so that nothing can be said about the participant's line.
const (
	ReachOpen         Reach = "open"
	ReachBlocked      Reach = "blocked" // silent, while another transport to the same server answers
	ReachServerSilent Reach = "server_silent"
	ReachNotTested    Reach = "not_tested"
)

// NAT contains the results of STUN binding requests (RFC 8489) over UDP and TCP.
type NAT struct {
	// UDP reports whether packets of a conference can leave and return.
	UDP Reach `json:"udp" show:"details dashboard"`
	// TCP reports the same for connections to the same server.
	TCP Reach `json:"tcp" show:"details dashboard"`
	// ServerHeardS is how long ago, in s, the collector's reflector received a request
	// of another machine, as reported by the collector; nil if it did not report that.
	ServerHeardS *float64 `json:"server_heard_s,omitempty" show:"never"`
	// ServerAnsweredS is how long ago, in s, that reflector answered the collector's
	// own request over UDP, as reported by the collector; nil if it does not answer or
	// the collector did not report that.
	ServerAnsweredS *float64 `json:"server_answered_s,omitempty" show:"never"`
	// UDPRTTMS is the round trip of the answered binding request in ms. For a
	// retransmitted request it is set only if it is certain which copy was answered
	// (Karn).
	UDPRTTMS *float64 `json:"udp_rtt_ms,omitempty" show:"details dashboard"`
	// TCPRTTMS is the time from the request to the answer in ms, without the time of
	// connecting.
	TCPRTTMS *float64 `json:"tcp_rtt_ms,omitempty" show:"details dashboard"`
	// PublicAddress is the mapped address without its port, truncated to /24 or /48
	// unless the owner of the collector has disabled that.
	PublicAddress string `json:"public_address,omitempty" form:"net" max:"64" private:"address" show:"dashboard"`
	// Translated is false if the mapped address equals the local one.
	Translated *bool `json:"translated,omitempty" show:"never"`
	// Transmissions is the number of copies of the UDP request, 1..7: of the answered
	// request, or of the last one.
	Transmissions *int `json:"transmissions,omitempty" show:"never"`
	// ALG is true if MAPPED-ADDRESS differs from XOR-MAPPED-ADDRESS: a device on the
	// path rewrites addresses inside packets.
	ALG *bool `json:"alg,omitempty" show:"never"`
}

// NATBehavior describes the NAT in the terms of RFC 5780.
type NATBehavior struct {
	// UDP is true if any binding request over UDP was answered.
	UDP *bool `json:"udp,omitempty" show:"never"`
	// Mapping is EIM, ADM or APDM: endpoint-independent, address-dependent, or address-
	// and port-dependent (RFC 4787 §4.1); none without translation.
	Mapping string `json:"mapping,omitempty" oneof:"EIM ADM APDM none" show:"details dashboard"`
	// Filtering is EIF, ADF or APDF (RFC 4787 §5), named as Mapping is.
	Filtering string `json:"filtering,omitempty" oneof:"EIF ADF APDF" show:"details dashboard"`
	// LegacyName is the term of RFC 3489, which many manuals still use.
	LegacyName string `json:"legacy_name,omitempty" show:"dashboard"`
	// Hairpin is true if a packet to the mapped address of this computer comes back.
	Hairpin *bool `json:"hairpin,omitempty" show:"dashboard"`
	// PortPreserved is true when the mapped port equals the local one.
	PortPreserved *bool `json:"port_preserved,omitempty" show:"dashboard"`
	// CGNAT is true if the provider shares one public address among several customers.
	CGNAT *bool `json:"cgnat,omitempty" show:"dashboard"`
	// ALG is as NAT.ALG.
	ALG *bool `json:"alg,omitempty" show:"dashboard"`
	// BindingLifetimeS is the longest idle time in s that a binding was seen to outlive
	// (RFC 5780 §4.6); nil if it was not measured.
	BindingLifetimeS *float64 `json:"binding_lifetime_s,omitempty" show:"dashboard"`
	// PublicAddress is as NAT.PublicAddress.
	PublicAddress string `json:"public_address,omitempty" form:"net" max:"64" private:"address" show:"never"`
}

// NATTURN describes how a relay (TURN, RFC 8656) could be reached over each transport.
// A transport without a configured server has no values.
type NATTURN struct {
	// Transports is the number of transports with a configured relay, out of three; nil if
	// the list of servers is not known.
	Transports *int `json:"ways,omitempty" show:"never"`
	// UDPAllocated is true if an allocation over UDP succeeded.
	UDPAllocated *bool `json:"udp_allocated,omitempty" show:"never"`
	// UDPRelayed is true if data passed through that relay to a STUN server and its
	// answer came back; nil if there was no such server.
	UDPRelayed *bool `json:"udp_relayed,omitempty" show:"never"`
	// UDPRTTMS is the shortest round trip through the relay in ms.
	UDPRTTMS *float64 `json:"udp_rtt_ms,omitempty" show:"details dashboard"`
	// UDPError is why there is no relay: unreachable (no answer or no connection),
	// auth_failed, quota, tls (the server's certificate), other.
	UDPError string `json:"udp_error,omitempty" oneof:"unreachable auth_failed quota tls other" show:"never"`
	// TCPAllocated is as UDPAllocated, over TCP.
	TCPAllocated *bool `json:"tcp_allocated,omitempty" show:"never"`
	// TCPRelayed is as UDPRelayed, over TCP.
	TCPRelayed *bool `json:"tcp_relayed,omitempty" show:"never"`
	// TCPRTTMS is as UDPRTTMS, over TCP, in ms.
	TCPRTTMS *float64 `json:"tcp_rtt_ms,omitempty" show:"details dashboard"`
	// TCPError is as UDPError, over TCP.
	TCPError string `json:"tcp_error,omitempty" oneof:"unreachable auth_failed quota tls other" show:"never"`
	// TLSAllocated is as UDPAllocated, over TLS.
	TLSAllocated *bool `json:"tls_allocated,omitempty" show:"never"`
	// TLSRelayed is as UDPRelayed, over TLS.
	TLSRelayed *bool `json:"tls_relayed,omitempty" show:"never"`
	// TLSRTTMS is as UDPRTTMS, over TLS, in ms.
	TLSRTTMS *float64 `json:"tls_rtt_ms,omitempty" show:"details dashboard"`
	// TLSError is as UDPError, over TLS.
	TLSError string `json:"tls_error,omitempty" oneof:"unreachable auth_failed quota tls other" show:"never"`
	// Relays has one entry for each relay that was tried, the collector's own and
	// others. The fields of a transport are those of its best relay.
	Relays []TURNRelay `json:"relays,omitempty" max:"8" show:"never"`
}

// TURNRelay is the result of one relay over one transport.
type TURNRelay struct {
	// Transport is udp, tcp or tls.
	Transport string `json:"transport" oneof:"udp tcp tls" empty:"no" show:"never"`
	// Port is the server's port in the list of servers.
	Port *int `json:"port,omitempty" range:"1..65535" show:"never"`
	// Allocated is as NATTURN.UDPAllocated.
	Allocated *bool `json:"allocated,omitempty" show:"never"`
	// Relayed is as NATTURN.UDPRelayed.
	Relayed *bool `json:"relayed,omitempty" show:"never"`
	// Permitted reports whether the relay permits the media server's address; nil if that
	// was not tested.
	Permitted *bool `json:"permitted,omitempty" show:"never"`
	// RTTMS is as NATTURN.UDPRTTMS, in ms.
	RTTMS *float64 `json:"rtt_ms,omitempty" show:"never"`
	// Error is as NATTURN.UDPError; denied is a refused permission.
	Error string `json:"error,omitempty" oneof:"unreachable auth_failed quota tls denied other" show:"never"`
	// Redirected is true if the server named another one (300, Try Alternate), which
	// was tried.
	Redirected *bool `json:"redirected,omitempty" show:"never"`
}

func (Reach) values() []string {
	return texts(ReachOpen, ReachBlocked, ReachServerSilent, ReachNotTested)
}
