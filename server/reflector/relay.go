package reflector

import (
	"context"
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

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/pionlog"
	"github.com/tonprobe/tonprobe/probe/media/wire/turnframe"
	"github.com/tonprobe/tonprobe/server/bind"
)

// relay is STUN and TURN on one port. Binding requests need no credentials.
type relay struct {
	server    *turn.Server // for TCP and TLS; each UDP socket has its own
	sockets   *relaySockets
	discovery *discovery
	ports     *ports         // STUN ports
	tlsAddr   netip.AddrPort // invalid without TLS
	cfg       Config
	count     *counters

	mu    sync.Mutex
	open  map[string]int // number of allocations by owner
	total int
}

func openRelay(cfg Config, present []netip.Addr, media *mediaPort, count *counters) (_ *relay, err error) {
	r := &relay{cfg: cfg, count: count, open: map[string]int{}}
	r.discovery = newDiscovery(cfg, count, r.checkCredentials)
	r.sockets = &relaySockets{
		media: media, stun: func() []netip.AddrPort { return nil }, count: count,
		lifetime: cfg.Limits.RelayLifetime, perSecond: relayRate(cfg.Limits),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if r.ports, err = openPorts(cfg.STUNListen, present, cfg, r.serveUDP); err != nil {
		return nil, fmt.Errorf("open the STUN port: %w", err)
	}
	r.sockets.stun = r.ports.addresses
	if err := r.discovery.open(r.ports, present); err != nil {
		return nil, err
	}
	listeners := []net.Listener{newBoundedListener(r.ports.tcp, cfg.Limits)}
	if cfg.TLSConfig != nil {
		l, err := bind.TCP(context.Background(), cfg.TURNTLSListen)
		if err != nil {
			return nil, fmt.Errorf("open the port of TURN over TLS: %w", err)
		}
		r.tlsAddr = l.Addr().(*net.TCPAddr).AddrPort()
		// TLS outside, so that the idle limit includes the handshake.
		listeners = append(listeners, tls.NewListener(newBoundedListener(l, cfg.Limits), cfg.TLSConfig))
	}
	if cfg.WebTURN != nil {
		listeners = append(listeners, newBoundedListener(cfg.WebTURN, cfg.Limits))
	}
	tc := r.serverConfig()
	for _, l := range listeners {
		tc.ListenerConfigs = append(tc.ListenerConfigs, turn.ListenerConfig{
			Listener: turnframe.Listener{Listener: l}, RelayAddressGenerator: r.sockets, PermissionHandler: r.sockets.mayReach,
		})
	}
	if r.server, err = turn.NewServer(tc); err != nil {
		return nil, fmt.Errorf("start the TURN server: %w", err)
	}
	return r, nil
}

func (r *relay) serverConfig() turn.ServerConfig {
	return turn.ServerConfig{
		Realm:              r.cfg.TURNRealm,
		LoggerFactory:      pionlog.To{Log: r.cfg.Log},
		AuthHandler:        r.authenticate,
		QuotaHandler:       r.mayAllocate,
		AllocationLifetime: r.cfg.Limits.RelayLifetime,
		EventHandler: turn.EventHandler{
			OnAllocationCreated: func(_, _ net.Addr, _, user, _ string, _ net.Addr, _ int) { r.opened(user, 1) },
			OnAllocationDeleted: func(_, _ net.Addr, _, user, _ string) { r.opened(user, -1) },
		},
	}
}

// serveUDP serves STUN and TURN on one socket until it is closed. The library accepts sockets
// only at the start of a server, so each socket has its own server.
func (r *relay) serveUDP(conn *net.UDPConn) error {
	tc := r.serverConfig()
	tc.PacketConnConfigs = []turn.PacketConnConfig{{
		PacketConn: stunConn{conn, r.discovery}, RelayAddressGenerator: r.sockets, PermissionHandler: r.sockets.mayReach,
	}}
	if _, err := turn.NewServer(tc); err != nil {
		return fmt.Errorf("start the TURN server: %w", err)
	}
	return nil
}

// follow updates the sockets to the present addresses.
func (r *relay) follow(present []netip.Addr) {
	r.ports.follow(present)
	r.discovery.follow(r.ports, present)
}

func (r *relay) Close() error {
	var faults []error
	if r.server != nil {
		faults = append(faults, r.server.Close())
	}
	if r.ports != nil {
		faults = append(faults, r.ports.Close())
	}
	return ignoreClosed(errors.Join(append(faults, r.discovery.Close())...))
}

// authenticate verifies credentials according to draft-uberti-behave-turn-rest-00 §2.2: the
// user name is "expiry:owner", the password its HMAC.
func (r *relay) authenticate(a *turn.RequestAttributes) (owner string, key []byte, ok bool) {
	owner, ok = r.owner(a.Username)
	if !ok {
		return "", nil, false
	}
	return owner, turn.GenerateAuthKey(a.Username, a.Realm, r.password(a.Username)), true
}

// checkCredentials verifies the MESSAGE-INTEGRITY of a request with the same credentials as
// short-term ones (RFC 8489 §9.1), which need no challenge.
func (r *relay) checkCredentials(m *stun.Message) (integrity stun.MessageIntegrity, ok bool) {
	var user stun.Username
	if user.GetFrom(m) != nil {
		return nil, false
	}
	if _, ok := r.owner(user.String()); !ok {
		return nil, false
	}
	integrity = stun.NewShortTermIntegrity(r.password(user.String()))
	return integrity, integrity.Check(m) == nil
}

// owner returns the owner in a user name, if it is currently valid.
func (r *relay) owner(username string) (owner string, ok bool) {
	if owner, ok = r.validOwner(username); !ok {
		r.count.wrong.Add(1)
	}
	return owner, ok
}

func (r *relay) validOwner(username string) (owner string, ok bool) {
	expiry, owner, _ := strings.Cut(username, ":")
	unix, err := strconv.ParseInt(expiry, 10, 64)
	now := r.cfg.Now()
	// An expiry in the distant future is rejected too: it was not signed here.
	if err != nil || now.Unix() > unix || time.Unix(unix, 0).Sub(now) > r.cfg.CredentialTTL+time.Minute {
		return "", false
	}
	return owner, true
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

// ICE returns the servers for an agent with its credentials. host is the name by which the
// agent reached the collector.
func (r *Reflector) ICE(owner, host string) wire.ICEConfig {
	expires := r.cfg.Now().Add(r.cfg.CredentialTTL).Truncate(time.Second).UTC()
	user := fmt.Sprintf("%d:%s", expires.Unix(), owner)
	host = strings.Trim(host, "[]")
	at := net.JoinHostPort(host, strconv.Itoa(int(r.relay.ports.port)))
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
		AnsweredMS: r.self.ago(isLoopbackHost(host)),

		MeasureToken: r.measureToken(user),
		ICEServers: []wire.ICEServer{
			// RFC 7064 has no transport parameter: the same port serves STUN over TCP.
			{URLs: []string{"stun:" + at}},
			{URLs: relays, Username: user, Credential: r.relay.password(user)},
		},
	}
}
