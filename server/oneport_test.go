package server

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/internal/turntest"
)

// tokenOf enrols an agent.
func (r running) tokenOf(t *testing.T) string {
	t.Helper()
	_, code, _, err := r.AddParticipant(t.Context(), "Anna", "")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := json.Marshal(map[string]string{"code": code})
	resp, err := r.client.Post(r.URL()+"/api/v1/enroll", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var got struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.Token == "" {
		t.Fatalf("got status %s, error %v; want a token", resp.Status, err)
	}
	return got.Token
}

// ice returns the first relay for an agent.
func (r running) ice(t *testing.T, token string) wire.ICEServer {
	t.Helper()
	c := r.iceConfig(t, token)
	for _, s := range c.ICEServers {
		if s.Username != "" {
			return s
		}
	}
	t.Fatalf("no relay: %+v", c)
	return wire.ICEServer{}
}

// TestRelayOnTheWebPort: the collector offers a relay on the port of its pages, and it
// works on the listener that has just answered HTTP.
func TestRelayOnTheWebPort(t *testing.T) {
	r := run(t, Config{})
	relay := r.ice(t, r.tokenOf(t))
	_, port, err := net.SplitHostPort(strings.TrimPrefix(r.URL(), "https://"))
	if err != nil {
		t.Fatal(err)
	}
	want := "turns:127.0.0.1:" + port + "?transport=tcp"
	if relay.URLs[len(relay.URLs)-1] != want {
		t.Fatalf("got URLs %q, want %s among them", relay.URLs, want)
	}
	secure := r.client.Transport.(*http.Transport).TLSClientConfig.Clone()
	secure.ServerName, secure.NextProtos = "127.0.0.1", nil
	conn, err := tls.Dial("tcp", net.JoinHostPort("127.0.0.1", port), secure)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := turntest.Allocate(conn, relay); err != nil {
		t.Fatal(err)
	}
}

// TestRelayOnThePublicPort: if the public address has another port, that one is
// offered; behind a proxy, none is.
func TestRelayOnThePublicPort(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		want   string
	}{
		"public address":    {Config{PublicURL: "https://ton.example"}, "turns:ton.example:443?transport=tcp"},
		"with a port":       {Config{PublicURL: "https://ton.example:8443"}, "turns:ton.example:8443?transport=tcp"},
		"behind a proxy":    {Config{PublicURL: "https://ton.example", BehindProxy: loopback}, ""},
		"a proxy over http": {Config{PublicURL: "http://localhost"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, c.config)
			urls := strings.Join(r.ice(t, r.tokenOf(t)).URLs, " ")
			if c.want == "" && strings.Contains(urls, "turns:") || !strings.Contains(urls, c.want) {
				t.Errorf("got URLs %s, want %q", urls, c.want)
			}
		})
	}
}

// TestEveryAnswerIsMarkedAsOurs: an agent distinguishes the collector's response from a
// middlebox's by one header.
func TestEveryAnswerIsMarkedAsOurs(t *testing.T) {
	for name, c := range map[string]Config{"TLS": {}, "behind a proxy": {BehindProxy: loopback}} {
		t.Run(name, func(t *testing.T) {
			r := run(t, c)
			token := r.tokenOf(t)
			for _, request := range []string{
				"GET /healthz HTTP/1.1\r\nHost: a\r\n",
				"GET / HTTP/1.1\r\nHost: a\r\n",                                                        // a redirect
				"GET //api/v1/ice HTTP/1.1\r\nHost: a\r\n",                                             // the mux's own redirect
				"GET /api/v1/nothing HTTP/1.1\r\nHost: a\r\n",                                          // 404, JSON
				"GET /nothing HTTP/1.1\r\nHost: a\r\n",                                                 // 404, page
				"DELETE /api/v1/reports HTTP/1.1\r\nHost: a\r\n",                                       // 405
				"GET /api/v1/ice HTTP/1.1\r\nHost: a\r\n",                                              // 401
				"GET /api/v1/websocket HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token + "\r\n", // 426
				"GET /api/v1/websocket HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: YWJjZGVmZ2hpamtsbW5vcA==\r\n",
				"GET /api/v1/websocket HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YWJjZGVmZ2hpamtsbW5vcA==\r\n",
				"POST /login HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n", // 403
				"OPTIONS * HTTP/1.1\r\nHost: a\r\n",
				// Responses of package net/http without a handler:
				"GET /healthz HTTP/1.1\r\n",                                                      // no Host
				"GET /healthz HTTP/3.7\r\nHost: a\r\n",                                           // 505
				"GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n",                // 501
				"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n", // 431
				"nonsense\r\n",
				"GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\n", // 417
			} {
				line, _, _ := strings.Cut(request, "\r\n")
				resp, err := raw(t, r, request+"\r\n")
				if err != nil {
					t.Errorf("%s: got error %v, want none", line, err)
					continue
				}
				if got := resp.Header.Get(wire.HeaderCollector); got != wire.CollectorValue {
					t.Errorf("%s: got status %s with %q, want %q", line, resp.Status, got, wire.CollectorValue)
				}
			}
		})
	}
}

// raw sends a request unmodified and reads the head of the response.
func raw(t *testing.T, r running, request string) (*http.Response, error) {
	t.Helper()
	u, err := url.Parse(r.URL())
	if err != nil {
		t.Fatal(err)
	}
	var conn net.Conn
	if u.Scheme == "http" {
		conn, err = net.Dial("tcp", u.Host)
	} else {
		secure := r.client.Transport.(*http.Transport).TLSClientConfig.Clone()
		secure.NextProtos = nil
		conn, err = tls.Dial("tcp", u.Host, secure)
	}
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	return http.ReadResponse(bufio.NewReader(conn), nil)
}
