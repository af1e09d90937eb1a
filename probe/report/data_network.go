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
	UDP Reach `json:"udp"`
	TCP Reach `json:"tcp"`
	// UDPRTTMS is the round trip of the answered binding request; a
	// retransmitted request is timed from the copy that was answered only when
	// that is certain, else left unknown (Karn).
	UDPRTTMS *float64 `json:"udp_rtt_ms,omitempty"`
	TCPRTTMS *float64 `json:"tcp_rtt_ms,omitempty"` // request to answer, connection time left out
	// PublicAddress is the mapped address without its port, cut to /24 or /48
	// unless the collector's owner turned that off.
	PublicAddress string `json:"public_address,omitempty"`
	// Translated is false when the mapped address equals the real local one.
	Translated *bool `json:"translated,omitempty"`
	// Transmissions is how many copies of the UDP request were sent, 1..7.
	Transmissions *int `json:"transmissions,omitempty"`
	// ALG is true when MAPPED-ADDRESS differs from XOR-MAPPED-ADDRESS: a box
	// on the way rewrites addresses inside packets.
	ALG *bool `json:"alg,omitempty"`
}

// NATBehavior is the NAT described as RFC 5780 does.
type NATBehavior struct {
	UDP              *bool    `json:"udp,omitempty"`
	Mapping          string   `json:"mapping,omitempty"`   // EIM, ADM, APDM, none
	Filtering        string   `json:"filtering,omitempty"` // EIF, ADF, APDF
	LegacyName       string   `json:"legacy_name,omitempty"`
	Hairpin          *bool    `json:"hairpin,omitempty"`
	PortPreserved    *bool    `json:"port_preserved,omitempty"`
	BindingLifetimeS *float64 `json:"binding_lifetime_s,omitempty"`
	PublicAddress    string   `json:"public_address,omitempty"` // as NAT.PublicAddress
	CGNAT            *bool    `json:"cgnat,omitempty"`
	ALG              *bool    `json:"alg,omitempty"`
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
	MediaSelfCheckVoid MediaState = "self_check_void" // this computer was the bottleneck
)

// MediaVoice is what a stream like a voice (20 ms packets of Opus size) met on
// its way to the reflector and back, up (to the reflector) and down apart.
type MediaVoice struct {
	State MediaState `json:"state"`
	// Path is kind and transport of the selected pair, such as "srflx udp".
	Path   string   `json:"path,omitempty"`
	ICEMS  *float64 `json:"ice_ms,omitempty"`  // offer answered -> connected
	DTLSMS *float64 `json:"dtls_ms,omitempty"` // connected -> keys agreed

	Sent         *int `json:"sent,omitempty"`
	UpReceived   *int `json:"up_received,omitempty"`   // unique packets at the reflector
	DownSent     *int `json:"down_sent,omitempty"`     // packets the reflector sent back
	DownReceived *int `json:"down_received,omitempty"` // unique packets back here

	UpLossPct       *float64  `json:"up_loss_pct,omitempty"`
	UpLossCI95      *Interval `json:"up_loss_pct_ci95,omitempty"` // Wilson
	DownLossPct     *float64  `json:"down_loss_pct,omitempty"`
	DownLossCI95    *Interval `json:"down_loss_pct_ci95,omitempty"`
	UpJitterMS      *float64  `json:"up_jitter_ms,omitempty"` // RFC 3550 §6.4.1, at the end of the stream
	DownJitterMS    *float64  `json:"down_jitter_ms,omitempty"`
	UpJitterMaxMS   *float64  `json:"up_jitter_max_ms,omitempty"`
	DownJitterMaxMS *float64  `json:"down_jitter_max_ms,omitempty"`
	// Round trips are less the reflector's own turnaround.
	RTTMinMS *float64 `json:"rtt_min_ms,omitempty"`
	RTTP50MS *float64 `json:"rtt_p50_ms,omitempty"`
	RTTP95MS *float64 `json:"rtt_p95_ms,omitempty"`
	RTTP99MS *float64 `json:"rtt_p99_ms,omitempty"`

	UpPDVP50MS   *float64 `json:"up_pdv_p50_ms,omitempty"` // RFC 5481, skew removed
	UpPDVP95MS   *float64 `json:"up_pdv_p95_ms,omitempty"`
	UpPDVP99MS   *float64 `json:"up_pdv_p99_ms,omitempty"`
	DownPDVP50MS *float64 `json:"down_pdv_p50_ms,omitempty"`
	DownPDVP95MS *float64 `json:"down_pdv_p95_ms,omitempty"`
	DownPDVP99MS *float64 `json:"down_pdv_p99_ms,omitempty"`

	Reordered         *int     `json:"reordered,omitempty"`            // both directions, RFC 4737
	Duplicates        *int     `json:"duplicates,omitempty"`           // both directions; never part of loss
	BurstDensityPct   *float64 `json:"burst_density_pct,omitempty"`    // RFC 3611 §4.7.2, the worse direction
	LongestGapMS      *float64 `json:"longest_gap_ms,omitempty"`       // longest run of lost packets, the worse direction
	LatePct60MS       *float64 `json:"late_pct_60ms,omitempty"`        // would miss a 60 ms playout buffer, the worse direction
	BurstRatio        *float64 `json:"burst_ratio,omitempty"`          // G.107 BurstR; 1 is random loss
	RFactor           *float64 `json:"r_factor,omitempty"`             // on the scale that MOSModel names
	MOS               *float64 `json:"mos,omitempty"`                  // 1..4.5
	MOSModel          string   `json:"mos_model,omitempty"`            // recommendation and codec assumption
	SelfCheck         string   `json:"self_check,omitempty"`           // ok, degraded, void
	SendLatenessP95MS *float64 `json:"send_lateness_p95_ms,omitempty"` // this computer's own error of schedule
}

// NetworkWeb is how the way to a web server did, step by step.
type NetworkWeb struct {
	// Stage is the last step that worked: "", dns, tcp, tls, http.
	Stage string `json:"stage"`
	// Online is false when not even the local network answers (no route, no
	// address), true when any step reached another machine.
	Online *bool    `json:"online,omitempty"`
	DNSMS  *float64 `json:"dns_ms,omitempty"`
	TCPMS  *float64 `json:"tcp_ms,omitempty"`
	TLSMS  *float64 `json:"tls_ms,omitempty"`
	HTTPMS *float64 `json:"http_ms,omitempty"` // request sent -> first byte
	// HTTPStatus is the status code of the answer.
	HTTPStatus *int `json:"http_status,omitempty"`
	// ServerHealthy is false when the server itself answered with a fault (5xx).
	ServerHealthy *bool  `json:"server_healthy,omitempty"`
	DNSError      string `json:"dns_error,omitempty"` // not_found, timeout, refused, other
	// Proxy is none, http, https or socks5: the kind, never the address.
	Proxy          string `json:"proxy,omitempty"`
	CaptivePortal  *bool  `json:"captive_portal,omitempty"`
	TLSIntercepted *bool  `json:"tls_intercepted,omitempty"`
	// TLSError is untrusted, expired, wrong_name, protocol or other.
	TLSError string `json:"tls_error,omitempty"`
	// ClockOffsetMS is this computer's clock less the server's; positive when
	// this computer is fast. Uncertain by half the HTTP round trip, and by
	// 500 ms where only a Date header was there.
	ClockOffsetMS      *float64 `json:"clock_offset_ms,omitempty"`
	ClockUncertaintyMS *float64 `json:"clock_uncertainty_ms,omitempty"`
	WebSocket          *bool    `json:"websocket,omitempty"`
}
