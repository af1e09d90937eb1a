package reflector

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
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

// Child runs a reflector until in ends.
func Child(in io.Reader, out io.Writer) int {
	r, err := reflector.New(reflector.Config{
		STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler),
		Limits: reflector.Limits{
			Sessions: maxStreams, SessionsPerOwner: maxStreams, MaxDuration: 2 * maxDuration,
			ConnectTimeout: maxDuration, IdleTimeout: maxDuration,
		},
	})
	answers := json.NewEncoder(out)
	if err != nil {
		_ = answers.Encode(reply{Error: err.Error()})
		return 1
	}
	defer r.Close()
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

func answer(r *reflector.Reflector, q request) reply {
	var a reply
	var err error
	switch q.Op {
	case "addr":
		a.Addr = r.MediaAddr()
	case "relay":
		servers := r.ICE(owner, "127.0.0.1").ICEServers
		relay := servers[len(servers)-1]
		a.Addr, a.Username, a.Credential = r.STUNAddr(), relay.Username, relay.Credential
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

func startChild(ctx context.Context) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, ChildArg)
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
