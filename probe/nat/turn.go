package nat

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TURNConfig says whose relays to try.
type TURNConfig struct {
	// ICE returns the servers and the credentials for them. The first of each
	// way is tried. Data through a relay is asked of the first STUN server, or
	// of the relay's own port.
	ICE func(ctx context.Context) (wire.ICEConfig, error)
	// Timers of retransmission; the zero value is DefaultTimers.
	Timers Timers
	// RootCAs sign for turns: servers; nil means the system's.
	RootCAs *x509.CertPool
}

// NewTURN is the probe "nat.turn": a relay over UDP, TCP and TLS, each a result
// of its own (RFC 8656). Its data is a *report.NATTURN.
func NewTURN(c TURNConfig) probe.Probe {
	if c.Timers == (Timers{}) {
		c.Timers = DefaultTimers
	}
	return relays{c}
}

type relays struct{ TURNConfig }

func (relays) Name() string { return report.ProbeNATTURN }
func (relays) Version() int { return 1 }

// waysApart is how long after one way the next begins. A relay costs a dozen
// packets, over TLS three times as many bytes as over UDP: at once they are half
// of what a check may put on a narrow line within a second.
const waysApart = 400 * time.Millisecond

// Run tries the ways side by side, one beginning after the other.
func (p relays) Run(ctx context.Context, env probe.Env) (probe.Result, error) {
	data := &report.NATTURN{}
	unknown := func(note string) (probe.Result, error) {
		return probe.Result{Status: report.StatusUnknown, Note: note, Data: data}, nil
	}
	if p.ICE == nil {
		return unknown("no TURN server is configured")
	}
	config, err := p.ICE(ctx)
	if err != nil {
		env.Log.Info("no list of TURN servers", "err", err)
		return unknown("the list of TURN servers could not be fetched")
	}
	servers := relaysOf(config)
	data.Ways = new(len(servers))
	if len(servers) == 0 {
		return unknown("no TURN server is configured")
	}
	peers := sync.OnceValue(func() []target { return resolve(ctx, env, serversOf(config)) })
	outcomes := make([]outcome, len(servers))
	var wg sync.WaitGroup
	wg.Go(func() { peers() }) // while the relays are being asked for
	for i, s := range servers {
		wg.Go(func() {
			if env.Clock.Sleep(ctx, time.Duration(i)*waysApart) == nil {
				outcomes[i] = p.try(ctx, env, s, peers)
			}
		})
	}
	wg.Wait()
	for i, s := range servers {
		outcomes[i].write(data, s.way)
	}
	return judgeRelays(data, outcomes), nil
}

// judgeRelays: one relay that works is enough. Where no way got any answer the
// server itself may be down, and nothing is said about the line.
func judgeRelays(data *report.NATTURN, outcomes []outcome) probe.Result {
	r := probe.Result{Status: report.StatusUnknown, Note: "no TURN server answered in any way", Data: data}
	if !slices.ContainsFunc(outcomes, func(o outcome) bool { return o.asked }) {
		r.Note = "the test of the TURN servers could not be finished"
	}
	for _, o := range outcomes {
		switch {
		case o.allocated && (o.relayed == nil || *o.relayed):
			return probe.Result{Status: report.StatusOK, Data: data}
		case o.allocated || o.fault == faultAuth || o.fault == faultQuota || o.fault == faultTLS:
			r.Status, r.Note = report.StatusWarn, ""
		}
	}
	return r
}

// way is how a relay is reached.
type way int

const (
	overUDP way = iota
	overTCP
	overTLS
)

// relayServer is one TURN server and way.
type relayServer struct {
	way                  way
	host                 string
	port                 int
	username, credential string
}

func (s relayServer) address() string { return net.JoinHostPort(s.host, strconv.Itoa(s.port)) }

const turnsPort = 5349 // RFC 8656 §18

// relaysOf are the first servers of each way.
func relaysOf(c wire.ICEConfig) (servers []relayServer) {
	var have [3]bool
	for _, s := range c.ICEServers {
		for _, u := range s.URLs {
			r, ok := parseRelayURL(u)
			if !ok || have[r.way] {
				continue
			}
			have[r.way] = true
			r.username, r.credential = s.Username, s.Credential
			servers = append(servers, r)
		}
	}
	return servers
}

