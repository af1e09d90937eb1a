package reflector

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v4/packetio"

	"github.com/tonprobe/tonprobe/probe/media/wire/pionlog"
)

// keying is the DTLS side of a session: it derives SRTP keys from the datagrams of the
// session's paths (RFC 5764). It is the net.PacketConn of the DTLS library.
type keying struct {
	in     *packetio.Buffer
	path   atomic.Pointer[path] // path for responses: the nominated one, or the most recent
	start  sync.Once
	secure func() // runs the handshake; called once
}

func newKeying(secure func()) *keying {
	k := &keying{in: packetio.NewBuffer(), secure: secure}
	k.in.SetLimitCount(32) // a handshake has about a dozen
	return k
}

// arrive processes a DTLS datagram of p. A client that starts before it nominates a path is
// answered too, because its path has been verified.
func (k *keying) arrive(p *path, b []byte) {
	k.path.CompareAndSwap(nil, p)
	_, _ = k.in.Write(b)
	k.start.Do(k.secure)
}

// nominate selects p for responses.
func (k *keying) nominate(p *path) {
	k.path.Store(p)
	k.start.Do(k.secure)
}

// ReadFrom and the following methods implement net.PacketConn.
func (k *keying) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := k.in.Read(b)
	return n, dtlsAddr{}, err
}

func (k *keying) WriteTo(b []byte, _ net.Addr) (int, error) {
	p := k.path.Load()
	if p == nil {
		return 0, io.ErrClosedPipe
	}
	// A datagram that was not sent counts as lost: DTLS retransmits it.
	_ = p.write(b)
	return len(b), nil
}

func (k *keying) Close() error                      { return k.in.Close() }
func (*keying) LocalAddr() net.Addr                 { return dtlsAddr{} }
func (k *keying) SetDeadline(t time.Time) error     { return k.in.SetReadDeadline(t) }
func (k *keying) SetReadDeadline(t time.Time) error { return k.in.SetReadDeadline(t) }
func (*keying) SetWriteDeadline(time.Time) error    { return nil }

// dtlsAddr represents the client, whose paths may change.
type dtlsAddr struct{}

func (dtlsAddr) Network() string { return "udp" }
func (dtlsAddr) String() string  { return "client" }

// profiles in order of preference; GCM is several times faster than HMAC-SHA1.
var profiles = []dtls.SRTPProtectionProfile{dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80}

// handshake derives keys with the client whose certificate the offer specified.
func (k *keying) handshake(ctx context.Context, cert tls.Certificate, o offer, log pionlog.To) (*dtls.Conn, error) {
	shared := []dtls.Option{
		dtls.WithCertificates(cert),
		dtls.WithSRTPProtectionProfiles(profiles...),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithInsecureSkipVerify(true), // certificates are self-signed; the fingerprint authenticates (RFC 8827 §6.5)
		dtls.WithVerifyPeerCertificate(func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 || !strings.EqualFold(fingerprintOf(raw[0]), o.fingerprint) {
				return errors.New("the certificate does not match the fingerprint in the offer")
			}
			return nil
		}),
		dtls.WithLoggerFactory(log),
		// On a lossy line a handshake must not wait 1 s for each flight (RFC 9147 §5.8.2 permits
		// less on a known short path).
		dtls.WithFlightInterval(200 * time.Millisecond),
	}
	var conn *dtls.Conn
	var err error
	if o.weAreClient() {
		options := make([]dtls.ClientOption, len(shared))
		for i, s := range shared {
			options[i] = s
		}
		conn, err = dtls.ClientWithOptions(k, dtlsAddr{}, options...)
	} else {
		options := make([]dtls.ServerOption, len(shared), len(shared)+1)
		for i, s := range shared {
			options[i] = s
		}
		conn, err = dtls.ServerWithOptions(k, dtlsAddr{}, append(options, dtls.WithClientAuth(dtls.RequireAnyClientCert))...)
	}
	if err != nil {
		return nil, fmt.Errorf("start the DTLS handshake: %w", err)
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return conn, fmt.Errorf("DTLS handshake: %w", err)
	}
	return conn, nil
}

func fingerprintOf(der []byte) string {
	sum := sha256.Sum256(der)
	var b strings.Builder
	for i, c := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
	}
	return b.String()
}

// keys encrypts the RTP of one session.
type keys struct {
	in, out *srtp.Context
	header  rtp.Header // of the current packet; a field avoids an allocation
}

// keysOf derives the SRTP keys from a completed handshake. Replay protection is disabled,
// because it would drop the duplicates that are counted.
func keysOf(conn *dtls.Conn, client bool) (*keys, error) {
	profile, ok := conn.SelectedSRTPProtectionProfile()
	if !ok {
		return nil, errors.New("the client agreed on no SRTP profile")
	}
	state, ok := conn.ConnectionState()
	if !ok {
		return nil, errors.New("the DTLS handshake left no state")
	}
	c := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := c.ExtractSessionKeysFromDTLS(&state, client); err != nil {
		return nil, fmt.Errorf("generate the SRTP keys: %w", err)
	}
	in, err := srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile, srtp.SRTPNoReplayProtection())
	if err != nil {
		return nil, fmt.Errorf("use the SRTP keys: %w", err)
	}
	out, err := srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile)
	if err != nil {
		return nil, fmt.Errorf("use the SRTP keys: %w", err)
	}
	return &keys{in: in, out: out}, nil
}
