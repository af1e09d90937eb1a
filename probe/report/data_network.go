package report

// Names of the probes of the network.
const (
	ProbeNetworkLink = "network.link"
	ProbeNetworkWeb  = "network.web"
	ProbeNetworkPath = "network.path"
)

func networkProbes() []Probe {
	return []Probe{
		{Name: ProbeNetworkLink, Data: (*NetworkLink)(nil), Remote: true},
		{Name: ProbeNetworkWeb, Data: (*NetworkWeb)(nil)},
		{Name: ProbeNetworkPath, Data: (*NetworkPath)(nil), Remote: true},
	}
}

// NetworkWeb is how the way to a web server did, step by step.
type NetworkWeb struct {
	// Stage is the last step that worked: "", dns, tcp, tls, http.
	Stage string `json:"stage" oneof:"dns tcp tls http" show:"never"`
	// Online is false when not even the local network answers (no route, no
	// address), true when any step reached another machine.
	Online *bool `json:"online,omitempty" show:"never"`
	// DNSMS is the time to look the name up in ms.
	DNSMS *float64 `json:"dns_ms,omitempty" show:"details dashboard"`
	// TCPMS is the time to connect in ms, to the address that answered.
	TCPMS *float64 `json:"tcp_ms,omitempty" show:"details dashboard"`
	// TLSMS is the time of the TLS handshake in ms.
	TLSMS *float64 `json:"tls_ms,omitempty" show:"details dashboard"`
	// HTTPMS is the time from the request sent to the first byte of the answer in ms.
	HTTPMS *float64 `json:"http_ms,omitempty" show:"details dashboard"`
	// HTTPStatus is the status code of the answer.
	HTTPStatus *int `json:"http_status,omitempty" range:"100..999" show:"never"`
	// ServerHealthy is false when the server itself answered with a fault (5xx).
	ServerHealthy *bool `json:"server_healthy,omitempty" show:"never"`
	// DNSError says why the name could not be looked up: not_found, hidden (it exists,
	// and a name server keeps its addresses back, as against DNS rebinding), timeout,
	// refused, servfail, truncated, false (the answer was nobody's address, or the own
	// router's), search_domain (the name does not exist, and does with the network's
	// own domain behind it), hijacked (names that cannot exist get the same address)
	// or other.
	DNSError string `json:"dns_error,omitempty" oneof:"not_found hidden timeout refused servfail truncated false search_domain hijacked other" show:"never"`
	// DNSServerSilent is true when the first of several name servers kept silent,
	// asked three times, while another answered: most programs wait 5 s for the first.
	DNSServerSilent *bool `json:"dns_server_silent,omitempty" show:"never"`
	// DNSSilent6 is true when the name servers answered for IPv4 and kept silent,
	// asked three times, for IPv6: most programs wait for both.
	DNSSilent6 *bool `json:"dns_silent6,omitempty" show:"never"`
	// Proxy is none, http, https or socks5: the kind, never the address.
	Proxy string `json:"proxy,omitempty" oneof:"none http https socks5" show:"details dashboard"`
	// ProxyFault says why the proxy, or the script that chooses it, does not work:
	// unresolved, refused, silent, certificate (the proxy's own), login, forbidden,
	// redirect, failing (it cannot reach the server), not_a_proxy, unknown_kind,
	// script, script_missing, or script_gone.
	ProxyFault string `json:"proxy_fault,omitempty" oneof:"unresolved refused silent certificate login forbidden redirect failing not_a_proxy unknown_kind script script_missing script_gone" show:"never"`
	// ProxyOffered is true when no way leads directly and the network itself
	// names a proxy (WPAD), which this computer is not set to use.
	ProxyOffered *bool `json:"proxy_offered,omitempty" show:"never"`
	// WebSocket is true when an upgrade to a WebSocket got through, false when it
	// was taken out, refused or cut by another machine than the collector, which
	// answered the same request without it.
	WebSocket *bool `json:"websocket,omitempty" show:"dashboard"`
	// WebSocketBy says where that machine stands: between (this computer and the
	// server), server (behind the server's own encryption) or unknown.
	WebSocketBy string `json:"websocket_by,omitempty" oneof:"between server unknown" show:"never"`
	// CaptivePortal is true when two independent signs show a login page in between.
	CaptivePortal *bool `json:"captive_portal,omitempty" show:"dashboard"`
	// TLSIntercepted is true when another certificate authority than expected signs for the server.
	TLSIntercepted *bool `json:"tls_intercepted,omitempty" show:"never"`
	// TLSKey says whose key the certificate toward the collector had: own (the
	// collector's, renewed or not) or foreign (somebody's who opens TLS on the way).
	// Where another server was tested, it speaks of the collector beside it.
	TLSKey string `json:"tls_key,omitempty" oneof:"own foreign" show:"never"`
	// TLSInspector is what the issuer is known to be: network (a firewall or proxy)
	// or scanner (a virus scanner on this computer).
	TLSInspector string `json:"tls_inspector,omitempty" oneof:"network scanner" show:"never"`
	// TLSError is untrusted, expired, wrong_name, protocol or other.
	TLSError string `json:"tls_error,omitempty" oneof:"untrusted expired wrong_name protocol other" show:"never"`
	// ClockOffsetMS is this computer's clock less the server's in ms; positive
	// when this computer is fast.
	ClockOffsetMS *float64 `json:"clock_offset_ms,omitempty" range:"-1e13..1e13" show:"details dashboard"`
	// ClockUncertaintyMS is how far ClockOffsetMS may be off in ms, either way:
	// half the HTTP round trip, and 500 ms more where only a Date header was there.
	ClockUncertaintyMS *float64 `json:"clock_uncertainty_ms,omitempty" range:"-1e13..1e13" show:"never"`
	// ClockConfirmed says, where the two clocks differ by a minute or more, whether a
	// third one (of the collector beside another server, of the router, or the date
	// of this program) agrees with the server's: true; or with this computer's: false.
	ClockConfirmed *bool `json:"clock_confirmed,omitempty" show:"never"`
	// BesideProxy says, where a proxy is set, whether the server was also reached
	// directly: by a connection where the proxy brought the page, by the page where
	// it did not.
	BesideProxy *bool `json:"beside_proxy,omitempty" show:"never"`
	// TLSSmallPackets says, where the server took the connection and TLS hung,
	// whether it came about with packets of at most 1000 bytes of payload.
	TLSSmallPackets *bool `json:"tls_small_packets,omitempty" show:"never"`
}