// parseRelayURL reads turn: and turns: URLs (RFC 7065).
func parseRelayURL(u string) (relayServer, bool) {
	scheme, rest, _ := strings.Cut(u, ":")
	rest, query, _ := strings.Cut(rest, "?")
	r := relayServer{way: overUDP}
	var usual int
	switch {
	case scheme == "turn" && (query == "" || query == "transport=udp"):
		usual = stunPort
	case scheme == "turn" && query == "transport=tcp":
		r.way, usual = overTCP, stunPort
	case scheme == "turns" && (query == "" || query == "transport=tcp"):
		r.way, usual = overTLS, turnsPort
	default: // turns over UDP is DTLS, which no client uses
		return r, false
	}
	// The rest has the form of a stun: URL.
	s, ok := parseURL("stun:" + rest)
	r.host, r.port = s.host, s.port
	if _, _, err := net.SplitHostPort(rest); err != nil {
		r.port = usual
	}
	return r, ok
}

// Faults, as they stand in the report.
const (
	faultUnreachable = "unreachable"
	faultAuth        = "auth_failed"
	faultQuota       = "quota"
	faultTLS         = "tls"
	faultOther       = "other"
)

// outcome is how one way ended.
type outcome struct {
	asked     bool // false: stopped before it could be told
	allocated bool
	relayed   *bool
	rttMS     *float64
	fault     string
}

func (o outcome) write(d *report.NATTURN, w way) {
	if !o.asked {
		return
	}
	switch w {
	case overUDP:
		d.UDPAllocated, d.UDPRelayed, d.UDPRTTMS, d.UDPError = new(o.allocated), o.relayed, o.rttMS, o.fault
	case overTCP:
		d.TCPAllocated, d.TCPRelayed, d.TCPRTTMS, d.TCPError = new(o.allocated), o.relayed, o.rttMS, o.fault
	case overTLS:
		d.TLSAllocated, d.TLSRelayed, d.TLSRTTMS, d.TLSError = new(o.allocated), o.relayed, o.rttMS, o.fault
	}
}

// try asks one server for a relay and sends data through it.
func (p relays) try(ctx context.Context, env probe.Env, s relayServer, peers func() []target) (o outcome) {
	outer := ctx
	var at netip.AddrPort
	if s.way == overUDP {
		found := resolve(ctx, env, []server{{host: s.host, port: s.port, udp: true}})
		if len(found) == 0 {
			return outcome{}
		}
		at = found[0].addr
	}
	within(ctx, env, 2*p.Timers.Total(), func(ctx context.Context) {
		conn, at, err := p.connect(ctx, env, s, at)
		if err != nil {
			o = connectFault(err)
			return
		}
		defer conn.Close()
		// The address, not the name: the library would look it up without an end.
		client, err := turn.NewClient(&turn.ClientConfig{
			TURNServerAddr: at.String(), Conn: conn, Username: s.username, Password: s.credential,
			RTO: p.Timers.RTO, Net: env.Net,
			LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard},
		})
		if err != nil {
			env.Log.Warn("no TURN client", "err", err)
			return
		}
		defer client.Close()
		// The library knows no context; closing ends what it waits for.
		stop := context.AfterFunc(ctx, func() { client.Close(); _ = conn.Close() })
		defer stop()
		o = p.use(ctx, env, client, peers)
	})
	if outer.Err() != nil && !o.allocated {
		return outcome{} // stopped: silence means nothing then
	}
	return o
}

// connect opens what the TURN client speaks over, and says where the server is;
// over UDP that is at.
func (p relays) connect(ctx context.Context, env probe.Env, s relayServer, at netip.AddrPort) (net.PacketConn, netip.AddrPort, error) {
	if s.way == overUDP {
		conn, err := bind(env, at)
		return conn, at, err
	}
	conn, err := env.Dial(ctx, "tcp", s.address())
	if err != nil {
		return nil, at, fmt.Errorf("connect to the TURN server: %w", err)
	}
	remote, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		_ = conn.Close()
		return nil, at, errors.New("connect to the TURN server: its address is not known")
	}
	if s.way == overTLS {
		secure := tls.Client(conn, &tls.Config{
			ServerName: s.host, RootCAs: p.RootCAs, Time: env.Clock.Now,
			CurvePreferences: wire.RelayCurves(),
		})
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, at, fmt.Errorf("TLS with the TURN server: %w", err)
		}
		conn = secure
	}
	return turn.NewSTUNConn(conn), remote.AddrPort(), nil
}

