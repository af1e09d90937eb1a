package netbench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/internal/testbench/docpart"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// selected returns the scenarios of this run; none if the bench was not requested.
func selected(t *testing.T) []Scenario {
	t.Helper()
	names := os.Getenv(envBench)
	if names == "" {
		need.Minutes(t, envBench)
		names = "subset"
	}
	if names == "all" {
		return all(t)
	}
	wanted := strings.Split(names, ",")
	chosen := slices.DeleteFunc(all(t), func(s Scenario) bool {
		return !slices.Contains(wanted, s.Name) && !(names == "subset" && s.Subset)
	})
	if len(chosen) == 0 || names != "subset" && len(chosen) != len(wanted) {
		t.Fatalf("%s=%s: some of these scenarios do not exist", envBench, names)
	}
	return chosen
}

// programs returns the real programs, built once for all tests.
func programs(t *testing.T) Programs {
	t.Helper()
	p, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// buildOnce builds into a folder that TestMain removes.
var buildOnce = sync.OnceValues(func() (Programs, error) { return Build(buildDir(), "../../../..") })

func buildDir() string { return filepath.Join(os.TempDir(), fmt.Sprintf("tonbench-%d", os.Getpid())) }

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(buildDir())
	os.Exit(code)
}

func quiet(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// TestScenarios runs the real programs in every scenario of the run.
//
// No check is repeated because of its result. Before each one the bench waits until
// the machine is idle. Only a check that is void according to its own self check is
// repeated, and the table counts these.
func TestScenarios(t *testing.T) {
	chosen := selected(t)
	possible(t)
	if err := RemoveStale(t.Context()); err != nil {
		t.Fatal(err)
	}
	outcomes := runAll(t, chosen)
	keepReports(t, outcomes)
	publish(t, "summary", summary(sum(outcomes)))
	publish(t, "misses", misses(outcomes))
	publish(t, "scenarios", matrix(outcomes))
	if os.Getenv(envBench) == "all" {
		wantTargets(t, sum(outcomes))
		return
	}
	var figures docpart.Ratio
	for _, o := range outcomes {
		t.Run(o.scenario.Name, func(t *testing.T) {
			switch {
			case o.err != nil:
				t.Error(o.err)
			case !o.right() && !o.missing():
				t.Errorf("got %s %v %v, want %s: %s", o.found, o.others, o.remarks, o.scenario.Expect, o.why())
			}
			for _, c := range o.figures {
				figures.Add(c.ok)
				if !c.ok {
					t.Log(c)
				}
			}
		})
	}
	// Too few for separate shares, which the full run has.
	if figures.Pct() < 95 {
		t.Errorf("figures that agree with the truth: %v, want at least 95 %%", figures)
	}
}

// keepReports writes the reports of all outcomes to the folder that was requested.
func keepReports(t *testing.T, all []outcome) {
	t.Helper()
	dir := os.Getenv(envReports)
	if dir == "" {
		return
	}
	for _, o := range all {
		if o.check.Report == nil {
			continue
		}
		if err := KeepReport(dir, o.scenario.Name, o.check.Report); err != nil {
			t.Error(err)
		}
		if err := os.WriteFile(filepath.Join(dir, o.scenario.Name+".csv"), o.check.wireLog(), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// publish writes tables to the requested files.
func publish(t *testing.T, part, tables string) {
	t.Helper()
	t.Log("\n" + tables)
	if file := os.Getenv(envMatrix); file != "" {
		if err := appendTo(file, tables); err != nil {
			t.Error(err)
		}
	}
	if file := os.Getenv(envDocument); file != "" {
		if err := docpart.Replace(file, part, tables); err != nil {
			t.Error(err)
		}
	}
}

func appendTo(file, text string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text + "\n")
	return errors.Join(err, f.Close())
}

// wantTargets checks the required accuracy for the full run.
func wantTargets(t *testing.T, s tally) {
	t.Helper()
	for what, v := range map[string]struct {
		got  docpart.Ratio
		want float64
	}{
		"right primary cause":               {docpart.Ratio{OK: s.right, Of: s.scenarios}, 95},
		"healthy lines without any warning": {docpart.Ratio{OK: s.clean, Of: s.healthy}, 99},
		"loss inside its interval":          {s.loss, 95},
		"jitter within 5 % or 0.3 ms":       {s.jitter, 95},
		"RTT p50 within 0.3 ms":             {s.rtt, 95},
		"NAT mapping and filtering":         {s.nat, 100},
		"under 12 s":                        {s.time, 100},
		"under 150 kbit/s":                  {s.wire, 100},
		"under 10 % of a core":              {s.cpu, 100},
	} {
		if v.got.Pct() < v.want {
			t.Errorf("%s: %v, want at least %v %%", what, v.got, v.want)
		}
	}
	if s.failed > 0 {
		t.Errorf("%d checks failed to produce a report", s.failed)
	}
}

// runAll distributes the scenarios over concurrent worlds.
func runAll(t *testing.T, chosen []Scenario) []outcome {
	t.Helper()
	p := programs(t)
	outcomes := make([]outcome, len(chosen))
	next := make(chan int, len(chosen))
	for i := range chosen {
		next <- i
	}
	close(next)
	patience := patience(t)
	var wg sync.WaitGroup
	for range worlds(t, len(chosen)) {
		w := testWorld(t, p)
		wg.Go(func() {
			for i := range next {
				outcomes[i] = runOne(t.Context(), w, chosen[i], patience)
			}
		})
	}
	wg.Wait()
	return outcomes
}

// runOne repeats a void check, up to three runs in total.
func runOne(ctx context.Context, w *World, s Scenario, patience time.Duration) (o outcome) {
	const maxTries = 3
	for try := range maxTries {
		busyPct, err := AwaitQuiet(ctx, patience)
		if err != nil {
			return outcome{scenario: s, err: err}
		}
		c, err := w.Check(ctx, s, uint64(try+1))
		o = judge(s, c, err)
		o.repeats, o.busyPct = try, busyPct
		if ctx.Err() != nil || !o.void() {
			break
		}
	}
	return o
}

// patience returns the longest wait for an idle machine.
func patience(t *testing.T) time.Duration {
	text := os.Getenv(envQuiet)
	if text == "" {
		return 20 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		t.Fatalf("%s=%s: want a duration such as 20s", envQuiet, text)
	}
	return d
}

// worlds returns the number of concurrent worlds. Two use much less than half of a
// CPU.
func worlds(t *testing.T, most int) int {
	n := 2
	if text := os.Getenv(envWorlds); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			t.Fatalf("%s=%s: want a number from 1 on", envWorlds, text)
		}
	}
	return min(n, most)
}

// testWorld returns a world that is closed at the end of the test, and must leave
// nothing behind.
func testWorld(t *testing.T, p Programs) *World {
	t.Helper()
	possible(t)
	w, err := NewWorld(t.Context(), t.TempDir(), p, quiet(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		for _, name := range w.ns.names {
			if _, err := os.Stat(filepath.Join(namespaceDir, name)); err == nil {
				t.Errorf("namespace %s is left behind", name)
			}
		}
	})
	return w
}

// TestWireMatchesTheScenario sends packets through a world without our programs: every
// host responds, and the delays are those of the scenario.
func TestWireMatchesTheScenario(t *testing.T) {
	selected(t)
	w := testWorld(t, programs(t))
	s := Scenario{Name: "plain", NAT: homeRouter(), Lan: both(Line{DelayMS: 5}), Access: both(Line{DelayMS: 10}), Server: both(Line{DelayMS: 20})}
	if err := w.load(t.Context(), s, 1); err != nil {
		t.Fatal(err)
	}
	for addr, leastMS := range map[netip.Addr]float64{privateGateway: 10, ispAddr: 30, serverAddr: 70} {
		took, err := w.askClosedPort(addr)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%v: got error %v, want that of a closed port", addr, err)
		}
		if got := took.Seconds() * 1000; got < leastMS {
			t.Errorf("%v responds after %.3f ms, less than the %v ms of the path", addr, got, leastMS)
		}
	}
	for _, p := range w.Link.Truth().UDP(Up, 9) {
		if p.To.Addr() == serverAddr && (len(p.OutNS) != 1 || p.DelayNS() < 35e6) {
			t.Errorf("got truth of the path to the server %+v", p)
		}
	}
}

