package peer

import (
	"context"
	"errors"
	"net/netip"
	"strings"

	"github.com/pion/webrtc/v4"
)

// AwaitPath waits for a path for packets, and AwaitKeys for the keys of the encryption.
// The errors are ErrNoPath, ErrNoKeys or ctx's.
func (c *Connection) AwaitPath(ctx context.Context) error {
	return c.await(ctx, c.states.Path, ErrNoPath)
}

// AwaitKeys is described at AwaitPath.
func (c *Connection) AwaitKeys(ctx context.Context) error {
	return c.await(ctx, c.states.Keys, ErrNoKeys)
}

func (c *Connection) await(ctx context.Context, up <-chan struct{}, fault error) error {
	select {
	case <-up:
		return nil
	case <-c.states.Down:
		return fault
	case <-ctx.Done():
		return errors.Join(fault, ctx.Err())
	}
}

// Path returns the kind and transport of the local end of the path, such as "host udp";
// for a relay, the transport to the relay.
func (c *Connection) Path() string {
	pair, err := c.selected()
	if err != nil || pair == nil {
		return ""
	}
	if pair.Local.Typ == webrtc.ICECandidateTypeRelay {
		return "relay " + c.relayTransport(pair.Local)
	}
	return pair.Local.Typ.String() + " " + pair.Local.Protocol.String()
}

// selected returns the path. All streams and data share one transport (BUNDLE, RFC 9143).
func (c *Connection) selected() (*webrtc.ICECandidatePair, error) {
	return c.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
}

// relayTransport returns the transport to a relay: udp, tcp or tls.
func (c *Connection) relayTransport(local *webrtc.ICECandidate) string {
	for _, s := range c.pc.GetStats() {
		if found, ok := s.(webrtc.ICECandidateStats); ok && found.Type == webrtc.StatsTypeLocalCandidate &&
			found.RelayProtocol != "" && found.IP == local.Address && found.Port == int32(local.Port) {
			return found.RelayProtocol
		}
	}
	return "udp"
}

// ServerAddress returns the address and port of the server's end of the path.
func (c *Connection) ServerAddress() (netip.AddrPort, bool) {
	pair, err := c.selected()
	if err != nil || pair == nil {
		return netip.AddrPort{}, false
	}
	ip, err := netip.ParseAddr(pair.Remote.Address)
	return netip.AddrPortFrom(ip.Unmap(), pair.Remote.Port), err == nil
}

// Gathered reports whether the local description contains an address that the transport
// permits, such as one of a relay.
func (c *Connection) Gathered() bool {
	own := c.pc.LocalDescription()
	return own != nil && strings.Contains(own.SDP, "a=candidate:")
}
