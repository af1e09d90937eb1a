package report

// Names of the probes of the way through address translation.
const (
	ProbeNAT         = "nat"
	ProbeNATBehavior = "nat.behavior"
	ProbeNATTURN     = "nat.turn"
)

func natProbes() []Probe {
	return []Probe{
		{Name: ProbeNAT, Data: (*NAT)(nil)},
		{Name: ProbeNATBehavior, Data: (*NATBehavior)(nil), Supporting: true},
		{Name: ProbeNATTURN, Data: (*NATTURN)(nil), Supporting: true},
	}
}

// Reach is the answer of one way to a server. It has no value for "fine
// because nobody looked".
type Reach string

// The answers. ReachServerSilent means that our own server did not answer by
// any way, so nothing can be said about the participant's line.
const (
	ReachOpen         Reach = "open"
	ReachBlocked      Reach = "blocked" // this way is silent while another way to the same server answers
	ReachServerSilent Reach = "server_silent"
	ReachNotTested    Reach = "not_tested"
)

// NAT is what STUN binding requests (RFC 8489) told over UDP and TCP.
type NAT struct {
	// UDP says whether packets of a conference can leave and come back.
	UDP Reach `json:"udp" show:"details dashboard"`
	// TCP says the same of connections to the same server.
	TCP Reach `json:"tcp" show:"details dashboard"`
	// ServerHeardS is how long ago, in s, another machine's question reached the
	// collector's reflector, by the collector's own word; nil when it gave none.
	ServerHeardS *float64 `json:"server_heard_s,omitempty" show:"never"`
	// ServerAnsweredS is how long ago, in s, that reflector answered the
	// collector's own question over UDP, by the collector's own word; nil where it
	// does not, or the collector did not say.
	ServerAnsweredS *float64 `json:"server_answered_s,omitempty" show:"never"`
	// UDPRTTMS is the round trip of the answered binding request in ms; a
	// retransmitted request is timed from the copy that was answered only when
	// that is certain, else left unknown (Karn).
	UDPRTTMS *float64 `json:"udp_rtt_ms,omitempty" show:"details dashboard"`
	// TCPRTTMS is the time from request to answer in ms, connection time left out.
	TCPRTTMS *float64 `json:"tcp_rtt_ms,omitempty" show:"details dashboard"`
	// PublicAddress is the mapped address without its port, cut to /24 or /48
	// unless the collector's owner turned that off.
	PublicAddress string `json:"public_address,omitempty" form:"net" max:"64" private:"address" show:"dashboard"`
	// Translated is false when the mapped address equals the real local one.
	Translated *bool `json:"translated,omitempty" show:"never"`
	// Transmissions is how many copies of the UDP request were sent, 1..7; of
	// the answered one, or of the last when none was.
	Transmissions *int `json:"transmissions,omitempty" show:"never"`
	// ALG is true when MAPPED-ADDRESS differs from XOR-MAPPED-ADDRESS: a box
	// on the way rewrites addresses inside packets.
	ALG *bool `json:"alg,omitempty" show:"never"`
}

// NATBehavior is the NAT described as RFC 5780 does.
type NATBehavior struct {
	// UDP is true when a binding request over UDP was answered at all.
	UDP *bool `json:"udp,omitempty" show:"never"`
	// Mapping is none, EIM, ADM or APDM: endpoint-independent, address-dependent,
	// address- and port-dependent (RFC 4787 §4.1); none is no translation.
	Mapping string `json:"mapping,omitempty" oneof:"EIM ADM APDM none" show:"details dashboard"`
	// Filtering is EIF, ADF or APDF (RFC 4787 §5), named as Mapping is.
	Filtering string `json:"filtering,omitempty" oneof:"EIF ADF APDF" show:"details dashboard"`
	// LegacyName is the name of RFC 3489, which many manuals still use.
	LegacyName string `json:"legacy_name,omitempty" show:"dashboard"`
	// Hairpin is true when a packet to the own mapped address comes back.
	Hairpin *bool `json:"hairpin,omitempty" show:"dashboard"`
	// PortPreserved is true when the mapped port equals the local one.
	PortPreserved *bool `json:"port_preserved,omitempty" show:"dashboard"`
	// CGNAT is true when the provider shares one public address among households.
	CGNAT *bool `json:"cgnat,omitempty" show:"dashboard"`
	// ALG is as NAT.ALG.
	ALG *bool `json:"alg,omitempty" show:"dashboard"`
	// BindingLifetimeS is the longest time in s that an idle binding was seen to
	// outlive (RFC 5780 §4.6); nil when it was not looked for.
	BindingLifetimeS *float64 `json:"binding_lifetime_s,omitempty" show:"dashboard"`
	// PublicAddress is as NAT.PublicAddress.
	PublicAddress string `json:"public_address,omitempty" form:"net" max:"64" private:"address" show:"never"`
}

// NATTURN is how a relay (TURN, RFC 8656) could be reached, each way apart. A
// way no server was configured for has no values.
type NATTURN struct {
	// Ways is for how many of the three ways a relay is configured; nil where the
	// list of servers is not known.
	Ways *int `json:"ways,omitempty" show:"never"`
	// UDPAllocated is true when a relay address was given to a request over UDP.
	UDPAllocated *bool `json:"udp_allocated,omitempty" show:"never"`
	// UDPRelayed is true when data went through that relay to a STUN server and
	// its answer came back the same way; nil when there was nothing to ask it of.
	UDPRelayed *bool `json:"udp_relayed,omitempty" show:"never"`
	// UDPRTTMS is the shortest round trip through the relay in ms.
	UDPRTTMS *float64 `json:"udp_rtt_ms,omitempty" show:"details dashboard"`
	// UDPError says why there is no relay: unreachable (no answer or no
	// connection), auth_failed, quota, tls (the server's certificate), other.
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
	// Relays has one entry for each relay that was asked, the collector's own and
	// others; the fields of a way are those of its best relay.
	Relays []TURNRelay `json:"relays,omitempty" max:"8" show:"never"`
}

// TURNRelay is how one relay did on one way.
type TURNRelay struct {
	// Transport is udp, tcp or tls.
	Transport string `json:"transport" oneof:"udp tcp tls" empty:"no" show:"never"`
	// Port is the server's port as the list of servers names it.
	Port *int `json:"port,omitempty" range:"1..65535" show:"never"`
	// Allocated is as NATTURN.UDPAllocated.
	Allocated *bool `json:"allocated,omitempty" show:"never"`
	// Relayed is as NATTURN.UDPRelayed.
	Relayed *bool `json:"relayed,omitempty" show:"never"`
	// Permitted says whether the relay grants the permission for the media server's
	// address; nil where that was not asked.
	Permitted *bool `json:"permitted,omitempty" show:"never"`
	// RTTMS is as NATTURN.UDPRTTMS, in ms.
	RTTMS *float64 `json:"rtt_ms,omitempty" show:"never"`
	// Error is as NATTURN.UDPError; denied is a refused permission.
	Error string `json:"error,omitempty" oneof:"unreachable auth_failed quota tls denied other" show:"never"`
	// Redirected is true when the server named another one (300, Try Alternate),
	// and that one was asked.
	Redirected *bool `json:"redirected,omitempty" show:"never"`
}

func (Reach) values() []string {
	return texts(ReachOpen, ReachBlocked, ReachServerSilent, ReachNotTested)
}
