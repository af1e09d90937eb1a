package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Programs are the real ones, built for this system.
type Programs struct{ Agent, Collector string }

// World is a home, its router, its provider and a server, with the real
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

	// The boxes of a scenario, which are there in all of them.
	names      *nameServer
	pages      *loginPages
	proxy      *forwardProxy
	inspection *inspectingFirewall
	front      *front
}

// NewWorld makes a world whose data lie in dir. Close must be called in any case
// in which there was no error.
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
	if err = w.startCollector(ctx); err != nil {
		return fmt.Errorf("start the collector: %w", err)
	}
	if err = w.openFront(); err != nil {
		return fmt.Errorf("start the box before the collector: %w", err)
	}
	clear := Scenario{Name: "clear", NAT: homeRouter()}
	if err = w.load(ctx, clear, 1); err != nil {
		return err
	}
	if err = w.enrol(ctx); err != nil {
		return fmt.Errorf("enrol the agent: %w", err)
	}
	return nil
}

// Close ends everything and leaves nothing behind.
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

func (w *World) openGateway(ctx context.Context) error {
	var begin []func()
	err := w.ns.within(atGateway, func() (err error) {
		if w.names, err = listenDNS(privateGateway, publicGateway); err != nil {
			return err
		}
		var pages, proxy, inspection func()
		if pages, w.pages, err = listenPortal(privateGateway); err != nil {
			return err
		}
		if proxy, w.proxy, err = listenProxy(privateGateway, w.dialFrom(atGateway)); err != nil {
			return err
		}
		inspection, w.inspection, err = listenInspection(privateGateway, w.dialFrom(atGateway), serverAddr)
		begin = []func(){pages, proxy, inspection}
		return err
	})
	if err != nil {
		return err
	}
	w.names.serve(ctx)
	for _, b := range begin {
		b()
	}
	return nil
}

func (w *World) openFront() error {
	var begin func()
	err := w.ns.within(atServer, func() (err error) {
		begin, w.front, err = listenFront(w.ca, w.dialFrom(atServer))
		return err
	})
	if err != nil {
		return err
	}
	begin()
	ca, err := os.ReadFile(w.ca)
	if err != nil {
		return fmt.Errorf("read the collector's authority: %w", err)
	}
	w.caAndBox = w.data("ca-and-box.pem")
	return os.WriteFile(w.caAndBox, append(ca, w.inspection.authority.pem()...), 0o644)
}

// dialFrom opens connections that belong to a host, to an address or to the one
// name there is.
func (w *World) dialFrom(host int) dial {
	return func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		if name, port, err := net.SplitHostPort(address); err == nil && name == ServerName {
			address = net.JoinHostPort(serverAddr.String(), port)
		}
		err = w.ns.within(host, func() error {
			// An address, not a name: nothing here starts a goroutine of its own.
			conn, err = (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, address)
			return err
		})
		return conn, err
	}
}

func (w *World) closeBoxes() {
	if w.pages != nil {
		w.pages.close()
	}
	for _, s := range w.boxServers() {
		_ = s.Close()
	}
}

func (w *World) boxServers() (all []*http.Server) {
	if w.proxy != nil {
		all = append(all, w.proxy.server)
	}
	if w.inspection != nil && w.inspection.server != nil {
		all = append(all, w.inspection.server)
	}
	if w.front != nil {
		all = append(all, w.front.server)
	}
	return all
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
		return fmt.Errorf("it did not get ready: %s", stderr.String())
	}
	return nil
}

func (w *World) enrol(ctx context.Context) error {
	out, err := in(ctx, w.ns.names[atServer], w.programs.Collector, "participant", "add", "Bench", "--json", "--data", w.data("collector")).Output()
	if err != nil {
		return fmt.Errorf("add a participant: %w", withStderr(err))
	}
	var invited struct{ Code string }
	if err := json.Unmarshal(out, &invited); err != nil {
		return fmt.Errorf("add a participant: %w", err)
	}
	_, err = w.agent(ctx, w.ca, "enroll", invited.Code, "--server", "https://"+ServerName).Output()
	return withStderr(err)
}

// agent is the real tonprobe at home.
func (w *World) agent(ctx context.Context, ca string, args ...string) *exec.Cmd {
	args = append(args, "--data", w.data("agent"), "--ca", ca)
	cmd := in(ctx, w.ns.names[atHome], w.programs.Agent, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "LANG=C.UTF-8"} // no proxy of this machine's
	return cmd
}

