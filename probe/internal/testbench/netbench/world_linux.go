package netbench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// World contains a home, its router, its provider and a server, with the real
// collector at the server and an enrolled agent at the home.
type World struct {
	Link *Link

	programs  Programs
	dir       string // data of agent and collector
	ns        *namespaces
	log       *slog.Logger
	collector *exec.Cmd
	ca        string // certificate file of the collector
	caAndBox  string // with that of the inspecting firewall
	stop      context.CancelFunc

	// The boxes, which exist in all scenarios.
	names      *nameServer
	pages      *loginPages
	proxy      *forwardProxy
	inspection *inspectingFirewall
	front      *front
	everyPage  *http.Server // port 80 of the server; nil while it is closed
}

// NewWorld creates a world with its data in dir. The caller must call Close unless
// there is an error.
func NewWorld(ctx context.Context, dir string, p Programs, log *slog.Logger) (*World, error) {
	w := &World{programs: p, dir: dir, ns: newNames(), log: log}
	ctx, w.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := w.open(ctx); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *World) open(ctx context.Context) (err error) {
	if w.Link, err = openLink(w.ns.devices, w.log); err != nil {
		return err
	}
	if err = w.ns.make(ctx); err != nil {
		return err
	}
	if err = w.Link.tap(w.ns); err != nil {
		return err
	}
	if err = w.openGateway(ctx); err != nil {
		return fmt.Errorf("start the gateway: %w", err)
	}
	if err = w.ns.setHosts(atServer, append(ConferenceNames(), ServerName), serverAddr); err != nil {
		return fmt.Errorf("set the server's name: %w", err)
	}
	if err = w.startCollector(ctx); err != nil {
		return fmt.Errorf("start the collector: %w", err)
	}
	if err = w.openFront(); err != nil {
		return fmt.Errorf("start the middlebox in front of the collector: %w", err)
	}
	for _, port := range []uint16{collectorPort, movedPort} {
		clear := Scenario{Name: "clear", NAT: homeRouter(), Collector: CollectorSpec{Port: port}}
		if err = w.load(ctx, clear, 1); err != nil {
			return err
		}
		if err = w.enrol(ctx, port); err != nil {
			return fmt.Errorf("enrol the agent at port %d: %w", port, err)
		}
	}
	return nil
}

// Close stops everything and removes all that the world created.
func (w *World) Close() error {
	w.stop()
	if w.collector != nil {
		_ = w.collector.Wait() // killed by stop
	}
	w.closeBoxes()
	if w.names != nil {
		w.names.close()
	}
	if w.Link != nil {
		w.Link.close()
	}
	return w.ns.remove(context.Background())
}

func (w *World) data(of string) string { return filepath.Join(w.dir, of) }

func (w *World) startCollector(ctx context.Context) error {
	cmd := in(ctx, w.ns.names[atServer], w.programs.Collector, "serve", "--data", w.data("collector"),
		"--listen", ":443", "--public-url", "https://"+ServerName, "--stun-listen", ":3478", "--media-listen", ":3480",
		"--stun-alternate", serverOther.String(), "--turn-tls-listen", ":5349")
	var stderr lockedBuffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.collector = cmd
	lines := bufio.NewScanner(out)
	for w.ca == "" && lines.Scan() {
		if _, file, ok := strings.Cut(lines.Text(), "--ca "); ok {
			w.ca = strings.TrimSpace(file)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if w.ca == "" {
		return fmt.Errorf("it did not become ready: %s", stderr.String())
	}
	return nil
}

// enrol creates an agent for the collector at a port, because an agent's collector
// address cannot be changed.
func (w *World) enrol(ctx context.Context, port uint16) error {
	out, err := w.collectorCommand(ctx, "participant", "add", "Bench", "--json").Output()
	if err != nil {
		return fmt.Errorf("add a participant: %w", withStderr(err))
	}
	var invited struct{ Code string }
	if err := json.Unmarshal(out, &invited); err != nil {
		return fmt.Errorf("add a participant: %w", err)
	}
	_, err = w.agent(ctx, port, w.ca, "enroll", invited.Code, "--server", serverURL(port)).Output()
	return withStderr(err)
}

func serverURL(port uint16) string {
	if port == collectorPort {
		return "https://" + ServerName
	}
	return fmt.Sprintf("https://%s:%d", ServerName, port)
}

// agent returns a command for the real tonprobe at the home, enrolled at the
// collector's port.
func (w *World) agent(ctx context.Context, port uint16, ca string, args ...string) *exec.Cmd {
	args = append(args, "--data", w.data(fmt.Sprintf("agent%d", port)), "--ca", ca)
	cmd := in(ctx, w.ns.names[atHome], w.programs.Agent, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "LANG=C.UTF-8"} // without the proxy settings of this machine
	return cmd
}

// load sets home, name server and link to the state of a scenario. The link is
// last: second 0 is when load returns.
func (w *World) load(ctx context.Context, s Scenario, seed uint64) error {
	p := planOf(s)
	if err := w.ns.nameHome(ctx, s.Home.VPN); err != nil {
		return err
	}
	if err := w.ns.address(ctx, atHome, p.gateway, p.all...); err != nil {
		return err
	}
	if err := w.ns.lack(ctx, atHome, s.Home.Network); err != nil {
		return err
	}
	if err := w.ns.setResolver(atHome, s.DNS.resolvConf(p.gateway)); err != nil {
		return err
	}
	if err := w.servePages(s.Collector.EveryPage); err != nil {
		return err
	}
	if err := w.ns.allowPings(atHome, !s.Home.NoPings); err != nil {
		return fmt.Errorf("allow pings: %w", err)
	}
	if err := w.setDesktop(s.Proxy.desktop(p.gateway)); err != nil {
		return err
	}
	w.names.spec.Store(&s.DNS)
	if err := w.front.load(s.Collector); err != nil {
		return err
	}
	w.proxy.spec.Store(&ProxySpec{})
	w.proxy.clock.Store(0)
	if !s.Collector.ClockAlone {
		w.proxy.clock.Store(int64(s.Collector.ClockS * float64(time.Second)))
	}
	if s.Proxy != nil {
		w.proxy.spec.Store(s.Proxy)
	}
	if s.Inspection != nil {
		w.inspection.spec.Store(s.Inspection)
	}
	return w.Link.Load(s, seed)
}

func withStderr(err error) error {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(e.Stderr))
	}
	return err
}

// lockedBuffer is a buffer for concurrent use.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
