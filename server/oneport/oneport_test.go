package oneport

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// patience limits the wait for a condition.
const patience = time.Minute

// rig is a port whose HTTP side responds with the protocol and the kind of TLS that the
// handler saw, and whose TURN side echoes its input.
type rig struct {
	addr   string
	client *tls.Config
	port   *Port
}

func start(t *testing.T, limits Limits) rig {
	t.Helper()
	s := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := New(l, &tls.Config{Certificates: s.TLS.Certificates}, limits)
	web := &http.Server{ConnContext: ConnContext, Handler: WithState(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || !r.TLS.HandshakeComplete {
			http.Error(w, "no TLS", http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, r.Proto)
	}))}
	go func() { _ = web.Serve(p.HTTP()) }()
	go func() {
		for {
			c, err := p.TURN().Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	t.Cleanup(func() {
		_ = web.Close()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return rig{l.Addr().String(), &tls.Config{RootCAs: roots, ServerName: "example.com"}, p}
}

func (r rig) dial(t *testing.T, alpn ...string) *tls.Conn {
	t.Helper()
	c := r.client.Clone()
	c.NextProtos = alpn
	conn, err := tls.Dial("tcp", r.addr, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

func TestProtocolsShareThePort(t *testing.T) {
	r := start(t, Limits{})
	allocate := "\x00\x03\x00\x00\x21\x12\xa4\x42abcdefghijkl"
	for name, c := range map[string]struct {
		alpn []string
		send string
		want string // beginning of the response
	}{
		"GET without ALPN":     {nil, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200"},
		"GET with ALPN":        {[]string{"http/1.1"}, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200"},
		"DELETE":               {nil, "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200"},
		"OPTIONS":              {nil, "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200"},
		"own method":           {nil, "mkcol / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200"},
		"binding":              {nil, "\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl", "\x00\x01\x00\x00"},
		"allocate":             {nil, allocate, allocate},
		"allocate, stun.turn":  {[]string{"stun.turn"}, allocate, allocate},
		"allocate, http/1.1":   {[]string{"http/1.1"}, allocate, allocate},
		"binding, discovery":   {[]string{"stun.nat-discovery"}, "\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl", "\x00\x01"},
		"neither":              {nil, "\x7fELF\r\n\r\n", "HTTP/1.1 400"},
		"channel data at once": {nil, "@\x00\x00\x04abcd\r\n\r\n", "HTTP/1.1 400"}, // no channel can be bound yet
	} {
		t.Run(name, func(t *testing.T) {
			conn := r.dial(t, c.alpn...)
			if _, err := io.WriteString(conn, c.send); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(c.want))
			if _, err := io.ReadFull(conn, got); err != nil || string(got) != c.want {
				t.Errorf("got %q, error %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestHTTP2(t *testing.T) {
	r := start(t, Limits{})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: r.client, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("https://" + r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || string(b) != "HTTP/2.0" {
		t.Errorf("got %s, error %v; want HTTP/2.0", b, err)
	}
}

// TestSilenceHoldsNoSlot: a connection without a handshake, and one that is silent
// after it, are closed.
func TestSilenceHoldsNoSlot(t *testing.T) {
	var r rig
	var secure *tls.Conn
	// The handshake has the same limit, and takes longer on a busy machine.
	for limit := 200 * time.Millisecond; secure == nil; limit *= 2 {
		r = start(t, Limits{FirstByte: limit})
		conn, err := tls.Dial("tcp", r.addr, r.client)
		switch {
		case err == nil:
			secure = conn
			defer secure.Close()
		case limit > patience/4:
			t.Fatal(err)
		}
	}
	plain, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for name, c := range map[string]net.Conn{"no handshake": plain, "no byte after it": secure} {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: the connection is still open: %v", name, err)
		}
	}
	until(t, "the slots are free", func() bool { return r.port.undecided.Open() == 0 })
}

// TestSilentConnectionsBlockNobody: if one site uses all slots, another site can still
// connect. Of 127.0.0.0/8 each address is a separate site.
func TestSilentConnectionsBlockNobody(t *testing.T) {
	r := start(t, Limits{FirstByte: time.Minute, Undecided: 8, UndecidedPerSite: 8})
	for range 8 {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	until(t, "all slots are in use", func() bool { return r.port.undecided.Open() == 8 })
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}, Timeout: patience}
	raw, err := from.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	_ = raw.SetDeadline(time.Now().Add(patience))
	conn := tls.Client(raw, r.client)
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("got %v, error %v; want status 200", resp, err)
	}
}

// TestOpenConnections: connections in use count until they are closed, and one site
// cannot use all slots.
func TestOpenConnections(t *testing.T) {
	r := start(t, Limits{Open: 8, OpenPerSite: 4})
	for i := range 4 {
		conn := r.dial(t)
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, 12)); err != nil {
			t.Fatalf("connection %d: got error %v, want none", i, err)
		}
		if i == 0 {
			defer func() {
				_ = conn.Close()
				until(t, "a closed one releases its slot", func() bool { return r.port.open.Open() == 3 })
			}()
		}
	}
	raw, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	_ = raw.SetDeadline(time.Now().Add(patience))
	if err := tls.Client(raw, r.client).Handshake(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a fifth connection of the site: got error %v, want it closed", err)
	}
}

func TestHTTPWithoutTLSGetsAnError(t *testing.T) {
	r := start(t, Limits{})
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusBadRequest || resp.Header.Get(wire.HeaderCollector) != wire.CollectorValue {
		t.Errorf("got %+v, error %v; want status 400 with the collector's header", resp, err)
	}
}

// TestTURNSideClosed: TURN's connections are then closed, and HTTP continues.
func TestTURNSideClosed(t *testing.T) {
	r := start(t, Limits{})
	_ = r.port.TURN().Close()
	conn := r.dial(t)
	if _, err := io.WriteString(conn, "\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %d bytes, error %v; want the connection closed", n, err)
	}
	web := r.dial(t)
	if _, err := io.WriteString(web, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if resp, err := http.ReadResponse(bufio.NewReader(web), nil); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("got %v, error %v; want status 200", resp, err)
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("timeout waiting until " + what)
		}
	}
}
