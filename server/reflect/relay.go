package reflect

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/turn/v5"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/pionlog"
)

// relay is STUN and TURN on one port. Binding requests need no credentials.
type relay struct {
	server    *turn.Server
	discovery *discovery
	addr      netip.AddrPort   // the first of addrs
	addrs     []netip.AddrPort // of the STUN port
	tlsAddr   netip.AddrPort   // invalid without TLS
	cfg       Config
	count     *counters

	mu    sync.Mutex
	open  map[string]int // allocations by owner
	total int
}

func openRelay(cfg Config, media *mediaPort, count *counters) (*relay, error) {
	p, err := openPorts(cfg.STUNListen, cfg.Log)
	if err != nil {
		return nil, fmt.Errorf("open the STUN port: %w", err)
	}
	r := &relay{addr: p.addrs[0], addrs: p.addrs, cfg: cfg, count: count, open: map[string]int{}}
	if r.discovery, err = openDiscovery(p, cfg.STUNAlternate, cfg.Now, cfg.Log); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	sockets := &relaySockets{
		media: media, stun: p.addrs, count: count,
		lifetime: cfg.Limits.RelayLifetime, perSecond: relayRate(cfg.Limits),
	}
	tc := turn.ServerConfig{
		Realm:              cfg.TURNRealm,
		LoggerFactory:      pionlog.To{Log: cfg.Log},
		AuthHandler:        r.authenticate,
		QuotaHandler:       r.mayAllocate,
		AllocationLifetime: cfg.Limits.RelayLifetime,
		EventHandler: turn.EventHandler{
			OnAllocationCreated: func(_, _ net.Addr, _, user, _ string, _ net.Addr, _ int) { r.opened(user, 1) },
			OnAllocationDeleted: func(_, _ net.Addr, _, user, _ string) { r.opened(user, -1) },
		},
		ListenerConfigs: []turn.ListenerConfig{{
			Listener:              newBoundedListener(p.tcp, cfg.Limits.TCPConns, cfg.Limits.TCPIdle),
			RelayAddressGenerator: sockets, PermissionHandler: sockets.mayReach,
		}},
	}
	if cfg.TLSConfig != nil {
		l, err := net.Listen("tcp", cfg.TURNTLSListen)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("open the port of TURN over TLS: %w", err), p.Close(), r.discovery.Close())
		}
		r.tlsAddr = l.Addr().(*net.TCPAddr).AddrPort()
		tc.ListenerConfigs = append(tc.ListenerConfigs, turn.ListenerConfig{
			// TLS outside, so that the idle limit holds for the handshake too.
			Listener:              tls.NewListener(newBoundedListener(l, cfg.Limits.TCPConns, cfg.Limits.TCPIdle), cfg.TLSConfig),
			RelayAddressGenerator: sockets, PermissionHandler: sockets.mayReach,
		})
	}
	if cfg.WebTURN != nil {
		tc.ListenerConfigs = append(tc.ListenerConfigs, turn.ListenerConfig{
			Listener:              newBoundedListener(cfg.WebTURN, cfg.Limits.TCPConns, cfg.Limits.TCPIdle),
			RelayAddressGenerator: sockets, PermissionHandler: sockets.mayReach,
		})
	}
	for _, conn := range p.udp {
		tc.PacketConnConfigs = append(tc.PacketConnConfigs, turn.PacketConnConfig{
			PacketConn: stunConn{conn, r.discovery}, RelayAddressGenerator: sockets, PermissionHandler: sockets.mayReach,
		})
	}
	if r.server, err = turn.NewServer(tc); err != nil {
		return nil, errors.Join(fmt.Errorf("start the TURN server: %w", err), p.Close(), r.discovery.Close())
	}
	return r, nil
}

func (r *relay) Close() error {
	return ignoreClosed(errors.Join(r.server.Close(), r.discovery.Close()))
}

// authenticate checks credentials as draft-uberti-behave-turn-rest-00 §2.2 makes
// them: the user name is "expiry:owner", the password its HMAC.
func (r *relay) authenticate(a *turn.RequestAttributes) (owner string, key []byte, ok bool) {
	expiry, owner, _ := strings.Cut(a.Username, ":")
	unix, err := strconv.ParseInt(expiry, 10, 64)
	now := r.cfg.Now()
	// A date far ahead is refused too: it was not us who signed it.
	if err != nil || now.Unix() > unix || time.Unix(unix, 0).Sub(now) > r.cfg.CredentialTTL+time.Minute {
		r.count.wrong.Add(1)
		return "", nil, false
	}
	return owner, turn.GenerateAuthKey(a.Username, a.Realm, r.password(a.Username)), true
}

func (r *relay) password(username string) string {
	mac := hmac.New(sha1.New, r.cfg.TURNSecret)
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (r *relay) mayAllocate(owner, _ string, _ net.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	ok := r.total < r.cfg.Limits.Relays && r.open[owner] < r.cfg.Limits.RelaysPerOwner
	if !ok {
		r.count.relaysRefused.Add(1)
	}
	return ok
}

func (r *relay) opened(owner string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total += n
	if r.open[owner] += n; r.open[owner] <= 0 {
		delete(r.open, owner)
	}
	r.count.relaysOpen.Store(int64(r.total))
}

// ICE returns the servers an agent should use and its credentials for them.
// host is the name under which the agent reached the collector.
func (r *Reflector) ICE(owner, host string) wire.ICEConfig {
	expires := r.cfg.Now().Add(r.cfg.CredentialTTL).Truncate(time.Second).UTC()
	user := fmt.Sprintf("%d:%s", expires.Unix(), owner)
	host = strings.Trim(host, "[]")
	at := net.JoinHostPort(host, strconv.Itoa(int(r.relay.addr.Port())))
	relays := []string{"turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}
	addSecure := func(port uint16) {
		relays = append(relays, "turns:"+net.JoinHostPort(host, strconv.Itoa(int(port)))+"?transport=tcp")
	}
	if r.relay.tlsAddr.IsValid() {
		addSecure(r.relay.tlsAddr.Port())
	}
	if r.cfg.WebTURN != nil {
		addSecure(r.cfg.WebPort)
	}
	return wire.ICEConfig{
		ExpiresAt:  &expires,
		HeardMS:    r.relay.discovery.heard.ago(),
		AnsweredMS: r.answeredAgo(),
		ICEServers: []wire.ICEServer{
			// RFC 7064 has no query: the same port serves STUN over TCP.
			{URLs: []string{"stun:" + at}},
			{URLs: relays, Username: user, Credential: r.relay.password(user)},
		},
	}
}
