package report

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
	UDP Reach `json:"udp"`
	// TCP says the same of connections to the same server.
	TCP Reach `json:"tcp"`
	// ServerHeardS is how long ago, in s, another machine's question reached the
	// collector's reflector, by the collector's own word; nil when it gave none.
	ServerHeardS *float64 `json:"server_heard_s,omitempty"`
	// ServerAnsweredS is how long ago, in s, that reflector answered the
	// collector's own question over UDP, by the collector's own word; nil where it
	// does not, or the collector did not say.
	ServerAnsweredS *float64 `json:"server_answered_s,omitempty"`
	// UDPRTTMS is the round trip of the answered binding request in ms; a
	// retransmitted request is timed from the copy that was answered only when
	// that is certain, else left unknown (Karn).
	UDPRTTMS *float64 `json:"udp_rtt_ms,omitempty"`
	// TCPRTTMS is the time from request to answer in ms, connection time left out.
	TCPRTTMS *float64 `json:"tcp_rtt_ms,omitempty"`
	// PublicAddress is the mapped address without its port, cut to /24 or /48
	// unless the collector's owner turned that off.
	PublicAddress string `json:"public_address,omitempty"`
	// Translated is false when the mapped address equals the real local one.
	Translated *bool `json:"translated,omitempty"`
	// Transmissions is how many copies of the UDP request were sent, 1..7; of
	// the answered one, or of the last when none was.
	Transmissions *int `json:"transmissions,omitempty"`
	// ALG is true when MAPPED-ADDRESS differs from XOR-MAPPED-ADDRESS: a box
	// on the way rewrites addresses inside packets.
	ALG *bool `json:"alg,omitempty"`
}

// NATBehavior is the NAT described as RFC 5780 does.
type NATBehavior struct {
	// UDP is true when a binding request over UDP was answered at all.
	UDP *bool `json:"udp,omitempty"`
	// Mapping is none, EIM, ADM or APDM: endpoint-independent, address-dependent,
	// address- and port-dependent (RFC 4787 §4.1); none is no translation.
	Mapping string `json:"mapping,omitempty"`
	// Filtering is EIF, ADF or APDF (RFC 4787 §5), named as Mapping is.
	Filtering string `json:"filtering,omitempty"`
	// LegacyName is the name of RFC 3489, which many manuals still use.
	LegacyName string `json:"legacy_name,omitempty"`
	// Hairpin is true when a packet to the own mapped address comes back.
	Hairpin *bool `json:"hairpin,omitempty"`
	// PortPreserved is true when the mapped port equals the local one.
	PortPreserved *bool `json:"port_preserved,omitempty"`
	// BindingLifetimeS is the longest time in s that an idle binding was seen to
	// outlive (RFC 5780 §4.6); nil when it was not looked for.
	BindingLifetimeS *float64 `json:"binding_lifetime_s,omitempty"`
	// PublicAddress is as NAT.PublicAddress.
	PublicAddress string `json:"public_address,omitempty"`
	// CGNAT is true when the provider shares one public address among households.
	CGNAT *bool `json:"cgnat,omitempty"`
	// ALG is as NAT.ALG.
	ALG *bool `json:"alg,omitempty"`
}

// NATTURN is how a relay (TURN, RFC 8656) could be reached, each way apart. A
// way no server was configured for has no values.
type NATTURN struct {
	// Ways is for how many of the three ways a relay is configured; nil where the
	// list of servers is not known.
	Ways *int `json:"ways,omitempty"`
	// UDPAllocated is true when a relay address was given to a request over UDP.
	UDPAllocated *bool `json:"udp_allocated,omitempty"`
	// UDPRelayed is true when data went through that relay to a STUN server and
	// its answer came back the same way; nil when there was nothing to ask it of.
	UDPRelayed *bool `json:"udp_relayed,omitempty"`
	// UDPRTTMS is the shortest round trip through the relay in ms.
	UDPRTTMS *float64 `json:"udp_rtt_ms,omitempty"`
	// UDPError says why there is no relay: unreachable (no answer or no
	// connection), auth_failed, quota, tls (the server's certificate), other.
	UDPError string `json:"udp_error,omitempty"`
	// TCPAllocated is as UDPAllocated, over TCP.
	TCPAllocated *bool `json:"tcp_allocated,omitempty"`
	// TCPRelayed is as UDPRelayed, over TCP.
	TCPRelayed *bool `json:"tcp_relayed,omitempty"`
	// TCPRTTMS is as UDPRTTMS, over TCP, in ms.
	TCPRTTMS *float64 `json:"tcp_rtt_ms,omitempty"`
	// TCPError is as UDPError, over TCP.
	TCPError string `json:"tcp_error,omitempty"`
	// TLSAllocated is as UDPAllocated, over TLS.
	TLSAllocated *bool `json:"tls_allocated,omitempty"`
	// TLSRelayed is as UDPRelayed, over TLS.
	TLSRelayed *bool `json:"tls_relayed,omitempty"`
	// TLSRTTMS is as UDPRTTMS, over TLS, in ms.
	TLSRTTMS *float64 `json:"tls_rtt_ms,omitempty"`
	// TLSError is as UDPError, over TLS.
	TLSError string `json:"tls_error,omitempty"`
	// Relays has one entry for each relay that was asked, the collector's own and
	// others; the fields of a way are those of its best relay.
	Relays []TURNRelay `json:"relays,omitempty"`
}

