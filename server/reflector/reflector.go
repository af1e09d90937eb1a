package reflector

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Errors that a caller decides on.
var (
	ErrBadOffer  = errors.New("the offer cannot be answered")
	ErrBusy      = errors.New("too many echo sessions")
	ErrNoSession = errors.New("no such echo session")
	ErrClosed    = errors.New("the reflector is closed")
)

// Config configures a reflector.
type Config struct {
	// STUNListen and MediaListen are host:port for both UDP and TCP; empty means ":3478" and
	// ":3480". Port 0 selects a free one. Without a host, every present and future address of
	// this machine is served, each by its own socket, so that a response comes from the
	// address of the request.
	STUNListen, MediaListen string
	// MediaIPs are the advertised addresses if they differ from the local ones (1:1 NAT,
	// container). Empty means the local ones.
	MediaIPs []netip.Addr
	// STUNAlternate is a second address of this machine, of the same family as the first,
	// under which clients reach it. With it agents can determine the behaviour of their NAT
	// (RFC 5780); the port after the STUN port is used on both addresses. If it is unset, or
	// one of the addresses is absent, the reflector announces a single address.
	STUNAlternate netip.Addr
	// TLSConfig contains the certificate for TURN over TLS, which is served at TURNTLSListen,
	// ":5349" if empty. If nil, TURN over TLS is not served.
	TLSConfig     *tls.Config
	TURNTLSListen string
	// WebTURN accepts decrypted TURN connections from the port of the web pages; the reflector
	// closes it. WebPort is that port as seen by clients. It may be nil.
	WebTURN net.Listener
	WebPort uint16
	// TURNSecret signs the time-limited credentials. Empty means a random one, which is
	// sufficient for a single collector.
	TURNSecret []byte
	TURNRealm  string // default "tonprobe"
	// CredentialTTL is the lifetime of TURN credentials; default 10 minutes.
	CredentialTTL time.Duration
	Limits        Limits
	// Addresses returns the current addresses of this machine, the preferred one first;
	// default: those of its interfaces.
	Addresses func() ([]netip.Addr, error)
	Log       *slog.Logger     // default: discards
	Rand      io.Reader        // ids and secrets; default crypto/rand
	Now       func() time.Time // default time.Now; must carry a monotonic reading
}

// Limits limit the resources of one owner and of all together. Zero means the default.
type Limits struct {
	Sessions         int           // echo sessions at once; 2000
	SessionsPerOwner int           // of them for one owner; 4
	MaxDuration      time.Duration // life of a session; 30 s
	ConnectTimeout   time.Duration // from the answer to the first packet; 15 s
	IdleTimeout      time.Duration // without an up packet; 10 s
	KeepLog          time.Duration // how long an ended session's log waits for End; 60 s
	PacketsPerSecond int           // echoed for one session; 200
	PacketBurst      int           // let through at once, as when a queue empties; 500

	Relays          int           // TURN allocations at once; 500
	RelaysPerOwner  int           // of them for one owner; 16 (each agent allocates twice, over up to four transports, on every interface)
	RelayLifetime   time.Duration // longest life of an allocation, refreshed or not; 2 minutes
	TCPConns        int           // open TCP connections per port; 4096
	TCPConnsPerSite int           // of them from one site; 1024: an office of 100 agents whose network lets out no UDP has some 400
	TCPIdle         time.Duration // a silent TCP connection is closed; 30 s
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	setTime := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	set(&l.Sessions, 2000)
	set(&l.SessionsPerOwner, 4)
	setTime(&l.MaxDuration, 30*time.Second)
	setTime(&l.ConnectTimeout, 15*time.Second)
	setTime(&l.IdleTimeout, 10*time.Second)
	setTime(&l.KeepLog, 60*time.Second)
	set(&l.PacketsPerSecond, 200)
	set(&l.PacketBurst, 500)
	set(&l.Relays, 500)
	set(&l.RelaysPerOwner, 16)
	setTime(&l.RelayLifetime, 2*time.Minute)
	set(&l.TCPConns, 4096)
	set(&l.TCPConnsPerSite, 1024)
	setTime(&l.TCPIdle, 30*time.Second)
	return l
}