// bind opens a UDP socket that sends from the address the way leads from.
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

// connectFault places a connection that did not come about. A name that nobody
// knows says nothing about the way.
func connectFault(err error) outcome {
	if _, unnamed := errors.AsType[*net.DNSError](err); unnamed {
		return outcome{}
	}
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	if errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert) {
		return outcome{asked: true, fault: faultTLS}
	}
	return outcome{asked: true, fault: faultUnreachable}
}

func (p relays) use(ctx context.Context, env probe.Env, client *turn.Client, peers func() []target) outcome {
	if err := client.Listen(); err != nil {
		return outcome{asked: true, fault: faultOther}
	}
	relayed, err := client.Allocate()
	if err != nil {
		env.Log.Info("no relay", "err", err)
		return outcome{asked: true, fault: allocateFault(err)}
	}
	defer relayed.Close() // gives the relay back
	o := outcome{asked: true, allocated: true}
	if peer, ok := peerFor(relayed.LocalAddr(), peers()); ok {
		o.relayed, o.rttMS = p.echo(ctx, env, relayed, peer)
	}
	return o
}

// allocateFault reads the server's refusal (RFC 8656 §19, RFC 8489 §14.8).
func allocateFault(err error) string {
	var refusal *stun.TurnError
	if !errors.As(err, &refusal) {
		if errors.Is(err, stun.ErrAttributeNotFound) {
			return faultOther // an answer, but no TURN server's
		}
		return faultUnreachable
	}
	switch refusal.ErrorCodeAttr.Code {
	case stun.CodeUnauthorized, stun.CodeStaleNonce, stun.CodeWrongCredentials,
		stun.CodeBadRequest: // what pion's server says to a wrong password
		return faultAuth
	case stun.CodeAllocQuotaReached, stun.CodeInsufficientCapacity:
		return faultQuota
	}
	return faultOther
}

// peerFor is a STUN server that the relay's socket can reach.
func peerFor(relay net.Addr, peers []target) (netip.AddrPort, bool) {
	at, ok := relay.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	for _, p := range peers {
		if p.udp && p.addr.Addr().Is4() == (at.IP.To4() != nil) {
			return p.addr, true
		}
	}
	return netip.AddrPort{}, false
}

// echoes is how many answers through the relay are enough for a round trip.
const echoes = 3

// echo asks peer through the relay. It is nil when the relay does not let us,
// which says nothing about the line.
func (p relays) echo(ctx context.Context, env probe.Env, relay net.PacketConn, peer netip.AddrPort) (relayed *bool, rttMS *float64) {
	to := net.UDPAddrFromAddrPort(peer)
	buf := make([]byte, maxPacket)
	answers := 0
	for _, wait := range p.Timers.waits() {
		id, err := newTransactionID(env.Rand)
		if err != nil {
			return nil, nil
		}
		request, err := bindingRequest(id)
		if err != nil {
			return nil, nil
		}
		sent := env.Clock.Now()
		// The first packet asks for the permission as well and takes longer; the
		// shortest round trip leaves that out.
		if _, err := relay.WriteTo(request, to); err != nil {
			env.Log.Info("the relay takes no data", "err", err)
			return nil, nil
		}
		if relayedAnswer(ctx, relay, buf, id, wait) {
			rtt := float64(env.Clock.Now().Sub(sent)) / float64(time.Millisecond)
			if answers++; rttMS == nil || rtt < *rttMS {
				rttMS = &rtt
			}
		}
		if answers == echoes || ctx.Err() != nil {
			break
		}
	}
	if answers == 0 && ctx.Err() != nil {
		return nil, nil
	}
	return new(answers > 0), rttMS
}

func relayedAnswer(ctx context.Context, relay net.PacketConn, buf []byte, id transactionID, wait time.Duration) bool {
	if relay.SetReadDeadline(time.Now().Add(wait)) != nil {
		return false
	}
	for ctx.Err() == nil {
		n, _, err := relay.ReadFrom(buf)
		if err != nil {
			return false
		}
		if _, err := parseBinding(buf[:n], id); err == nil {
			return true
		}
	}
	return false
}