// TURNRelay is how one relay did on one way.
type TURNRelay struct {
	// Transport is udp, tcp or tls.
	Transport string `json:"transport"`
	// Port is the server's port as the list of servers names it.
	Port *int `json:"port,omitempty"`
	// Allocated is as NATTURN.UDPAllocated.
	Allocated *bool `json:"allocated,omitempty"`
	// Relayed is as NATTURN.UDPRelayed.
	Relayed *bool `json:"relayed,omitempty"`
	// RTTMS is as NATTURN.UDPRTTMS, in ms.
	RTTMS *float64 `json:"rtt_ms,omitempty"`
	// Error is as NATTURN.UDPError.
	Error string `json:"error,omitempty"`
	// Redirected is true when the server named another one (300, Try Alternate),
	// and that one was asked.
	Redirected *bool `json:"redirected,omitempty"`
}

// MediaState says how far the voice-like stream came.
type MediaState string

// The states of the voice stream.
const (
	MediaComplete      MediaState = "complete"
	MediaNoSignalling  MediaState = "no_signalling"   // the collector's echo could not be asked (HTTP)
	MediaServerError   MediaState = "server_error"    // it answered with an error of its own
	MediaICEFailed     MediaState = "ice_failed"      // signalling worked, no path for packets was found
	MediaDTLSFailed    MediaState = "dtls_failed"     // a path was found, no keys agreed
	MediaNotFlowing    MediaState = "not_flowing"     // connected, and not one echo came back
	MediaInterrupted   MediaState = "interrupted"     // it ran and broke off
	MediaNotEnrolled   MediaState = "not_enrolled"    // no collector to measure against
	MediaBlocked       MediaState = "blocked"         // the collector has blocked the participant
	MediaUnknownAgent  MediaState = "unknown_agent"   // the collector no longer knows this computer
	MediaSelfCheckVoid MediaState = "self_check_void" // this computer was the bottleneck
)

