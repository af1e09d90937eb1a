package netbench

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/transport/v4/stdnet"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/docpart"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	natprobe "github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// behaviourRuns is the number of runs per behaviour and server.
const behaviourRuns = 10

// Variables of the part of the test that runs in the home's namespace.
const (
	envAsk    = "TONPROBE_BENCH_ASK" // the STUN server's URL
	answering = "behaviour: "        // prefix of each line of its output
)

// behaviours returns the nine of RFC 4787, and no NAT.
func behaviours() (all []NATSpec) {
	for _, m := range []string{"EIM", "ADM", "APDM"} {
		for _, f := range []string{"EIF", "ADF", "APDF"} {
			all = append(all, NATSpec{Mapping: m, Filtering: f, Ports: "random"})
		}
	}
	return append(all, NATSpec{Mapping: "none"})
}

// TestBehavioursOnTheWire determines each NAT behaviour with our reflector and with
// coturn, ten times each. The NAT is that of the bench, so server and probe
// know only what the packets show.
func TestBehavioursOnTheWire(t *testing.T) {
	need.Minutes(t, envBench)
	possible(t)
	turnserver, err := exec.LookPath("turnserver")
	if err != nil {
		lack(t, "coturn", err)
	}
	w := testWorld(t, programs(t))
	coturn := startCoturn(t, w, turnserver)
	var rows strings.Builder
	rows.WriteString("| mapping and filtering | right by our reflector | right by coturn |\n|---|---|---|\n")
	for _, spec := range behaviours() {
		s := Scenario{Name: "behaviour", NAT: spec}
		want := spec.Mapping + " " + spec.Filtering
		if spec.Mapping == "none" {
			want = "none EIF"
		}
		if err := w.load(t.Context(), s, 1); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var wg sync.WaitGroup
		right := map[string]*docpart.Ratio{"reflector": {}, "coturn": {}}
		for server, url := range map[string]string{"reflector": "stun:" + serverAddr.String(), "coturn": coturn} {
			wg.Go(func() {
				for _, got := range askFromHome(t, w, url) {
					mu.Lock()
					if right[server].Add(got == want); got != want {
						t.Errorf("%s: got %q for %q", server, got, want)
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		fmt.Fprintf(&rows, "| %s | %v | %v |\n", want, right["reflector"], right["coturn"])
	}
	publish(t, "nat", rows.String())
}

// startCoturn runs coturn in the server's namespace, on both addresses and two
// ports.
func startCoturn(t *testing.T, w *World, program string) (url string) {
	t.Helper()
	const port = 4478
	dir := t.TempDir()
	args := []string{
		"-n", "--no-cli", "--no-tls", "--no-dtls", "--no-auth", "--log-file=stdout", "--pidfile=" + filepath.Join(dir, "pid"),
		"--userdb=" + filepath.Join(dir, "db"), "--listening-port=" + strconv.Itoa(port), "--alt-listening-port=" + strconv.Itoa(port+1),
	}
	for _, a := range []netip.Addr{serverAddr, serverOther} {
		args = append(args, "--listening-ip="+a.String(), "--relay-ip="+a.String())
	}
	cmd := in(t.Context(), w.ns.names[atServer], program, args...)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := w.ns.within(atServer, func() error {
			c, err := net.Dial("tcp4", netip.AddrPortFrom(serverOther, port).String())
			if err != nil {
				return err
			}
			return c.Close()
		})
		if err == nil {
			return fmt.Sprintf("stun:%s:%d", serverAddr, port)
		}
		if time.Now().After(end) {
			t.Fatalf("coturn does not listen: %v", err)
		}
	}
}

// askFromHome runs this test program in the home's namespace.
func askFromHome(t *testing.T, w *World, url string) (answers []string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Error(err)
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := in(ctx, w.ns.names[atHome], self, "-test.run=^TestAskAtHome$")
	cmd.Env = append(os.Environ(), envAsk+"="+url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", url, err, out)
	}
	for line := range strings.Lines(string(out)) {
		if said, ok := strings.CutPrefix(strings.TrimSpace(line), answering); ok {
			answers = append(answers, said)
		}
	}
	if len(answers) != behaviourRuns {
		t.Errorf("%s: got %d results, want %d\n%s", url, len(answers), behaviourRuns, out)
	}
	return answers
}

// TestAskAtHome is the part of TestBehavioursOnTheWire that runs in the home's
// namespace. The runs are concurrent, each with its own sockets.
func TestAskAtHome(t *testing.T) {
	url := os.Getenv(envAsk)
	if url == "" {
		return // not a skip: the test runs in the namespace instead
	}
	n, err := stdnet.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	ask := natprobe.NewBehavior(natprobe.Config{ICE: func(context.Context) (wire.ICEConfig, error) {
		return wire.ICEConfig{ICEServers: []wire.ICEServer{{URLs: []string{url}}}}, nil
	}})
	answers := make([]string, behaviourRuns)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			r, err := ask.Run(t.Context(), probe.Env{
				Clock: probe.SystemClock{}, Net: n, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler), Progress: func(probe.Event) {},
			})
			d, ok := r.Data.(*report.NATBehavior)
			if err != nil || !ok {
				answers[i] = fmt.Sprint(err)
				return
			}
			if answers[i] = d.Mapping + " " + d.Filtering; r.Note != "" {
				answers[i] += " (" + r.Note + ")"
			}
		})
	}
	wg.Wait()
	var out bytes.Buffer
	for _, a := range answers {
		fmt.Fprintln(&out, answering+a)
	}
	_, _ = os.Stdout.Write(out.Bytes())
}
