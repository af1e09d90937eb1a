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
		{Name: ProbeNetworkWeb, Data: (*NetworkWeb)(nil), Against: AgainstTarget},
		{Name: ProbeNetworkPath, Data: (*NetworkPath)(nil), Remote: true},
	}
}

// NetworkWeb contains the steps of a connection to a web server.
type NetworkWeb struct {
	// Stage is the last step that succeeded: "", dns, tcp, tls, http.
	Stage string `json:"stage" oneof:"dns tcp tls http" show:"never"`
	// Online is false if not even the local network answers (no route, no address),
	// true if any step reached another machine.
	Online *bool `json:"online,omitempty" show:"never"`
	// NoRoute is true if this computer has no route to any address of the server: it
	// lacks the family of addresses that the server has.
	NoRoute *bool `json:"no_route,omitempty" show:"never"`
	// DNSMS is the time to look the name up in ms.
	DNSMS *float64 `json:"dns_ms,omitempty" show:"details dashboard"`
	// TCPMS is the time to connect in ms, to the address that answered.
	TCPMS *float64 `json:"tcp_ms,omitempty" show:"details dashboard"`
	// TLSMS is the time of the TLS handshake in ms.
	TLSMS *float64 `json:"tls_ms,omitempty" show:"details dashboard"`
	// HTTPMS is the time from the request to the first byte of the response in ms.
	HTTPMS *float64 `json:"http_ms,omitempty" show:"details dashboard"`
	// HTTPStatus is the status code of the response.
	HTTPStatus *int `json:"http_status,omitempty" range:"100..999" show:"never"`
	// ServerHealthy is false if the server itself responded with an error (5xx).
	ServerHealthy *bool `json:"server_healthy,omitempty" show:"never"`
	// DNSError is why the name could not be resolved: not_found, hidden (it exists, but
	// a name server withholds its addresses, for example to prevent DNS rebinding),
	// timeout, refused, servfail, truncated, false (the answer was an unusable address
	// or that of the local router), search_domain (the name exists only with the
	// network's own domain appended), hijacked (names that cannot exist get the same
	// address) or other.
	DNSError string `json:"dns_error,omitempty" oneof:"not_found hidden timeout refused servfail truncated false search_domain hijacked other" show:"never"`
	// AddressFrom is who named the address that was tested: the participant, the
	// municipality (a target of the collector), or the collector, whose own address it is.
	AddressFrom string `json:"address_from,omitempty" oneof:"participant municipality collector" show:"never"`
	// DNSServerSilent is true if the first of several name servers did not answer three
	// queries while another one did: most programs wait 5 s for the first.
	DNSServerSilent *bool `json:"dns_server_silent,omitempty" show:"never"`
	// DNSSilent6 is true if the name servers answered for IPv4, but not three queries
	// for IPv6: most programs wait for both.
	DNSSilent6 *bool `json:"dns_silent6,omitempty" show:"never"`
	// Proxy is the kind of proxy, never its address: none, http, https or socks5.
	Proxy string `json:"proxy,omitempty" oneof:"none http https socks5" show:"details dashboard"`
	// ProxyFault is why the proxy, or the script that selects it, does not work:
	// unresolved, refused, silent, certificate (of the proxy), login, forbidden,
	// redirect, failing (it cannot reach the server), not_a_proxy, unknown_kind,
	// script, script_missing, or script_gone.
	ProxyFault string `json:"proxy_fault,omitempty" oneof:"unresolved refused silent certificate login forbidden redirect failing not_a_proxy unknown_kind script script_missing script_gone" show:"never"`
	// ProxyOffered is true if there is no direct connection, and the network announces
	// a proxy (WPAD) that this computer is not configured to use.
	ProxyOffered *bool `json:"proxy_offered,omitempty" show:"never"`
	// WebSocket is true if an upgrade to a WebSocket succeeded, false if another
	// machine than the collector removed, refused or cut it, while the collector
	// answered the same request without it.
	WebSocket *bool `json:"websocket,omitempty" show:"dashboard" against:"collector"`
	// WebSocketBy is where that machine is: between (this computer and the server),
	// server (behind the server's own encryption) or unknown.
	WebSocketBy string `json:"websocket_by,omitempty" oneof:"between server unknown" show:"never" against:"collector"`
	// CaptivePortal is true if two independent signs show a login page in place of the
	// server.
	CaptivePortal *bool `json:"captive_portal,omitempty" show:"dashboard"`
	// TLSIntercepted is true if another certificate authority than expected has signed
	// for the server.
	TLSIntercepted *bool `json:"tls_intercepted,omitempty" show:"never"`
	// TLSKey is whose key the certificate on the connection to the collector had: own
	// (the collector's, renewed or not) or foreign (of a machine that intercepts TLS).
	// It refers to the collector even if another server was tested.
	TLSKey string `json:"tls_key,omitempty" oneof:"own foreign" show:"never" against:"collector"`
	// TLSInspector is the known kind of the issuer: network (a firewall or proxy) or
	// scanner (a virus scanner on this computer).
	TLSInspector string `json:"tls_inspector,omitempty" oneof:"network scanner" show:"never"`
	// TLSError is untrusted, expired, wrong_name, protocol or other.
	TLSError string `json:"tls_error,omitempty" oneof:"untrusted expired wrong_name protocol other" show:"never"`
	// TLSIncomplete is true if TLSError is untrusted and the server's chain lacks an
	// intermediate certificate, false if it does not.
	TLSIncomplete *bool `json:"tls_incomplete,omitempty" show:"never"`
	// ClockOffsetMS is this computer's clock minus the server's in ms; positive if this
	// computer is ahead.
	ClockOffsetMS *float64 `json:"clock_offset_ms,omitempty" range:"-1e13..1e13" show:"details dashboard"`
	// ClockUncertaintyMS is the maximum error of ClockOffsetMS in ms in either
	// direction: half of the HTTP round trip, plus 500 ms if there was only a Date
	// header.
	ClockUncertaintyMS *float64 `json:"clock_uncertainty_ms,omitempty" range:"-1e13..1e13" show:"never"`
	// ClockConfirmed reports, if the two clocks differ by at least a minute, whether a
	// third one (of the collector beside another server, of the router, or the build
	// date of this program) agrees with the server's (true) or with this computer's
	// (false).
	ClockConfirmed *bool `json:"clock_confirmed,omitempty" show:"never"`
	// BesideProxy reports, if a proxy is set, whether the server was also reached
	// directly: by a connection if the proxy delivered the page, otherwise by the page.
	BesideProxy *bool `json:"beside_proxy,omitempty" show:"never"`
	// TLSSmallPackets reports, if the server accepted the connection and TLS hung,
	// whether TLS succeeded with packets of at most 1000 bytes of payload.
	TLSSmallPackets *bool `json:"tls_small_packets,omitempty" show:"never"`
}