// askClosedPort sends to a closed port. The refusal returns as an ICMP error,
// through the NAT.
func (w *World) askClosedPort(addr netip.Addr) (took time.Duration, err error) {
	err = w.ns.within(atHome, func() error {
		c, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 9)))
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		began := time.Now()
		if _, err := c.Write([]byte("?")); err != nil {
			return err
		}
		_ = c.SetReadDeadline(began.Add(2 * time.Second))
		_, err = c.Read(make([]byte, 1))
		took = time.Since(began)
		return err
	})
	return took, err
}

func TestRemainsOfADeadBenchAreRemoved(t *testing.T) {
	need.Root(t, "network namespaces")
	if err := possibleNamespaces(); err != nil {
		lack(t, "network namespaces", err)
	}
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	stale := fmt.Sprintf("%s%d-1-home", namespacePrefix, dead.Process.Pid)
	ours := fmt.Sprintf("%s%d-99-home", namespacePrefix, os.Getpid())
	for _, name := range []string{stale, ours} {
		if err := ip(t.Context(), "netns", "add", name); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = removeNamespace(context.Background(), name) })
		if err := os.MkdirAll(filepath.Join(resolverDir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveStale(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{namespaceDir, resolverDir} {
		if _, err := os.Stat(filepath.Join(dir, stale)); err == nil {
			t.Errorf("%s is still in %s", stale, dir)
		}
		if _, err := os.Stat(filepath.Join(dir, ours)); err != nil {
			t.Errorf("the folder of a running bench was removed from %s", dir)
		}
	}
}
