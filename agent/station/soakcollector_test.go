package station

import (
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// soakCollector is a collector on a virtual network.
type soakCollector struct {
	t       *testing.T
	server  *http.Server
	arrived chan net.Conn

	mu        sync.Mutex
	away      bool
	lines     map[net.Conn]bool
	conns     map[*websocket.Conn]bool
	session   wire.Session // the announced one
	token     string
	clock     *wakingClock
	made      map[string]bool
	received  map[string]int
	sockets   int
	learned   int
	tokens    int
	sessions  int
	prepared  int
	inSession int
}

func newSoakCollector(t *testing.T) *soakCollector {
	c := &soakCollector{t: t, arrived: make(chan net.Conn), lines: map[net.Conn]bool{}, conns: map[*websocket.Conn]bool{},
		token: soakToken(0), clock: &wakingClock{}, made: map[string]bool{}, received: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /"+wire.PathChannel, c.channel)
	mux.HandleFunc("POST /api/v1/reports", c.reports)
	mux.HandleFunc("GET /"+wire.PathTargets, c.targets)
	mux.HandleFunc("/"+wire.PathToken, c.renew)
	c.server = &http.Server{Handler: mux, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
	go func() { _ = c.server.Serve(c) }()
	return c
}

func soakToken(n int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%032d", n))
}

// Accept, Close and Addr implement net.Listener.
func (c *soakCollector) Accept() (net.Conn, error) {
	conn, ok := <-c.arrived
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (c *soakCollector) Close() error { return nil }

func (c *soakCollector) Addr() net.Addr { return &net.TCPAddr{} }

func (c *soakCollector) close() {
	c.cut(true)
	close(c.arrived)
	_ = c.server.Close()
}

func (c *soakCollector) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	c.mu.Lock()
	away := c.away
	c.mu.Unlock()
	if away {
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.ErrDeadlineExceeded}
	}
	ours, theirs := net.Pipe()
	select {
	case c.arrived <- theirs:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines[theirs] = true
	return ours, nil
}

// cut ends all connections. away means that no new ones are possible.
func (c *soakCollector) cut(away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
	for conn := range c.lines {
		_ = conn.Close()
	}
	clear(c.lines)
}

// announce replaces the session, and sends the agent a message.
func (c *soakCollector) announce(s wire.Session) {
	c.mu.Lock()
	c.session = s
	c.sessions++
	var open []*websocket.Conn
	for conn := range c.conns {
		open = append(open, conn)
	}
	c.mu.Unlock()
	for _, conn := range open {
		_ = conn.Write(context.Background(), websocket.MessageText, []byte(`{"type":"sessions","within_s":300}`))
	}
}

// use counts what must not happen during a session. The caller holds mu.
func (c *soakCollector) use() {
	// An agent without a connection cannot have learned of a session that was entered late.
	if now := c.clock.Now(); !c.away && !c.session.StartsAt.IsZero() && resident.InSession([]wire.Session{c.session}, now) && now.After(c.session.StartsAt) {
		c.inSession++
	}
}

func (c *soakCollector) channel(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = conn.CloseNow() }()
	c.mu.Lock()
	c.sockets++
	c.conns[conn] = true
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.conns, conn)
	}()
	if _, _, err = conn.Read(context.Background()); err != nil {
		return
	}
	if conn.Write(context.Background(), websocket.MessageText, []byte(`{"type":"hello"}`)) != nil {
		return
	}
	for err == nil {
		_, _, err = conn.Read(context.Background())
	}
}

func (c *soakCollector) reports(w http.ResponseWriter, r *http.Request) {
	z, err := gzip.NewReader(r.Body)
	var in struct {
		Reports []struct {
			ID      string         `json:"id"`
			Trigger report.Trigger `json:"trigger"`
		} `json:"reports"`
	}
	if err == nil {
		err = json.NewDecoder(z).Decode(&in)
	}
	if err != nil {
		return // the connection was cut
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	results := make([]map[string]string, len(in.Reports))
	for i, one := range in.Reports {
		if one.Trigger != report.TriggerEvent { // one attempt for support, while the person is on the phone
			c.use()
		}
		c.received[one.ID]++
		results[i] = map[string]string{"id": one.ID, "status": "stored"}
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]any{"results": results})
}

func (c *soakCollector) targets(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.learned++
	all := wire.Targets{Targets: []wire.Target{}}
	if c.session.StartsAt.After(c.clock.Now().Add(-24 * time.Hour)) {
		all.Sessions = []wire.Session{c.session}
	}
	_ = json.NewEncoder(w).Encode(all)
}

func (c *soakCollector) renew(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Method == http.MethodGet {
		_ = json.NewEncoder(w).Encode(wire.TokenState{})
		return
	}
	c.tokens++
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(wire.TokenResponse{Token: soakToken(c.tokens)})
}