func (c Config) withDefaults() (Config, error) {
	if c.STUNListen == "" {
		c.STUNListen = ":3478"
	}
	if c.MediaListen == "" {
		c.MediaListen = ":3480"
	}
	if c.TURNTLSListen == "" {
		c.TURNTLSListen = ":5349"
	}
	if c.TURNRealm == "" {
		c.TURNRealm = "tonprobe"
	}
	if c.CredentialTTL <= 0 {
		c.CredentialTTL = 10 * time.Minute
	}
	if c.Addresses == nil {
		c.Addresses = localAddresses
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Limits = c.Limits.withDefaults()
	if len(c.TURNSecret) == 0 {
		c.TURNSecret = make([]byte, 32)
		if _, err := io.ReadFull(c.Rand, c.TURNSecret); err != nil {
			return c, fmt.Errorf("generate a TURN secret: %w", err)
		}
	}
	return c, nil
}

// Reflector is a running reflector. Its methods are safe for concurrent use.
type Reflector struct {
	cfg   Config
	epoch time.Time // origin of the timestamps on the wire
	count counters

	media *mediaPort
	relay *relay
	self  selfCheck

	cert        tls.Certificate // for DTLS
	fingerprint string          // of cert

	mu       sync.Mutex
	sessions map[string]*session
	active   map[string]int // sessions with open media, by owner
	open     int            // sum of active
	openNow  atomic.Int32   // the same, for readers without the lock
	closed   bool
	work     sync.WaitGroup // goroutines of the sessions and of follow

	running context.Context // done when it is closed
	stop    context.CancelFunc
}

// New opens the sockets and starts serving.
func New(cfg Config) (*Reflector, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	cert, err := newCertificate(cfg.Now())
	if err != nil {
		return nil, err
	}
	r := &Reflector{
		cfg: cfg, epoch: cfg.Now(), cert: cert, fingerprint: fingerprintOf(cert.Certificate[0]),
		sessions: map[string]*session{}, active: map[string]int{},
	}
	r.self.ask, r.self.now = r.survey, cfg.Now
	present, err := cfg.Addresses()
	if err != nil {
		return nil, fmt.Errorf("list the local addresses: %w", err)
	}
	if r.media, err = openMedia(cfg, present, &r.count); err != nil {
		return nil, err
	}
	if r.relay, err = openRelay(cfg, present, r.media, &r.count); err != nil {
		return nil, errors.Join(err, r.media.Close())
	}
	r.running, r.stop = context.WithCancel(context.Background())
	r.work.Go(func() { r.follow(present) })
	return r, nil
}

// newCertificate is shared by all sessions. A certificate per session would cost more than the
// session itself, without a benefit for the agent.
func newCertificate(now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("create the DTLS key: %w", err)
	}
	// Clients compare only the fingerprint; the validity must outlast the process.
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "echo"},
		NotBefore: now.AddDate(0, -1, 0), NotAfter: now.AddDate(10, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("create the DTLS certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// STUNAddr returns the first address of STUN and TURN, with the actual port.
func (r *Reflector) STUNAddr() netip.AddrPort { return r.relay.ports.first() }

// MediaAddr returns the first address of the echo, with the actual port.
func (r *Reflector) MediaAddr() netip.AddrPort { return r.media.sockets.first() }

// Close ends all sessions and returns when their goroutines have ended.
func (r *Reflector) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil
	}
	r.closed = true
	r.stop()
	for _, s := range r.sessions {
		s.stop()
	}
	r.mu.Unlock()

	err := r.relay.Close()
	r.work.Wait()
	return errors.Join(err, r.media.Close())
}

// fewStreams is the number of streams up to which each packet is sent by its own system call:
// 5,000 a second.
const fewStreams = 100

func (r *Reflector) few() bool { return r.openNow.Load() <= fewStreams }

// sinceNS returns a timestamp for the wire.
func (r *Reflector) sinceNS() int64 { return int64(r.cfg.Now().Sub(r.epoch)) }
