package proxy

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// echoServer returns what it receives.
func echoServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
		}
	}()
	return l.Addr().String()
}

// connectProxy responds to CONNECT with a status, and opens the tunnel to at if
// that is 200.
func connectProxy(t *testing.T, status int, at string) *url.URL {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != "turn.example:443" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		behind, err := net.Dial("tcp", at)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { _, _ = io.Copy(behind, conn); behind.Close() }()
		_, _ = io.Copy(conn, behind)
		conn.Close()
	}))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// onlyTo connects to one address and lets all other attempts hang, as a closed
// network does.
func onlyTo(address string) DialFunc {
	return func(ctx context.Context, network, to string) (net.Conn, error) {
		if to != address {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return (&net.Dialer{}).DialContext(ctx, network, to)
	}
}

func speaks(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || line != "hello\n" {
		t.Errorf("received %q through the connection, error %v", line, err)
	}
}

func TestDialerUsesTheProxyOfAClosedNetwork(t *testing.T) {
	via := connectProxy(t, http.StatusOK, echoServer(t))
	d := Dialer{Dial: onlyTo(via.Host), Proxy: func(r *http.Request) (*url.URL, error) {
		if r.URL.String() != "https://turn.example:443" {
			t.Errorf("a request for the proxy of %s", r.URL)
		}
		return via, nil
	}}
	conn, through, err := d.DialContext(t.Context(), "tcp", "turn.example:443")
	if err != nil || !through {
		t.Fatalf("got proxy %v, error %v; want true", through, err)
	}
	defer conn.Close()
	speaks(t, conn)
}

func TestDialerPrefersTheDirectPath(t *testing.T) {
	at := echoServer(t)
	d := Dialer{Dial: (&net.Dialer{}).DialContext, Proxy: func(*http.Request) (*url.URL, error) { return url.Parse("http://127.0.0.1:1") }}
	conn, through, err := d.DialContext(t.Context(), "tcp", at)
	if err != nil || through {
		t.Fatalf("got proxy %v, error %v; want false", through, err)
	}
	defer conn.Close()
	speaks(t, conn)
}

func TestRefusedTunnel(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusServiceUnavailable, http.StatusFound} {
		via := connectProxy(t, status, "")
		_, err := Tunnel(t.Context(), (&net.Dialer{}).DialContext, nil, via, "turn.example:443")
		if refused, ok := errors.AsType[*StatusError](err); !ok || refused.Status != status {
			t.Errorf("%d: got error %v, want a *StatusError with that status", status, err)
		}
	}
}

func TestNoProxyLeavesTheDirectError(t *testing.T) {
	d := Dialer{Dial: (&net.Dialer{}).DialContext, Proxy: func(*http.Request) (*url.URL, error) { return nil, nil }}
	_, _, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:1")
	if _, ok := errors.AsType[*net.OpError](err); !ok {
		t.Errorf("got error %v, want a *net.OpError", err)
	}
}

// TestSilentProxy: the context ends the wait for a proxy that accepts the connection
// and is silent.
func TestSilentProxy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Tunnel(ctx, (&net.Dialer{}).DialContext, nil, &url.URL{Scheme: "http", Host: l.Addr().String()}, "turn.example:443"); err == nil {
		t.Error("got a tunnel through a silent proxy")
	}
}
