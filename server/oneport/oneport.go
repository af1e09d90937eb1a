// Package oneport serves HTTPS and TURN over TLS on one TCP port, for clients whose network
// allows nothing but TCP 443.
//
// The first byte after the TLS handshake identifies the protocol. A STUN message begins with
// two zero bits and a type below 0x0400 (RFC 8489 §5), so its first byte is 0 to 3. An HTTP/1
// request begins with a letter or, leniently, an empty line; HTTP/2 is negotiated by ALPN (RFC
// 9113 §3.2). ChannelData begins with 0x40 to 0x4F (RFC 8656 §12), which are also the initial
// letters of CONNECT, DELETE, GET, HEAD and OPTIONS, but no connection can begin with it: a
// channel is bound by STUN requests on the same connection. ALPN alone is not sufficient: most
// TURN clients and some HTTP clients do not use it.
package oneport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/limit"
)

// ALPN names. RFC 7443 defines two: for TURN, and for STUN; the TURN server answers both.
const (
	alpnHTTP2 = "h2"
	alpnHTTP1 = "http/1.1"
	alpnTURN  = "stun.turn"
	alpnSTUN  = "stun.nat-discovery"
)

// Limits limit the resources of connections. Zero means the default.
type Limits struct {
	// FirstByte is the time limit from the connection to its first byte after the handshake;
	// 10 s, as long as a line of HTTP may take.
	FirstByte time.Duration
	// Undecided is the number of concurrent connections whose protocol is not known yet (4096), and
	// UndecidedPerSite that of one site (1024). An office of 100 computers that all start a check has
	// some 400 in the time of a handshake, and one connection needs some 20 kB.
	Undecided, UndecidedPerSite int
	// Open is the number of all concurrent connections (32,768), and OpenPerSite that of one site
	// (4096). A page of the dashboard keeps up to six open over HTTP/1.1; an agent keeps its channel,
	// and opens two or three more during a check. The largest offices have some hundred people.
	Open, OpenPerSite int
}

func (l Limits) withDefaults() Limits {
	if l.FirstByte <= 0 {
		l.FirstByte = 10 * time.Second
	}
	if l.Undecided <= 0 {
		l.Undecided = 4096
	}
	if l.UndecidedPerSite <= 0 {
		l.UndecidedPerSite = 1024
	}
	if l.Open <= 0 {
		l.Open = 32768
	}
	if l.OpenPerSite <= 0 {
		l.OpenPerSite = 4096
	}
	return l
}

// Port is a TCP port that both protocols share.
type Port struct {
	tcp        net.Listener
	secure     *tls.Config
	firstByte  time.Duration
	undecided  *limit.Connections
	open       *limit.Connections
	http, turn *branch
	work       sync.WaitGroup
	stop       context.CancelFunc
	running    context.Context
}

// New accepts connections from l, which it closes at the end. Close must be called.
func New(l net.Listener, secure *tls.Config, limits Limits) *Port {
	limits = limits.withDefaults()
	secure = secure.Clone()
	secure.NextProtos = []string{alpnHTTP2, alpnHTTP1, alpnTURN, alpnSTUN}
	p := &Port{
		tcp: l, secure: secure, firstByte: limits.FirstByte,
		undecided: limit.NewConnections(limits.Undecided, limits.UndecidedPerSite),
		open:      limit.NewConnections(limits.Open, limits.OpenPerSite),
	}
	p.running, p.stop = context.WithCancel(context.Background())
	p.http, p.turn = newBranch(p), newBranch(p)
	p.work.Go(p.accept)
	return p
}

// HTTP accepts the HTTP connections. Those of HTTP/2 are a *tls.Conn, as package net/http
// requires; [WithState] provides the TLS state of the others. Closing it frees the port.
func (p *Port) HTTP() net.Listener { return httpListener{p.http} }

// TURN accepts the connections of TURN and STUN, decrypted. Closing it leaves the port to HTTP.
func (p *Port) TURN() net.Listener { return p.turn }

// Close closes the port and the connections that have not been accepted.
func (p *Port) Close() error {
	p.stop()
	err := p.tcp.Close()
	p.http.shut()
	p.turn.shut()
	p.work.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (p *Port) accept() {
	for {
		conn, err := p.tcp.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || p.running.Err() != nil {
				p.http.shut()
				return
			}
			// Out of file descriptors: wait until some are closed.
			select {
			case <-time.After(10 * time.Millisecond):
			case <-p.running.Done():
			}
			continue
		}
		peer := limit.Peer(conn)
		end, ok := p.open.Enter(conn, peer)
		if !ok {
			_ = conn.Close()
			continue
		}
		conn = &countedConn{Conn: conn, end: end}
		leave, ok := p.undecided.Enter(conn, peer)
		if !ok {
			_ = conn.Close()
			continue
		}
		p.work.Go(func() {
			defer leave()
			p.decide(conn)
		})
	}
}

// decide performs the handshake and passes the connection to its protocol.
func (p *Port) decide(conn net.Conn) {
	if err := conn.SetDeadline(time.Now().Add(p.firstByte)); err != nil {
		_ = conn.Close()
		return
	}
	stop := context.AfterFunc(p.running, func() { _ = conn.Close() })
	defer stop()
	over := tls.Server(conn, p.secure)
	if err := over.HandshakeContext(p.running); err != nil {
		refuse(conn, err)
		return
	}
	to, c := p.sort(over)
	if to == nil || conn.SetDeadline(time.Time{}) != nil {
		_ = over.Close()
		return
	}
	stop()
	to.give(c)
}

// sort reads the first byte, unless ALPN has decided.
func (p *Port) sort(over *tls.Conn) (*branch, net.Conn) {
	switch over.ConnectionState().NegotiatedProtocol {
	case alpnHTTP2:
		return p.http, over // the *tls.Conn itself, to which the first byte cannot be returned
	case alpnTURN, alpnSTUN:
		return p.turn, over
	}
	first := make([]byte, 1)
	if _, err := io.ReadFull(over, first); err != nil {
		return nil, nil
	}
	c := &readAhead{Conn: over, first: first}
	if first[0] <= lastSTUNByte {
		return p.turn, c
	}
	return p.http, c // package net/http answers invalid input with 400
}

// lastSTUNByte is the largest first byte of a STUN message.
const lastSTUNByte = 0x03

// looksLikeHTTP examines the five bytes in place of a TLS record header.
func looksLikeHTTP(b [5]byte) bool {
	return slices.Contains([]string{"GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET"}, string(b[:]))
}

// refuse answers HTTP without TLS with an error message, as package net/http does.
func refuse(conn net.Conn, err error) {
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok && e.Conn != nil && looksLikeHTTP(e.RecordHeader) {
		_, _ = io.WriteString(e.Conn, "HTTP/1.0 400 Bad Request\r\n"+wire.HeaderCollector+": "+wire.CollectorValue+
			"\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nThis port speaks HTTPS: write https:// before the address.\n")
	}
	_ = conn.Close()
}
