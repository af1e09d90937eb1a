package confbench

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/docpart"
	"github.com/tonprobe/tonprobe/probe/internal/testbench/netbench"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// Environment variables that control the runs; see the package's documentation.
const (
	envBench    = "TONPROBE_BENCH"
	envDocument = "TONPROBE_BENCH_DOCUMENT"
	envReports  = "TONPROBE_BENCH_REPORTS"
	envQuiet    = "TONPROBE_BENCH_QUIET"
)

// concurrent is the number of worlds. Two checks use much less than half of a CPU.
const concurrent = 2

// patience returns the longest wait for an idle machine before a check.
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

// selected returns the scenarios of this run.
func selected(t *testing.T) []scenario {
	t.Helper()
	names := os.Getenv(envBench)
	if names == "" {
		need.Minutes(t, envBench)
		names = "subset"
	}
	if names == "all" {
		return scenarios()
	}
	wanted := strings.Split(names, ",")
	chosen := slices.DeleteFunc(scenarios(), func(s scenario) bool {
		return !slices.Contains(wanted, s.name) && !(names == "subset" && s.subset)
	})
	if len(chosen) == 0 || names != "subset" && len(chosen) != len(wanted) {
		t.Fatalf("%s=%s: some of these scenarios do not exist", envBench, names)
	}
	return chosen
}

// TestScenariosAreSound checks the table.
func TestScenariosAreSound(t *testing.T) {
	all := scenarios()
	seen := map[string]bool{}
	well, subset := 0, 0
	for _, s := range all {
		if seen[s.name] || seen[s.title] {
			t.Errorf("the scenario %s is a duplicate", s.name)
		}
		seen[s.name], seen[s.title] = true, true
		for _, code := range s.expect {
			if _, known := diagnose.Lookup(code); !known && code != healthy {
				t.Errorf("%s expects %s, which has no rule", s.name, code)
			}
		}
		if s.isHealthy() {
			well++
		}
		if s.subset {
			subset++
		}
		if _, err := lineOf(s); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	// Issue 11 requires 60 scenarios, a third of them healthy.
	if len(all) < 60 || 3*well < len(all) || subset < 8 || subset > 14 {
		t.Errorf("got %d scenarios, %d healthy, %d in the subset; want at least 60, a third, 8 to 14", len(all), well, subset)
	}
}

func lineOf(s scenario) (netbench.Scenario, error) {
	head := fmt.Sprintf("title = %q\nabout = %q\nexpect = \"healthy\"\n", s.title, s.title)
	return netbench.ParseScenario(s.name, []byte(head+s.line))
}

// TestScenarios runs the real programs in every scenario of the run.
func TestScenarios(t *testing.T) {
	chosen := selected(t)
	for _, err := range []error{netbench.Possible(), requireProgram("janus"), haveLiveKit()} {
		if err != nil {
			t.Fatalf("the bench needs root, janus and livekit-server: %v", err)
		}
	}
	if err := netbench.RemoveStale(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	outcomes := runAll(t, chosen)
	keepReports(t, outcomes)
	publish(t, "conference-summary", summary(outcomes, time.Since(began)))
	publish(t, "conference-scenarios", table(outcomes))
	sums := sum(outcomes)
	if os.Getenv(envBench) == "all" {
		for what, r := range map[string]docpart.Ratio{"right causes": sums.right, "loss inside its interval": sums.loss, "jitter": sums.jitter, "round trip": sums.rtt} {
			if r.Pct() < 95 {
				t.Errorf("%s: %v, want at least 95 %%", what, r)
			}
		}
		if sums.healthy.OK != sums.healthy.Of {
			t.Errorf("healthy scenarios without any cause: %v", sums.healthy)
		}
		return
	}
	var figures docpart.Ratio
	for _, o := range outcomes {
		t.Run(o.scenario.name, func(t *testing.T) {
			if !o.right() {
				t.Errorf("got %s, want %v: %s", o.found, o.scenario.expect, o.why())
			}
			for _, c := range o.figures {
				figures.Add(c.ok)
			}
		})
	}
	// The subset has too few figures for a separate share of each kind, as in the full
	// run.
	if figures.Pct() < 90 {
		t.Errorf("figures that agree with the truth: %v, want at least 90 %%", figures)
	}
}

func requireProgram(program string) error {
	_, err := exec.LookPath(program)
	return err
}

func haveLiveKit() error {
	_, err := liveKitProgram()
	return err
}

// runAll distributes the scenarios over concurrent worlds.
func runAll(t *testing.T, chosen []scenario) []outcome {
	t.Helper()
	programs, err := netbench.Build(t.TempDir(), "../../../..")
	if err != nil {
		t.Fatal(err)
	}
	outcomes, atMost := make([]outcome, len(chosen)), patience(t)
	next := make(chan int, len(chosen))
	for i := range chosen {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range min(concurrent, len(chosen)) {
		dir := t.TempDir()
		// The collector trusts its own CA, which also signs the certificates of the
		// conference servers.
		t.Setenv("SSL_CERT_FILE", filepath.Join(dir, "collector", "tls", "ca.pem"))
		w, err := netbench.NewWorld(t.Context(), dir, programs, slog.New(slog.NewTextHandler(t.Output(), nil)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			for i := range next {
				outcomes[i] = runOne(t.Context(), w, programs, dir, chosen[i], atMost)
			}
		})
	}
	wg.Wait()
	return outcomes
}

// runOne starts the servers of a scenario and checks them once.
func runOne(ctx context.Context, w *netbench.World, programs netbench.Programs, dir string, s scenario, atMost time.Duration) outcome {
	line, err := lineOf(s)
	if err != nil {
		return judge(s, netbench.Check{}, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	at := &site{w: w, ctx: ctx, dir: dir, program: programs, name: strings.ReplaceAll(s.name, "_", "-")}
	defer at.close()
	if err := s.serve(at); err != nil {
		return judge(s, netbench.Check{}, fmt.Errorf("start the servers of %s: %w", s.name, err))
	}
	busyPct, err := netbench.AwaitQuiet(ctx, atMost)
	if err != nil {
		return judge(s, netbench.Check{}, err)
	}
	target := s.target
	if target == "" {
		target = at.name
	}
	c, err := w.Check(ctx, line, 1, "--target", target)
	o := judge(s, c, err)
	o.busyPct = busyPct
	return o
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
		if err := netbench.KeepReport(dir, o.scenario.name, o.check.Report); err != nil {
			t.Error(err)
		}
	}
}

// publish writes tables to the requested document.
func publish(t *testing.T, part, tables string) {
	t.Helper()
	t.Log("\n" + tables)
	if file := os.Getenv(envDocument); file != "" {
		if err := docpart.Replace(file, part, tables); err != nil {
			t.Error(err)
		}
	}
}
