package reflector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/server/reflector"
)

// request and reply are the lines exchanged between this program and its child.
type request struct {
	Op  string `json:"op"` // addr, relay, offer, end, stats
	SDP string `json:"sdp,omitempty"`
	ID  string `json:"id,omitempty"`
}

type reply struct {
	Error string           `json:"error,omitempty"`
	Addr  netip.AddrPort   `json:"addr,omitzero"`
	ID    string           `json:"id,omitempty"`
	SDP   string           `json:"sdp,omitempty"`
	Log   *wire.EchoLog    `json:"log,omitempty"`
	Stats *reflector.Stats `json:"stats,omitempty"`

	Username   string `json:"username,omitempty"`
	Credential string `json:"credential,omitempty"`
}

const owner = "load"

// echoServer is what the child runs.
type echoServer interface {
	MediaAddr() netip.AddrPort
	Offer(ctx context.Context, owner, sdp string) (id, answer string, err error)
	End(owner, id string) (wire.EchoLog, error)
	Stats() reflector.Stats
	Close() error
}

// Child runs a reflector, or with "pion" in args the server to compare it with, until in ends.
func Child(args []string, in io.Reader, out io.Writer) int {
	r, err := newServer(slices.Contains(args, "pion"))
	answers := json.NewEncoder(out)
	if err != nil {
		_ = answers.Encode(reply{Error: err.Error()})
		return 1
	}
	defer func() { _ = r.Close() }()
	for lines := json.NewDecoder(in); ; {
		var q request
		if lines.Decode(&q) != nil {
			return 0
		}
		if answers.Encode(answer(r, q)) != nil {
			return 1
		}
	}
}

func newServer(pion bool) (echoServer, error) {
	if pion {
		return newPionEcho()
	}
	return reflector.New(reflector.Config{
		STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
		Limits: reflector.Limits{
			Sessions: maxStreams, SessionsPerOwner: maxStreams, MaxDuration: 2 * maxDuration,
			ConnectTimeout: maxDuration, IdleTimeout: maxDuration,
		},
	})
}

func answer(r echoServer, q request) reply {
	var a reply
	var err error
	switch q.Op {
	case "addr":
		a.Addr = r.MediaAddr()
	case "relay":
		own, ok := r.(*reflector.Reflector)
		if !ok {
			err = errors.New("this server has no relay")
			break
		}
		servers := own.ICE(owner, "127.0.0.1").ICEServers
		relay := servers[len(servers)-1]
		a.Addr, a.Username, a.Credential = own.STUNAddr(), relay.Username, relay.Credential
	case "offer":
		a.ID, a.SDP, err = r.Offer(context.Background(), owner, q.SDP)
	case "end":
		var log wire.EchoLog
		log, err = r.End(owner, q.ID)
		a.Log = &log
	case "stats":
		stats := r.Stats()
		a.Stats = &stats
	default:
		err = fmt.Errorf("unknown request %q", q.Op)
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

// child is the process of the reflector.
type child struct {
	cmd       *exec.Cmd
	in        io.WriteCloser
	mu        sync.Mutex // one request at a time
	questions *json.Encoder
	read      *json.Decoder
}

func startChild(ctx context.Context, pion bool) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	args := []string{ChildArg}
	if pion {
		args = append(args, "pion")
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the reflector: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the reflector: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the reflector: %w", err)
	}
	return &child{cmd: cmd, in: in, questions: json.NewEncoder(in), read: json.NewDecoder(out)}, nil
}

func (c *child) ask(q request) (reply, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var a reply
	if err := c.questions.Encode(q); err != nil {
		return a, fmt.Errorf("query the reflector: %w", err)
	}
	if err := c.read.Decode(&a); err != nil {
		return a, fmt.Errorf("read the reflector's answer: %w", err)
	}
	if a.Error != "" {
		return a, fmt.Errorf("the reflector refused %s: %s", q.Op, a.Error)
	}
	return a, nil
}

// close ends the child by closing its input.
func (c *child) close() {
	_ = c.in.Close()
	timer := time.AfterFunc(5*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer timer.Stop()
	_ = c.cmd.Wait()
}
