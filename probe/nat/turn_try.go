package nat

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/turnframe"
	"github.com/tonprobe/tonprobe/probe/network/proxy"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Faults in the report.
const (
	faultUnreachable = "unreachable"
	faultAuth        = "auth_failed"
	faultQuota       = "quota"
	faultTLS         = "tls"
	faultDenied      = "denied" // the permission for the peer
	faultOther       = "other"
)

// outcome is the result of one relay.
type outcome struct {
	asked      bool // false: cancelled before there was a result, or unnamed
	unnamed    bool // the name could not be resolved
	allocated  bool
	relayed    *bool
	permitted  *bool
	rttMS      *float64
	fault      string
	redirected bool // a server other than the requested one responded
}

// of returns the outcome in the form of the report.
func (o outcome) of(s relayServer) report.TURNRelay {
	r := report.TURNRelay{
		Transport: s.transport.String(), Port: new(s.port), Allocated: new(o.allocated),
		Relayed: o.relayed, Permitted: o.permitted, RTTMS: o.rttMS, Error: o.fault,
	}
	if o.redirected {
		r.Redirected = new(true)
	}
	return r
}

// rank orders the outcomes of one transport: a relay that carries data, one that
// was not tested with data, one that does not carry data, an error response,
// silence.
func (o outcome) rank() int {
	switch {
	case !o.asked:
		return 0
	case o.allocated && o.relayed != nil && *o.relayed:
		return 5
	case o.allocated && o.relayed == nil:
		return 4
	case o.allocated:
		return 3
	case o.fault != faultUnreachable:
		return 2
	}
	return 1
}

// best returns the outcome of the best relay of a transport: one that works is
// sufficient.
func best(servers []relayServer, outcomes []outcome, t relayTransport) (b outcome) {
	for i, o := range outcomes {
		if servers[i].transport == t && o.rank() > b.rank() {
			b = o
		}
	}
	return b
}

func (o outcome) write(d *report.NATTURN, t relayTransport) {
	if !o.asked {
		return
	}
	switch t {
	case overUDP:
		d.UDPAllocated, d.UDPRelayed, d.UDPRTTMS, d.UDPError = new(o.allocated), o.relayed, o.rttMS, o.fault
	case overTCP:
		d.TCPAllocated, d.TCPRelayed, d.TCPRTTMS, d.TCPError = new(o.allocated), o.relayed, o.rttMS, o.fault
	case overTLS:
		d.TLSAllocated, d.TLSRelayed, d.TLSRTTMS, d.TLSError = new(o.allocated), o.relayed, o.rttMS, o.fault
	}
}

// try allocates a relay and sends data through it, at the listed server or the one
// that it redirects to.
func (p relays) try(ctx context.Context, env probe.Env, s relayServer, peers func() []target) (o outcome) {
	outer := ctx
	if s.transport == overUDP {
		found := resolve(ctx, env, []server{{host: s.host, port: s.port, udp: true}})
		if len(found) == 0 {
			return outcome{unnamed: outer.Err() == nil}
		}
		// Without a route nothing is sent, which says nothing about the relay.
		routed := slices.IndexFunc(found, func(t target) bool { return hasRoute(env, t.addr) })
		if routed < 0 {
			return outcome{}
		}
		s.at = found[routed].addr
	}
	withinExcept(ctx, env, 2*p.Timers.Total(), func(ctx context.Context, except func(func())) {
		renew := p.renew
		p.renew = func(ctx context.Context) (err error) {
			except(func() { err = renew(ctx) })
			return err
		}
		o = p.follow(ctx, env, s, peers)
	})
	if outer.Err() != nil && !o.allocated {
		return outcome{} // cancelled: silence is inconclusive
	}
	return o
}

// maxRedirects limits a chain of different servers.
const maxRedirects = 4

// follow tries s and the servers that it redirects to. A server is not tried twice
// (RFC 8489 §10).
func (p relays) follow(ctx context.Context, env probe.Env, s relayServer, peers func() []target) outcome {
	asked := map[netip.AddrPort]bool{}
	for redirects := 0; ; redirects++ {
		o, at, next := p.askOnce(ctx, env, s, peers)
		o.redirected = redirects > 0 && o.asked
		if !next.isValid() || ctx.Err() != nil {
			return o
		}
		asked[at] = true
		if redirects == maxRedirects || asked[next.at] {
			env.Log.Info("TURN servers redirect in a loop")
			return outcome{asked: true, fault: faultOther, redirected: true}
		}
		s = next.apply(s)
	}
}

