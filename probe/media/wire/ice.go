package wire

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Limits of an ICE configuration; browsers slow down with many servers.
const (
	MaxICEServers     = 8
	MaxURLsPerServer  = 8
	MaxICEFieldBytes  = 512
	MaxICEConfigBytes = 64 << 10
)

// ErrICEConfig means that a list of ICE servers cannot be used.
var ErrICEConfig = errors.New("invalid ICE configuration")

// ICEConfig is the JSON answer of GET /api/v1/ice. It has the form of the browser's RTCConfiguration, so a page can
// pass it on unchanged; browsers ignore additional fields.
type ICEConfig struct {
	ICEServers []ICEServer `json:"iceServers"`
	// ExpiresAt is the expiry of the credentials; nil if there are none.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	// HeardMS is the time in ms since another machine's UDP request last reached the reflector; nil if none has
	// since its start, or if unknown. It indicates that the reflector is reachable.
	HeardMS *int64 `json:"heard_ms,omitempty"`
	// AnsweredMS is the time in ms since the reflector last answered the collector's own UDP request; nil if it
	// does not, or if unknown. It indicates that the reflector runs, not that it is reachable.
	AnsweredMS *int64 `json:"answered_ms,omitempty"`
	// MeasureToken authorises measurements over connections of their own (PathLoad, PathWebSocket) for ten minutes,
	// and nothing else. A program that does not have the agent's token uses it. "" from an older collector.
	MeasureToken string `json:"measure_token,omitempty"`
}

// ICEServer is one RTCIceServer.
type ICEServer struct {
	URLs       []string `json:"urls"` // stun:, stuns: (RFC 7064), turn:, turns: (RFC 7065)
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// RelayCurves are the curves for TLS with a relay. The post-quantum hybrid (X25519MLKEM768) takes 1.2 kB in each
// direction to protect secrets in the long term, and there are none: the payload is a test pattern that DTLS encrypts
// again.
func RelayCurves() []tls.CurveID { return []tls.CurveID{tls.X25519, tls.CurveP256} }

// ParseICEConfig parses and validates the JSON. Every error is an [ErrICEConfig].
func ParseICEConfig(b []byte) (*ICEConfig, error) {
	if len(b) > MaxICEConfigBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d allowed", ErrICEConfig, len(b), MaxICEConfigBytes)
	}
	var c ICEConfig
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrICEConfig, err)
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &c, nil
}

// Validate returns an [ErrICEConfig] that describes the problem, or nil. An empty list is valid: on one LAN host
// candidates are sufficient.
func (c ICEConfig) Validate() error {
	if len(c.MeasureToken) > MaxICEFieldBytes || strings.ContainsFunc(c.MeasureToken, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("%w: the token for measurements is invalid", ErrICEConfig) // it becomes part of a header
	}
	if len(c.ICEServers) > MaxICEServers {
		return fmt.Errorf("%w: %d servers, at most %d allowed", ErrICEConfig, len(c.ICEServers), MaxICEServers)
	}
	for i, s := range c.ICEServers {
		if err := s.validate(); err != nil {
			return fmt.Errorf("%w: server %d: %w", ErrICEConfig, i, err)
		}
	}
	return nil
}

// Expired reports whether the credentials have expired at now.
func (c ICEConfig) Expired(now time.Time) bool {
	return c.ExpiresAt != nil && !now.Before(*c.ExpiresAt)
}

// HasTURN reports whether any server is a relay.
func (c ICEConfig) HasTURN() bool {
	for _, s := range c.ICEServers {
		for _, u := range s.URLs {
			if strings.HasPrefix(u, "turn") {
				return true
			}
		}
	}
	return false
}

func (s ICEServer) validate() error {
	if len(s.URLs) == 0 || len(s.URLs) > MaxURLsPerServer {
		return fmt.Errorf("%d urls, want 1 to %d", len(s.URLs), MaxURLsPerServer)
	}
	if len(s.Username) > MaxICEFieldBytes || len(s.Credential) > MaxICEFieldBytes {
		return fmt.Errorf("credential longer than %d bytes", MaxICEFieldBytes)
	}
	for _, u := range s.URLs {
		relay, err := checkICEURL(u)
		if err != nil {
			return err
		}
		if relay && (s.Username == "" || s.Credential == "") {
			return fmt.Errorf("url %q needs username and credential", u)
		}
	}
	return nil
}

// checkICEURL parses scheme:host[:port][?transport=udp|tcp]. net/url cannot be used, because these URLs are opaque and
// have no "//".
func checkICEURL(u string) (relay bool, err error) {
	if len(u) > MaxICEFieldBytes {
		return false, fmt.Errorf("url longer than %d bytes", MaxICEFieldBytes)
	}
	scheme, rest, _ := strings.Cut(u, ":")
	hostport, query, hasQuery := strings.Cut(rest, "?")
	switch scheme {
	case "turn", "turns":
		relay = true
		if hasQuery && query != "transport=udp" && query != "transport=tcp" {
			return relay, fmt.Errorf("url %q: query %q unknown", u, query)
		}
	case "stun", "stuns":
		if hasQuery {
			return relay, fmt.Errorf("url %q: STUN has no query", u)
		}
	default:
		return relay, fmt.Errorf("url %q: scheme is not stun, stuns, turn or turns", u)
	}
	if err := checkHostPort(hostport); err != nil {
		return relay, fmt.Errorf("url %q: %w", u, err)
	}
	return relay, nil
}

func checkHostPort(hostport string) error {
	host, port := hostport, ""
	if strings.Contains(hostport, "]:") || strings.Count(hostport, ":") == 1 {
		var err error
		if host, port, err = net.SplitHostPort(hostport); err != nil {
			return err
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("port %q out of range", port)
		}
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	} else if strings.Contains(host, ":") {
		return errors.New("an IPv6 address must be in brackets")
	}
	if host == "" || strings.ContainsAny(host, " /@\\<>\"'#[]\r\n\t") {
		return errors.New("no valid host")
	}
	return nil
}