// load brings home, name server and link into the state of a scenario. The link
// comes last: second 0 is when it returns.
func (w *World) load(ctx context.Context, s Scenario, seed uint64) error {
	p := planOf(s)
	if err := w.ns.nameHome(ctx, s.Home.VPN); err != nil {
		return err
	}
	if err := w.ns.address(ctx, atHome, p.gateway, p.all...); err != nil {
		return err
	}
	if err := w.ns.setResolver(atHome, p.gateway); err != nil {
		return err
	}
	if err := w.setDesktop(s.Proxy.desktop(p.gateway)); err != nil {
		return err
	}
	w.names.spec.Store(&s.DNS)
	w.front.spec.Store(&s.Collector)
	w.proxy.demands.Store(s.Proxy != nil && s.Proxy.Demands)
	if s.Inspection != nil {
		w.inspection.spec.Store(s.Inspection)
	}
	return w.Link.Load(s, seed)
}

// checkLimit is far more than a check may take; behind it, it hangs.
const checkLimit = 2 * time.Minute

// Check runs the real check in a scenario.
func (w *World) Check(ctx context.Context, s Scenario, seed uint64) (Check, error) {
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	if err := w.load(ctx, s, seed); err != nil {
		return Check{}, err
	}
	cmd := w.checkCommand(ctx, s)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	pulled := w.pullPlug(ctx, s)
	began := time.Now()
	err := cmd.Run()
	c := Check{Scenario: s, Truth: w.Link.Truth(), Took: time.Since(began)}
	cancel()
	if pullErr := <-pulled; pullErr != nil {
		return c, pullErr
	}
	if cmd.ProcessState != nil {
		c.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	// The status is the verdict; that there is a report counts.
	if c.Report, err = decode(stdout.Bytes(), err); err != nil {
		return c, fmt.Errorf("check in %s: %w: %s", s.Name, err, strings.TrimSpace(stderr.String()))
	}
	return c, nil
}

func (w *World) checkCommand(ctx context.Context, s Scenario) *exec.Cmd {
	ca := w.ca
	if s.Inspection != nil && s.Inspection.Trusted {
		ca = w.caAndBox
	}
	args := []string{"check", "--plain", "--no-audio", "--yes", "--no-upload", "--json", "-"}
	if s.Home.Load {
		args = append(args, "--load")
	}
	if s.Home.LifetimeS > 0 {
		args = append(args, fmt.Sprintf("--binding-lifetime=%gs", s.Home.LifetimeS))
	}
	cmd := w.agent(ctx, ca, args...)
	cmd.Env = append(cmd.Env, "PATH="+w.desktopDir()+":"+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, s.Proxy.environment(planOf(s).gateway)...)
	return cmd
}

func (w *World) desktopDir() string { return w.data("desktop") }

// setDesktop stands in for GNOME's program for settings: there is no desktop in
// a namespace.
func (w *World) setDesktop(settings string) error {
	program := filepath.Join(w.desktopDir(), "gsettings")
	if settings == "" {
		if err := os.Remove(program); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("take the desktop's settings away: %w", err)
		}
		return nil
	}
	if err := os.MkdirAll(w.desktopDir(), 0o755); err != nil {
		return fmt.Errorf("set up the desktop's settings: %w", err)
	}
	return os.WriteFile(program, []byte("#!/bin/sh\ncat <<'END'\n"+settings+"END\n"), 0o755)
}

// pullPlug takes the home's interface away and brings it back as the scenario
// says. The channel gives the result when ctx is done at the latest.
func (w *World) pullPlug(ctx context.Context, s Scenario) <-chan error {
	done := make(chan error, 1)
	began := time.Now()
	wait := func(second float64) bool {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Until(began.Add(time.Duration(second * float64(time.Second))))):
			return true
		}
	}
	go func() {
		p := planOf(s)
		// What has begun is brought to its end: a half-set interface would spoil
		// the next scenario.
		whole := context.WithoutCancel(ctx)
		switch {
		case s.Home.DownAtS == 0 || !wait(s.Home.DownAtS):
			done <- nil
		default:
			err := w.ns.pull(whole, atHome)
			if err == nil && s.Home.UpAtS > 0 && wait(s.Home.UpAtS) {
				err = w.ns.plug(whole, atHome, p.gateway, p.all...)
			}
			done <- err
		}
	}()
	return done
}

func decode(b []byte, runErr error) (*report.Report, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("no report: %w", runErr)
	}
	return report.Decode(b)
}

func withStderr(err error) error {
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(e.Stderr))
	}
	return err
}

// lockedBuffer may be written and read at once.
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