// askOnce requests a relay from one server. at is its address; next is valid if the
// server responded with a redirection.
func (p relays) askOnce(ctx context.Context, env probe.Env, s relayServer, peers func() []target) (o outcome, at netip.AddrPort, next alternate) {
	conn, at, err := p.connect(ctx, env, s)
	if errors.Is(err, errNoTurn) {
		return outcome{}, at, next
	}
	if err != nil {
		return connectFault(err), at, next
	}
	defer conn.Close()
	watched := &watchedConn{PacketConn: conn, family4: at.Addr().Unmap().Is4()}
	// An address instead of the name, whose lookup by the library has no time
	// limit.
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: at.String(), Conn: watched, Username: s.username, Password: s.credential,
		RTO: p.Timers.RTO, Net: env.Net,
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard},
	})
	if err != nil {
		env.Log.Warn("no TURN client", "err", err)
		return outcome{}, at, next
	}
	defer client.Close()
	// The library does not support contexts; closing the client ends its waits.
	stop := context.AfterFunc(ctx, func() { client.Close(); _ = conn.Close() })
	defer stop()
	o = p.use(ctx, env, client, watched, peers)
	return o, at, watched.redirection()
}

// errNoTurn means that the check ended before the line budget had room for the relay.
var errNoTurn = errors.New("there was no time to ask the relay")

// connect opens the connection for the TURN client and returns the server's
// address.
func (p relays) connect(ctx context.Context, env probe.Env, s relayServer) (conn net.PacketConn, at netip.AddrPort, err error) {
	if s.transport == overUDP {
		if p.renew(ctx) != nil {
			return nil, at, errNoTurn
		}
		conn, err := bind(env, s.at)
		return conn, s.at, err
	}
	return p.connectStream(ctx, env, s)
}

// connectTime limits a connection attempt: a port that a firewall drops must not
// use up the time of the probe. A lost SYN is repeated after one and after three
// seconds (RFC 6298 §5.5).
func (p relays) connectTime() time.Duration {
	return p.Timers.Total() + time.Duration(p.Timers.Rm)*p.Timers.RTO
}

func (p relays) connectStream(ctx context.Context, env probe.Env, s relayServer) (net.PacketConn, netip.AddrPort, error) {
	var at netip.AddrPort
	var conn net.Conn
	var err error
	within(ctx, env, p.connectTime(), func(ctx context.Context) {
		proxied := proxy.Dialer{Dial: env.Dial, Proxy: p.Proxy, RootCAs: p.RootCAs}
		conn, _, err = proxied.DialContext(ctx, "tcp", s.address())
	})
	if err != nil {
		return nil, at, fmt.Errorf("connect to the TURN server: %w", err)
	}
	remote, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		_ = conn.Close()
		return nil, at, errors.New("connect to the TURN server: its address is unknown")
	}
	if p.renew(ctx) != nil {
		_ = conn.Close()
		return nil, at, errNoTurn
	}
	if s.transport == overTLS {
		secure := tls.Client(conn, &tls.Config{
			ServerName: s.domain, RootCAs: p.RootCAs, Time: env.Clock.Now,
			CurvePreferences: wire.RelayCurves(),
		})
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, at, fmt.Errorf("TLS with the TURN server: %w", err)
		}
		conn = secure
	}
	return turn.NewSTUNConn(turnframe.Conn{Conn: conn}), remote.AddrPort(), nil
}

// bind opens a UDP socket on the local address that the route to to uses.
func bind(env probe.Env, to netip.AddrPort) (net.PacketConn, error) {
	network := "udp4"
	if to.Addr().Is6() {
		network = "udp6"
	}
	from := &net.UDPAddr{}
	if local := localAddr(env, network, to); local.IsValid() {
		from = net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0))
	}
	conn, err := env.Net.ListenUDP(network, from)
	if err != nil {
		return nil, fmt.Errorf("open a UDP socket: %w", err)
	}
	return conn, nil
}

// connectFault classifies a failed connection. A name that cannot be resolved says
// nothing about the transport.
func connectFault(err error) outcome {
	if _, unnamed := errors.AsType[*net.DNSError](err); unnamed {
		return outcome{unnamed: true}
	}
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	if errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert) {
		return outcome{asked: true, fault: faultTLS}
	}
	return outcome{asked: true, fault: faultUnreachable}
}

// staleNonces limits how often a server may reject its own nonce as stale.
// Otherwise requests to a server that never accepts one would not end (RFC 8489
// §9.2.5).
const staleNonces = 3

func (p relays) use(ctx context.Context, env probe.Env, client *turn.Client, watched *watchedConn, peers func() []target) outcome {
	if err := client.Listen(); err != nil {
		return outcome{asked: true, fault: faultOther}
	}
	var relayed net.PacketConn
	var err error
	for range staleNonces {
		// Each attempt starts without credentials and so gets a new nonce.
		relayed, err = client.Allocate()
		if err == nil || watched.refusal() != stun.CodeStaleNonce || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		env.Log.Info("no relay", "err", err)
		return outcome{asked: true, fault: watched.fault(err)}
	}
	defer relayed.Close() // deallocates the relay
	o := outcome{asked: true, allocated: true}
	if p.permit.IsValid() {
		o.permitted, o.fault = p.permission(ctx, client, relayed.LocalAddr(), watched)
		return o
	}
	if peer, ok := peerFor(relayed.LocalAddr(), peers()); ok {
		o.relayed, o.rttMS = p.echo(ctx, env, relayed, peer)
	}
	return o
}