// MediaVoice is what a stream like a voice (20 ms packets of Opus size) met on
// its way to the reflector and back, up (to the reflector) and down apart.
type MediaVoice struct {
	// State says how far the stream came.
	State MediaState `json:"state"`
	// Path is kind and transport of the selected pair, such as "srflx udp".
	Path string `json:"path,omitempty"`
	// DirectUDP says whether the server's media port answered over UDP; nil where
	// that was not found out.
	DirectUDP *bool `json:"direct_udp,omitempty"`
	// DirectTCP says whether a connection to the server's media port came about
	// over TCP; nil where UDP answered, so that nobody tried.
	DirectTCP *bool `json:"direct_tcp,omitempty"`
	// ICEMS is the time from the answer to a connected path in ms.
	ICEMS *float64 `json:"ice_ms,omitempty"`
	// DTLSMS is the time from the connected path to agreed keys in ms.
	DTLSMS *float64 `json:"dtls_ms,omitempty"`

	// Sent is the number of packets sent to the reflector.
	Sent *int `json:"sent,omitempty"`
	// UpReceived is the number of different packets that reached the reflector.
	UpReceived *int `json:"up_received,omitempty"`
	// DownSent is the number of packets the reflector sent back.
	DownSent *int `json:"down_sent,omitempty"`
	// DownReceived is the number of different packets that came back here.
	DownReceived *int `json:"down_received,omitempty"`

	// UpLossPct is the share of packets lost on the way up in percent, 0..100.
	UpLossPct *float64 `json:"up_loss_pct,omitempty"`
	// UpLossCI95 is the Wilson 95 % interval of UpLossPct in percent.
	UpLossCI95 *Interval `json:"up_loss_pct_ci95,omitempty"`
	// DownLossPct is the share of packets lost on the way down in percent, 0..100.
	DownLossPct *float64 `json:"down_loss_pct,omitempty"`
	// DownLossCI95 is the Wilson 95 % interval of DownLossPct in percent.
	DownLossCI95 *Interval `json:"down_loss_pct_ci95,omitempty"`
	// UpLossRunPackets is the mean number of packets lost in a row on the way up;
	// nil where none was lost, or it is not known which.
	UpLossRunPackets *float64 `json:"up_loss_run_packets,omitempty"`
	// DownLossRunPackets is the same for the way down, in packets.
	DownLossRunPackets *float64 `json:"down_loss_run_packets,omitempty"`
	// UpJitterMS is the jitter up in ms over the whole stream: the mean of the
	// |D| of RFC 3550 §6.4.1, which its J follows with a short memory.
	UpJitterMS *float64 `json:"up_jitter_ms,omitempty"`
	// DownJitterMS is the jitter down in ms, as UpJitterMS.
	DownJitterMS *float64 `json:"down_jitter_ms,omitempty"`
	// UpJitterMaxMS is the largest value the J of RFC 3550 had on the way up, in ms.
	UpJitterMaxMS *float64 `json:"up_jitter_max_ms,omitempty"`
	// DownJitterMaxMS is the largest value it had on the way down, in ms.
	DownJitterMaxMS *float64 `json:"down_jitter_max_ms,omitempty"`
	// RTTMinMS is the shortest round trip in ms, less the reflector's own turnaround.
	RTTMinMS *float64 `json:"rtt_min_ms,omitempty"`
	// RTTP50MS is the median round trip in ms, as RTTMinMS.
	RTTP50MS *float64 `json:"rtt_p50_ms,omitempty"`
	// RTTP95MS is the 95th percentile of the round trip in ms, as RTTMinMS.
	RTTP95MS *float64 `json:"rtt_p95_ms,omitempty"`
	// RTTP99MS is the 99th percentile of the round trip in ms, as RTTMinMS.
	RTTP99MS *float64 `json:"rtt_p99_ms,omitempty"`

	// UpPDVP50MS is the median packet delay variation up in ms (RFC 5481 §4.2), skew removed.
	UpPDVP50MS *float64 `json:"up_pdv_p50_ms,omitempty"`
	// UpPDVP95MS is its 95th percentile in ms.
	UpPDVP95MS *float64 `json:"up_pdv_p95_ms,omitempty"`
	// UpPDVP99MS is its 99th percentile in ms.
	UpPDVP99MS *float64 `json:"up_pdv_p99_ms,omitempty"`
	// DownPDVP50MS is the median packet delay variation down in ms, as UpPDVP50MS.
	DownPDVP50MS *float64 `json:"down_pdv_p50_ms,omitempty"`
	// DownPDVP95MS is its 95th percentile in ms.
	DownPDVP95MS *float64 `json:"down_pdv_p95_ms,omitempty"`
	// DownPDVP99MS is its 99th percentile in ms.
	DownPDVP99MS *float64 `json:"down_pdv_p99_ms,omitempty"`

	// UpIPDVP5MS is the 5th percentile of the inter-packet delay variation up in ms
	// (RFC 5481 §4.1), signed: negative where a packet gained on the one before it.
	UpIPDVP5MS *float64 `json:"up_ipdv_p5_ms,omitempty"`
	// UpIPDVP50MS is its median in ms.
	UpIPDVP50MS *float64 `json:"up_ipdv_p50_ms,omitempty"`
	// UpIPDVP95MS is its 95th percentile in ms.
	UpIPDVP95MS *float64 `json:"up_ipdv_p95_ms,omitempty"`
	// DownIPDVP5MS is the 5th percentile of the inter-packet delay variation down in ms
	// (RFC 5481 §4.1), signed: negative where a packet gained on the one before it.
	DownIPDVP5MS *float64 `json:"down_ipdv_p5_ms,omitempty"`
	// DownIPDVP50MS is its median in ms.
	DownIPDVP50MS *float64 `json:"down_ipdv_p50_ms,omitempty"`
	// DownIPDVP95MS is its 95th percentile in ms.
	DownIPDVP95MS *float64 `json:"down_ipdv_p95_ms,omitempty"`

	// UpQueueMS is by how much the delay that no packet up escaped rose and
	// fell in ms: the swing of a queue that somebody keeps full, 0 where there was
	// none.
	UpQueueMS *float64 `json:"up_queue_ms,omitempty"`
	// UpRateKbps is the rate in kbit/s (of IPv4 packets) at which the line let
	// the stream through up where it could not keep up with it; nil where it did.
	UpRateKbps *float64 `json:"up_rate_kbps,omitempty"`
	// DownQueueMS is by how much the delay that no packet down escaped rose and
	// fell in ms: the swing of a queue that somebody keeps full, 0 where there was
	// none.
	DownQueueMS *float64 `json:"down_queue_ms,omitempty"`
	// DownRateKbps is the rate in kbit/s (of IPv4 packets) at which the line let
	// the stream through down where it could not keep up with it; nil where it did.
	DownRateKbps *float64 `json:"down_rate_kbps,omitempty"`

	// Reordered is the number of reordered packets, both directions (RFC 4737).
	Reordered *int `json:"reordered,omitempty"`
	// Duplicates is the number of second arrivals, both directions; never part of loss.
	Duplicates *int `json:"duplicates,omitempty"`
	// BurstDensityPct is the share lost inside bursts in percent (RFC 3611 §4.7.2), the worse direction.
	BurstDensityPct *float64 `json:"burst_density_pct,omitempty"`
	// BurstMS is the mean length of a burst in ms (RFC 3611 §4.7.2), 0 without any, the worse direction.
	BurstMS *float64 `json:"burst_ms,omitempty"`
	// GapMS is the mean length of a gap between bursts in ms (RFC 3611 §4.7.2), the worse direction.
	GapMS *float64 `json:"gap_ms,omitempty"`
	// GapDensityPct is the share lost in gaps in percent (RFC 3611 §4.7.2), the worse direction.
	GapDensityPct *float64 `json:"gap_density_pct,omitempty"`
	// LongestGapMS is the longest run of lost packets in ms, the worse direction.
	LongestGapMS *float64 `json:"longest_gap_ms,omitempty"`
	// LatePct20MS is the share that would miss a 20 ms playout buffer in percent, the worse direction.
	LatePct20MS *float64 `json:"late_pct_20ms,omitempty"`
	// LatePct40MS is the share that would miss a 40 ms playout buffer in percent, the worse direction.
	LatePct40MS *float64 `json:"late_pct_40ms,omitempty"`
	// LatePct60MS is the share that would miss a 60 ms playout buffer in percent, the worse direction.
	LatePct60MS *float64 `json:"late_pct_60ms,omitempty"`
	// LatePct100MS is the same for 100 ms in percent.
	LatePct100MS *float64 `json:"late_pct_100ms,omitempty"`
	// LatePct200MS is the same for 200 ms in percent.
	LatePct200MS *float64 `json:"late_pct_200ms,omitempty"`
	// BurstRatio is the BurstR of ITU-T G.107; 1 is random loss.
	BurstRatio *float64 `json:"burst_ratio,omitempty"`
	// RFactor is the rating on the scale that MOSModel names.
	RFactor *float64 `json:"r_factor,omitempty"`
	// MOS is the estimated mean opinion score, 1..4.5.
	MOS *float64 `json:"mos,omitempty"`
	// MOSModel is the recommendation and the codec assumed for MOS and RFactor.
	MOSModel string `json:"mos_model,omitempty"`
	// ServerAnsweredS is as NAT.ServerAnsweredS, in s, when the stream had ended.
	ServerAnsweredS *float64 `json:"server_answered_s,omitempty"`
	// SelfCheck says how well this computer kept its own schedule: ok, degraded or void.
	SelfCheck string `json:"self_check,omitempty"`
	// SendLatenessP95MS is the 95th percentile of this computer's own lateness in sending, in ms.
	SendLatenessP95MS *float64 `json:"send_lateness_p95_ms,omitempty"`
}

