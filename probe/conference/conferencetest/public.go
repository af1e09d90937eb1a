package conferencetest

import (
	"context"
	"net"
	"strings"

	"github.com/pion/transport/v4"
)

// OtherHost is a second name of this computer in the networks of Public and Private. The
// certificate of package httptest is for it.
const OtherHost = "example.com"

// Public returns a network in which every TCP connection seems to lead to a public address, and
// which passes no datagram to any other computer.
func Public(n transport.Net) transport.Net { return closedNet{n, true} }

// Private is Public with the private addresses that the connections lead to.
func Private(n transport.Net) transport.Net { return closedNet{n, false} }

type closedNet struct {
	transport.Net
	public bool
}

func (n closedNet) CreateDialer(d *net.Dialer) transport.Dialer { return closedDialer{d, n.public} }

type closedDialer struct {
	*net.Dialer
	public bool
}

func (d closedDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if host, port, err := net.SplitHostPort(address); err == nil && host == OtherHost {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	c, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil || !d.public {
		return c, err
	}
	return publicConn{c}, nil
}

type publicConn struct{ net.Conn }

// RemoteAddr implements net.Conn with an address for documentation (RFC 5737).
func (publicConn) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(203, 0, 113, 1), Port: 443}
}

// ListenUDP implements transport.Net.
func (n closedNet) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	c, err := n.Net.ListenUDP(network, at)
	if err != nil {
		return nil, err
	}
	return closedConn{c}, nil
}

type closedConn struct{ transport.UDPConn }

func (c closedConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if at, ok := to.(*net.UDPAddr); ok && !at.IP.IsLoopback() {
		return len(b), nil
	}
	return c.UDPConn.WriteTo(b, to)
}

// Description returns a description of one stream at a media server that does not exist, with its
// addresses. setup is its role in DTLS: "actpass" in an offer, "passive" in an answer.
func Description(setup string, addresses ...string) string {
	var b strings.Builder
	b.WriteString("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\n" +
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n" +
		"a=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghabcdefghabcdefgh\r\na=setup:" + setup + "\r\n" +
		"a=fingerprint:sha-256 " + strings.TrimSuffix(strings.Repeat("11:", 32), ":") + "\r\n")
	for _, at := range addresses {
		b.WriteString("a=" + Candidate(at) + "\r\n")
	}
	return b.String()
}

// Candidate returns an address of a media server (RFC 8839 §5.1).
func Candidate(address string) string { return "candidate:1 1 udp 1 " + address + " 9 typ host" }
