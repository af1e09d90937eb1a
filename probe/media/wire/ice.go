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

// Caps of an ICE configuration; a browser slows down beyond a few servers.
const (
	MaxICEServers     = 8
	MaxURLsPerServer  = 8
	MaxICEFieldBytes  = 512
	MaxICEConfigBytes = 64 << 10
)

// ErrICEConfig says that a list of ICE servers cannot be used.
var ErrICEConfig = errors.New("invalid ICE configuration")

// ICEConfig is the JSON answer of GET /api/v1/ice. It is spelt as the browser's
// RTCConfiguration, so a page passes it on as it is; the browser ignores
// what is not its own.
type ICEConfig struct {
	ICEServers []ICEServer `json:"iceServers"`
	// ExpiresAt is when the credentials end; nil when there are none.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	// HeardMS is how long ago, in ms, another machine's question over UDP reached
	// the reflector; nil when none did since it started, or that is not known. It
	// is the collector's word that its reflector can be reached.
	HeardMS *int64 `json:"heard_ms,omitempty"`
	// AnsweredMS is how long ago, in ms, the reflector last answered the
	// collector's own question over UDP; nil when it does not, or that is not
	// known. It says that the reflector is awake, not that anybody reaches it.
	AnsweredMS *int64 `json:"answered_ms,omitempty"`
}

// ICEServer is one RTCIceServer.
type ICEServer struct {
	URLs       []string `json:"urls"` // stun:, stuns: (RFC 7064), turn:, turns: (RFC 7065)
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

// RelayCurves are for TLS with a relay. The hybrid key exchange that keeps a
// secret from tomorrow's quantum computers (X25519MLKEM768) takes 1.2 kB each way,
// and there is none: what goes through is a test pattern, and DTLS encrypts it
// once more.
func RelayCurves() []tls.CurveID { return []tls.CurveID{tls.X25519, tls.CurveP256} }

// ParseICEConfig reads and validates the JSON. Every fault is an [ErrICEConfig].
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

// Validate says what is wrong as an [ErrICEConfig], or nil. An empty list is
// valid: on one LAN host candidates are enough.
func (c ICEConfig) Validate() error {
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

// Expired says whether the credentials are no longer good at now.
func (c ICEConfig) Expired(now time.Time) bool {
	return c.ExpiresAt != nil && !now.Before(*c.ExpiresAt)
}

// HasTURN says whether any server relays.
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

// checkICEURL reads scheme:host[:port][?transport=udp|tcp]. net/url is of no
// use here: these URLs are opaque and have no "//".
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
			return relay, fmt.Errorf("url %q: STUN takes no query", u)
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
		return errors.New("an IPv6 address must stand in brackets")
	}
	if host == "" || strings.ContainsAny(host, " /@\\<>\"'#[]\r\n\t") {
		return errors.New("no valid host")
	}
	return nil
}