// NetworkWeb is how the way to a web server did, step by step.
type NetworkWeb struct {
	// Stage is the last step that worked: "", dns, tcp, tls, http.
	Stage string `json:"stage"`
	// Online is false when not even the local network answers (no route, no
	// address), true when any step reached another machine.
	Online *bool `json:"online,omitempty"`
	// DNSMS is the time to look the name up in ms.
	DNSMS *float64 `json:"dns_ms,omitempty"`
	// TCPMS is the time to connect in ms, to the address that answered.
	TCPMS *float64 `json:"tcp_ms,omitempty"`
	// TLSMS is the time of the TLS handshake in ms.
	TLSMS *float64 `json:"tls_ms,omitempty"`
	// HTTPMS is the time from the request sent to the first byte of the answer in ms.
	HTTPMS *float64 `json:"http_ms,omitempty"`
	// HTTPStatus is the status code of the answer.
	HTTPStatus *int `json:"http_status,omitempty"`
	// ServerHealthy is false when the server itself answered with a fault (5xx).
	ServerHealthy *bool `json:"server_healthy,omitempty"`
	// DNSError says why the name could not be looked up: not_found, hidden (it exists,
	// and a name server keeps its addresses back, as against DNS rebinding), timeout,
	// refused, servfail, truncated, false (the answer was nobody's address, or the own
	// router's), search_domain (the name does not exist, and does with the network's
	// own domain behind it), hijacked (names that cannot exist get the same address)
	// or other.
	DNSError string `json:"dns_error,omitempty"`
	// DNSServerSilent is true when the first of several name servers kept silent,
	// asked three times, while another answered: most programs wait 5 s for the first.
	DNSServerSilent *bool `json:"dns_server_silent,omitempty"`
	// DNSSilent6 is true when the name servers answered for IPv4 and kept silent,
	// asked three times, for IPv6: most programs wait for both.
	DNSSilent6 *bool `json:"dns_silent6,omitempty"`
	// Proxy is none, http, https or socks5: the kind, never the address.
	Proxy string `json:"proxy,omitempty"`
	// ProxyFault says why the proxy, or the script that chooses it, does not work:
	// unresolved, refused, silent, certificate (the proxy's own), login, forbidden,
	// redirect, failing (it cannot reach the server), not_a_proxy, unknown_kind,
	// script, or script_gone.
	ProxyFault string `json:"proxy_fault,omitempty"`
	// ProxyOffered is true when no way leads directly and the network itself
	// names a proxy (WPAD), which this computer is not set to use.
	ProxyOffered *bool `json:"proxy_offered,omitempty"`
	// CaptivePortal is true when two independent signs show a login page in between.
	CaptivePortal *bool `json:"captive_portal,omitempty"`
	// TLSIntercepted is true when another certificate authority than expected signs for the server.
	TLSIntercepted *bool `json:"tls_intercepted,omitempty"`
	// TLSKey says whose key the certificate toward the collector had: own (the
	// collector's, renewed or not) or foreign (somebody's who opens TLS on the way).
	// Where another server was tested, it speaks of the collector beside it.
	TLSKey string `json:"tls_key,omitempty"`
	// TLSInspector is what the issuer is known to be: network (a firewall or proxy)
	// or scanner (a virus scanner on this computer).
	TLSInspector string `json:"tls_inspector,omitempty"`
	// TLSError is untrusted, expired, wrong_name, protocol or other.
	TLSError string `json:"tls_error,omitempty"`
	// ClockOffsetMS is this computer's clock less the server's in ms; positive
	// when this computer is fast.
	ClockOffsetMS *float64 `json:"clock_offset_ms,omitempty"`
	// ClockUncertaintyMS is how far ClockOffsetMS may be off in ms, either way:
	// half the HTTP round trip, and 500 ms more where only a Date header was there.
	ClockUncertaintyMS *float64 `json:"clock_uncertainty_ms,omitempty"`
	// ClockConfirmed says, where the two clocks differ by a minute or more, whether a
	// third one (of the collector beside another server, of the router, or the date
	// of this program) agrees with the server's: true; or with this computer's: false.
	ClockConfirmed *bool `json:"clock_confirmed,omitempty"`
	// BesideProxy says, where a proxy is set, whether the server was also reached
	// directly: by a connection where the proxy brought the page, by the page where
	// it did not.
	BesideProxy *bool `json:"beside_proxy,omitempty"`
	// TLSSmallPackets says, where the server took the connection and TLS hung,
	// whether it came about with packets of at most 1000 bytes of payload.
	TLSSmallPackets *bool `json:"tls_small_packets,omitempty"`
	// WebSocket is true when an upgrade to a WebSocket got through, false when it
	// was taken out, refused or cut by another machine than the collector, which
	// answered the same request without it.
	WebSocket *bool `json:"websocket,omitempty"`
	// WebSocketBy says where that machine stands: between (this computer and the
	// server), server (behind the server's own encryption) or unknown.
	WebSocketBy string `json:"websocket_by,omitempty"`
}

func (Reach) values() []string {
	return texts(ReachOpen, ReachBlocked, ReachServerSilent, ReachNotTested)
}

func (MediaState) values() []string {
	return texts(MediaComplete, MediaNoSignalling, MediaServerError, MediaICEFailed, MediaDTLSFailed,
		MediaNotFlowing, MediaInterrupted, MediaNotEnrolled, MediaBlocked, MediaUnknownAgent, MediaSelfCheckVoid)
}
