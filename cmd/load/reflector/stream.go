package reflector

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"
	"github.com/pion/transport/v4/packetio"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// stream is one speaker with the minimum that the protocols permit, so that the
// load costs less than what it measures: one socket, one check, one handshake, then
// RTP.
type stream struct {
	conn    *net.UDPConn
	dtls    *dtls.Conn
	id      string
	ssrc    uint32
	checked chan struct{}    // the response to the check has arrived
	pending *packetio.Buffer // DTLS datagrams
	in, out *srtp.Context

	seq    uint32
	missed int // refused by the local socket
	packet []byte
	header rtp.Header

	back         atomic.Int64 // number of echoes so far
	received     int
	turnaroundUS []float32
	rttUS        []float32
}

const user, password = "loader00", "loaderloaderloaderloader"

func offerSDP(fingerprint string, ssrc uint32) string {
	return strings.Join([]string{
		"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0",
		fmt.Sprintf("m=audio 9 UDP/TLS/RTP/SAVPF %d", wire.PayloadType), "c=IN IP4 0.0.0.0", "a=mid:0",
		"a=ice-ufrag:" + user, "a=ice-pwd:" + password,
		"a=fingerprint:sha-256 " + fingerprint, "a=setup:actpass", "a=rtcp-mux", "a=sendrecv",
		fmt.Sprintf("a=rtpmap:%d opus/48000/2", wire.PayloadType), fmt.Sprintf("a=ssrc:%d cname:load", ssrc),
		"a=candidate:1 1 udp 1 127.0.0.1 9 typ host", "",
	}, "\r\n")
}

// open performs signalling, connectivity check and key exchange.
func open(ctx context.Context, c *child, to netip.AddrPort, cert tls.Certificate, fingerprint string, ssrc uint32, epoch time.Time) (*stream, error) {
	a, err := c.ask(request{Op: "offer", SDP: offerSDP(fingerprint, ssrc)})
	if err != nil {
		return nil, err
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return nil, fmt.Errorf("open a stream's socket: %w", err)
	}
	_ = conn.SetReadBuffer(1 << 18)
	s := &stream{
		conn: conn, id: a.ID, ssrc: ssrc, checked: make(chan struct{}, 1), pending: packetio.NewBuffer(),
		packet: make([]byte, 0, 256),
	}
	ready := make(chan struct{})
	go s.read(ready, epoch)
	if err := s.check(ctx, attribute(a.SDP, "ice-ufrag"), attribute(a.SDP, "ice-pwd")); err != nil {
		return nil, err
	}
	if err := s.agree(ctx, cert); err != nil {
		return nil, err
	}
	close(ready)
	return s, nil
}

func attribute(sdp, name string) string {
	for line := range strings.Lines(sdp) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "a="+name+":"); ok {
			return v
		}
	}
	return ""
}

// check performs the only connectivity check that is required of a full agent (RFC
// 8445 §7.2), and nominates at once.
func (s *stream) check(ctx context.Context, theirUser, theirPassword string) error {
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest,
		stun.NewUsername(theirUser+":"+user),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0x6e, 0, 0xff, 0xff}},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
		stun.RawAttribute{Type: stun.AttrUseCandidate},
		stun.NewShortTermIntegrity(theirPassword), stun.Fingerprint)
	if err != nil {
		return fmt.Errorf("write the check: %w", err)
	}
	for range 20 {
		if _, err := s.conn.Write(m.Raw); err != nil {
			return fmt.Errorf("send the check: %w", err)
		}
		select {
		case <-s.checked:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
	return errors.New("the reflector did not respond to any check")
}

func (s *stream) agree(ctx context.Context, cert tls.Certificate) error {
	conn, err := dtls.ServerWithOptions((*dtlsSide)(s), s.conn.RemoteAddr(),
		dtls.WithCertificates(cert), dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM),
		dtls.WithInsecureSkipVerify(true), dtls.WithClientAuth(dtls.RequireAnyClientCert))
	if err != nil {
		return fmt.Errorf("start the handshake: %w", err)
	}
	s.dtls = conn
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	state, _ := conn.ConnectionState()
	c := srtp.Config{Profile: srtp.ProtectionProfileAeadAes128Gcm}
	if err := c.ExtractSessionKeysFromDTLS(&state, false); err != nil {
		return fmt.Errorf("create the keys: %w", err)
	}
	if s.in, err = srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile); err != nil {
		return fmt.Errorf("use the keys: %w", err)
	}
	if s.out, err = srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile); err != nil {
		return fmt.Errorf("use the keys: %w", err)
	}
	return nil
}

// send sends the next packet of the stream.
func (s *stream) send(epoch time.Time) error {
	b := append(s.packet[:0], 2<<6, wire.PayloadType)
	b = binary.BigEndian.AppendUint16(b, uint16(s.seq))
	b = binary.BigEndian.AppendUint32(b, s.seq*uint32(wire.StampStep))
	b = binary.BigEndian.AppendUint32(b, s.ssrc)
	b, err := wire.AppendUp(b, wire.Up{Seq: s.seq, SentNS: int64(time.Since(epoch))}, wire.DefaultBytes)
	if err == nil {
		b, err = s.out.EncryptRTP(b, b, &s.header)
	}
	if err == nil {
		_, err = s.conn.Write(b)
	}
	if err != nil {
		s.missed++
		return err
	}
	s.seq++
	return nil
}

// read reads from the socket until it is closed.
func (s *stream) read(ready <-chan struct{}, epoch time.Time) {
	buf := make([]byte, 2048)
	var h rtp.Header
	for {
		n, err := s.conn.Read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		now := int64(time.Since(epoch))
		switch {
		case n < 1:
		case buf[0] <= 3:
			select {
			case s.checked <- struct{}{}:
			default:
			}
		case buf[0] >= 20 && buf[0] <= 63:
			_, _ = s.pending.Write(buf[:n])
		case buf[0] >= 128:
			<-ready
			plain, err := s.in.DecryptRTP(buf[:n], buf[:n], &h)
			if err != nil || len(plain) < 12 {
				continue
			}
			if d, err := wire.ParseDown(plain[12:]); err == nil {
				s.received++
				s.back.Add(1)
				s.turnaroundUS = append(s.turnaroundUS, float32(d.TurnaroundNS())/1e3)
				s.rttUS = append(s.rttUS, float32(now-d.UpSentNS)/1e3)
			}
		}
	}
}

// dtlsSide is the stream's socket as presented to the DTLS library.
type dtlsSide stream

func (d *dtlsSide) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := d.pending.Read(b)
	return n, d.conn.RemoteAddr(), err
}
func (d *dtlsSide) WriteTo(b []byte, _ net.Addr) (int, error) { return d.conn.Write(b) }
func (d *dtlsSide) Close() error                              { return d.pending.Close() }
func (d *dtlsSide) LocalAddr() net.Addr                       { return d.conn.LocalAddr() }
func (d *dtlsSide) SetDeadline(t time.Time) error             { return d.pending.SetReadDeadline(t) }
func (d *dtlsSide) SetReadDeadline(t time.Time) error         { return d.pending.SetReadDeadline(t) }
func (d *dtlsSide) SetWriteDeadline(time.Time) error          { return nil }

// certificate returns the certificate that all streams share.
func certificate() (cert tls.Certificate, fingerprint string, err error) {
	if cert, err = selfSigned(); err != nil {
		return cert, "", fmt.Errorf("create a certificate: %w", err)
	}
	return cert, fingerprintOf(cert), nil
}
