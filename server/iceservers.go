package server

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// ICEServers are STUN and TURN servers of other operators, such as those of the municipality's
// conference system. The zero value is none.
type ICEServers struct {
	// URLs are stun:, stuns:, turn: and turns: URLs (RFC 7064, RFC 7065).
	URLs []string
	// Only omits the collector's own servers.
	Only bool
	// Secret signs time-limited credentials for the TURN servers, as configured by their operator
	// (draft-uberti-behave-turn-rest-00; coturn's use-auth-secret). Without it, Username and
	// Password are used unchanged.
	Secret             []byte
	Username, Password string
	// Lifetime of the signed credentials; default 10 minutes.
	Lifetime time.Duration
}

const defaultICELifetime = 10 * time.Minute

func isRelay(url string) bool { return strings.HasPrefix(url, "turn") }

// Validate returns an error that states the problem and what to do.
func (e ICEServers) Validate() error {
	relays := slices.ContainsFunc(e.URLs, isRelay)
	proof := len(e.Secret) > 0 || e.Username != ""
	switch {
	case len(e.URLs) == 0 && (e.Only || proof):
		return errors.New("there is no ICE server to use it for: give one with --ice-server")
	case len(e.Secret) > 0 && e.Username != "":
		return errors.New("ICE servers have either a secret or a user name and password: give one of --ice-secret-file and --ice-credentials-file")
	case (e.Username == "") != (e.Password == ""):
		return errors.New("a user name and a password for the ICE servers go together")
	case relays && !proof:
		return errors.New("a TURN server requires credentials: give --ice-secret-file or --ice-credentials-file")
	case proof && !relays:
		return errors.New("credentials are for TURN servers, and --ice-server names none: write turn:HOST:3478 or turns:HOST:443")
	}
	for i, u := range e.URLs {
		if slices.Contains(e.URLs[:i], u) {
			return fmt.Errorf("ICE server %q is named twice", u)
		}
		if strings.HasPrefix(u, "turns:") && strings.HasSuffix(u, "transport=udp") {
			return fmt.Errorf("ICE server %q is TURN over DTLS, which no browser uses: write transport=tcp", u)
		}
		one := wire.ICEServer{URLs: []string{u}, Username: "u", Credential: "c"}
		if err := (wire.ICEConfig{ICEServers: []wire.ICEServer{one}}).Validate(); err != nil {
			return fmt.Errorf("ICE server %q: write stun:HOST:PORT, turn:HOST:PORT?transport=udp or turns:HOST:PORT?transport=tcp: %w", u, err)
		}
	}
	if err := e.add(wire.ICEConfig{}, "owner", time.Unix(0, 0)).Validate(); err != nil {
		return fmt.Errorf("ICE servers: at most %d of STUN and %d of TURN: %w", wire.MaxURLsPerServer, wire.MaxURLsPerServer, err)
	}
	return nil
}

// add adds the servers to own, or replaces own.
func (e ICEServers) add(own wire.ICEConfig, owner string, now time.Time) wire.ICEConfig {
	if len(e.URLs) == 0 {
		return own
	}
	c := own
	c.ICEServers = slices.Clone(own.ICEServers)
	if e.Only {
		// The state of the collector's reflector in own would be applied to the external servers:
		// their silence would be attributed to the participant.
		c = wire.ICEConfig{MeasureToken: own.MeasureToken}
	}
	var stun, turn []string
	for _, u := range e.URLs {
		if isRelay(u) {
			turn = append(turn, u)
		} else {
			stun = append(stun, u)
		}
	}
	if len(stun) > 0 {
		c.ICEServers = append(c.ICEServers, wire.ICEServer{URLs: stun})
	}
	if len(turn) == 0 {
		return c
	}
	s := wire.ICEServer{URLs: turn, Username: e.Username, Credential: e.Password}
	if len(e.Secret) > 0 {
		lifetime := e.Lifetime
		if lifetime <= 0 {
			lifetime = defaultICELifetime
		}
		expires := now.Add(lifetime).Truncate(time.Second).UTC()
		s.Username = fmt.Sprintf("%d:%s", expires.Unix(), e.pseudonym(owner))
		mac := hmac.New(sha1.New, e.Secret)
		mac.Write([]byte(s.Username))
		s.Credential = base64.StdEncoding.EncodeToString(mac.Sum(nil))
		if c.ExpiresAt == nil || expires.Before(*c.ExpiresAt) {
			c.ExpiresAt = &expires
		}
	}
	c.ICEServers = append(c.ICEServers, s)
	return c
}

// pseudonym identifies an agent in the log of the other operator: the same for each of its checks, so
// that a quota per user works, without a relation to a participant.
func (e ICEServers) pseudonym(owner string) string {
	mac := hmac.New(sha256.New, e.Secret)
	mac.Write([]byte("tonprobe agent " + owner))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}
