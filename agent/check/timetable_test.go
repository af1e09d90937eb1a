package check

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media"
	"github.com/tonprobe/tonprobe/probe/nat"
	"github.com/tonprobe/tonprobe/probe/network/path"
	"github.com/tonprobe/tonprobe/probe/network/web"
	"github.com/tonprobe/tonprobe/probe/report"
)

var update = flag.Bool("update", false, "write the golden files anew")

// phased is a phase that a simulated probe enters.
type phased struct {
	name  string
	count int           // number of times it is entered at once
	after time.Duration // pause of the probe before it
	lasts time.Duration // 0: until the end of the budget
	next  bool          // the phase starts after the previous one, and ends it
	left  bool          // the phase ends after lasts; otherwise with the probe
}

// line describes a simulated line: the phases that each probe enters on it, and
// their lengths. A probe that is not listed uses its whole budget.
type line struct {
	phases map[string][]phased
	// takes is the duration of each probe; 0 means its whole budget.
	takes map[string]time.Duration
}

// lines returns the extremes for the default plan: on the fast line the voice is
// connected at once; on the slow one it never is, and each probe uses its whole
// budget; where only TCP passes, a large voice stream begins late.
func lines() map[string]line {
	return map[string]line{
		"quick": {
			phases: map[string][]phased{
				report.ProbeMediaVoice:  {{name: media.PhaseConnect, count: 1, lasts: 200 * time.Millisecond}, {name: media.PhaseStream, count: 1, lasts: streamFor, next: true}},
				report.ProbeNetworkWeb:  {{name: web.PhaseConnect, count: 1, lasts: 200 * time.Millisecond, left: true}, {name: web.PhaseWebSocket, count: 1}, {name: web.PhaseConnect, count: 1, lasts: 200 * time.Millisecond, left: true}},
				report.ProbeNATTURN:     quickRelays(),
				report.ProbeNetworkPath: {{name: path.PhaseSurvey, count: 1, lasts: 450 * time.Millisecond, left: true}, {name: path.PhasePoint, count: 2}, {name: path.PhasePointUDP, count: 1}, {name: path.PhaseLarge, count: 1, after: 2500 * time.Millisecond, lasts: 1200 * time.Millisecond, left: true}},
			},
			takes: map[string]time.Duration{
				report.ProbeNAT: 200 * time.Millisecond, report.ProbeNATBehavior: 3 * time.Second, report.ProbeNetworkLink: 4 * time.Second,
				report.ProbeNetworkPath: 5500 * time.Millisecond, report.ProbeMediaVoice: 500 * time.Millisecond, report.ProbeAudioInput: 6 * time.Second,
				report.ProbeNATTURN: time.Millisecond, report.ProbeNetworkWeb: time.Millisecond, report.ProbeHostCrash: 300 * time.Millisecond, report.ProbeHostLoad: 4 * time.Second,
			},
		},
		"dead": {
			phases: map[string][]phased{
				report.ProbeMediaVoice:  {{name: media.PhaseConnect, count: 1}},
				report.ProbeNetworkWeb:  {{name: web.PhaseConnect, count: 1, lasts: 3 * time.Second, left: true}, {name: web.PhaseConnect, count: 1, lasts: 2 * time.Second, left: true}},
				report.ProbeNATTURN:     silentRelays(),
				report.ProbeNetworkPath: {{name: path.PhaseSurvey, count: 1, lasts: 450 * time.Millisecond, left: true}, {name: path.PhasePoint, count: 2}, {name: path.PhasePointUDP, count: 1}, {name: path.PhaseLarge, count: 1, after: 2500 * time.Millisecond, lasts: 5400 * time.Millisecond, left: true}},
			},
		},
		"only-tcp": {
			phases: map[string][]phased{
				report.ProbeMediaVoice:  {{name: media.PhaseConnect, count: 1, lasts: 4500 * time.Millisecond}, {name: media.PhaseStreamRelayed, count: 1, next: true}},
				report.ProbeNetworkWeb:  {{name: web.PhaseConnect, count: 1, lasts: 500 * time.Millisecond, left: true}, {name: web.PhaseWebSocket, count: 1}, {name: web.PhaseConnect, count: 1, lasts: 500 * time.Millisecond, left: true}},
				report.ProbeNATTURN:     tcpRelays(),
				report.ProbeNetworkPath: {{name: path.PhaseSurvey, count: 1, lasts: 1800 * time.Millisecond, left: true}, {name: path.PhasePoint, count: 2}, {name: path.PhasePointUDP, count: 1}, {name: path.PhaseLarge, count: 1, after: 2500 * time.Millisecond, lasts: 3 * time.Second, left: true}},
			},
		},
	}
}

// quickRelays returns the phases of a relay over UDP, one over TCP and two over TLS,
// which respond.
func quickRelays() []phased {
	const lasts = 250 * time.Millisecond
	return []phased{{name: nat.PhaseRelay, count: 1, lasts: lasts, left: true}, {name: nat.PhaseRelay, count: 1, lasts: lasts, left: true}, {name: nat.PhaseRelayTLS, count: 1, lasts: lasts, left: true}, {name: nat.PhaseRelayTLS, count: 1, lasts: lasts, left: true}}
}

// tcpRelays returns the same phases if only the relay over UDP does not respond.
func tcpRelays() []phased {
	return append([]phased{{name: nat.PhaseRelay, count: 1}}, quickRelays()[1:]...)
}

// silentRelays returns them if no relay responds.
func silentRelays() []phased {
	return []phased{{name: nat.PhaseRelay, count: 2}, {name: nat.PhaseRelayTLS, count: 2}}
}

// stay is the time that a simulated probe spent in a phase or in its step.
type stay struct {
	step, phase string
	turn        probe.Turn
	from, to    time.Duration
}

// TestTimetable simulates the default plan second by second. The golden files
// document it; the bounds are checked in any case.
func TestTimetable(t *testing.T) {
	for name, l := range lines() {
		t.Run(name, func(t *testing.T) {
			plan, err := Options{Collector: &Collector{URL: "https://127.0.0.1:1"}}.plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			stays, took := simulate(t, plan, l)
			if took > 15*time.Second {
				t.Errorf("the check takes %v", took)
			}
			got := timetable(t, stays, took)
			file := filepath.Join("testdata", "timetable-"+name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s is out of date (go test ./agent/check -run Timetable -update):\n%s", file, got)
			}
		})
	}
}

// TestTimetableWithAGreedyStep checks that an additional step that sends as much as
// allowed at once does not exceed the budget.
func TestTimetableWithAGreedyStep(t *testing.T) {
	for name, l := range lines() {
		for _, first := range []bool{true, false} {
			plan, err := Options{Collector: &Collector{URL: "https://127.0.0.1:1"}}.plan(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			greedy := probe.Step{Probe: fake{name: "conference.greedy"}, Budget: 6 * time.Second, Turn: probe.Turn{Sends: steady(90, 90)}}
			if first {
				plan = slices.Insert(plan, 0, greedy)
			} else {
				plan = append(plan, greedy)
			}
			if err := plan.Check(); err != nil {
				t.Fatal(err)
			}
			stays, took := simulate(t, plan, l)
			timetable(t, stays, took)
			if took > 15*time.Second {
				t.Errorf("%s: the check takes %v", name, took)
			}
		}
	}
}

// simulate runs the plan on l.
func simulate(t *testing.T, plan probe.Plan, l line) (stays []*stay, took time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		begin := func(step, phase string, turn probe.Turn) *stay {
			mu.Lock()
			defer mu.Unlock()
			stays = append(stays, &stay{step, phase, turn, time.Since(start), time.Hour})
			return stays[len(stays)-1]
		}
		end := func(s *stay) { s.to = min(s.to, time.Since(start)) }
		simulated := slices.Clone(plan)
		for i, s := range plan {
			name := s.Probe.Name()
			simulated[i].Probe = fake{name, func(ctx context.Context, env probe.Env) (probe.Result, error) {
				own := []*stay{begin(name, "", s.Turn)}
				defer func() {
					for _, s := range own {
						end(s)
					}
				}()
				var pass *probe.Pass
				for _, p := range l.phases[name] {
					_ = env.Clock.Sleep(ctx, p.after)
					for range p.count {
						var err error
						if p.next {
							end(own[len(own)-1])
							pass, err = pass.Next(ctx, p.name)
						} else {
							pass, err = env.Enter(ctx, p.name)
						}
						if err != nil {
							return probe.Result{}, nil
						}
						at := slices.IndexFunc(s.Phases, func(f probe.Phase) bool { return f.Name == p.name })
						own = append(own, begin(name, p.name, s.Phases[at].Turn))
					}
					if p.lasts > 0 {
						_ = env.Clock.Sleep(ctx, p.lasts)
					}
					if p.left {
						pass.Leave()
						end(own[len(own)-1])
					}
				}
				wait := l.takes[name]
				if wait == 0 {
					wait = time.Hour
				}
				_ = env.Clock.Sleep(ctx, wait)
				return probe.Result{Status: report.StatusOK}, nil
			}}
		}
		took = simulated.Run(t.Context(), probe.Env{Clock: probe.SystemClock{}}).Duration
		time.Sleep(2 * probe.Grace)
	})
	return stays, took
}

// timetable formats the simulation: for each second, what runs and the most that is
// sent in any second beginning in it, which must be within the budget.
func timetable(t *testing.T, stays []*stay, took time.Duration) string {
	t.Helper()
	var up, down [2][]float64 // bursts at once, and as late as possible
	for i := range up {
		up[i], down[i] = emissions(stays, i == 1)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "The check takes %.1f s. What runs in each second, and the most that may be sent in\na second that begins in it, in kbit/s.\n\n", took.Seconds())
	fmt.Fprintf(&b, "%-8s %4s %4s  %s\n", "seconds", "up", "down", "running")
	for second := time.Duration(0); second < took; second += time.Second {
		var running []string
		for _, s := range stays {
			name := s.step
			if s.phase != "" {
				name += "/" + s.phase
			}
			if s.from < second+time.Second && s.to > second && !slices.Contains(running, name) {
				running = append(running, name)
			}
		}
		slices.Sort(running)
		maxUp := max(busiest(up[0], second), busiest(up[1], second))
		maxDown := max(busiest(down[0], second), busiest(down[1], second))
		if maxUp > probe.LineBudgetKbps+1e-6 || maxDown > probe.LineBudgetKbps+1e-6 {
			t.Errorf("second %.0f: got %g kbit/s up, %g down; want at most %d", second.Seconds(), maxUp, maxDown, probe.LineBudgetKbps)
		}
		fmt.Fprintf(&b, "%2.0f - %-3.0f %4.0f %4.0f  %s\n", second.Seconds(), second.Seconds()+1, maxUp, maxDown, strings.Join(running, ", "))
	}
	return b.String()
}

// grain is the resolution of emissions.
const grain = 10 * time.Millisecond

// emissions returns the kbit sent in each direction per grain: steady rates evenly, bursts
// at once or, if late is set, at the last moment at which they may be sent. It shares no code
// with the scheduler, which it verifies.
func emissions(stays []*stay, late bool) (up, down []float64) {
	up, down = make([]float64, 40*time.Second/grain), make([]float64, 40*time.Second/grain)
	for _, s := range stays {
		at := s.from
		for _, r := range s.turn.Sends {
			over := s.to
			if r.For > 0 {
				over = min(over, at+r.For)
			}
			switch {
			case at >= s.to:
			case r.For > 0 && r.For <= time.Second:
				sent := at
				if late {
					sent = min(at+time.Second, s.to) - 1
				}
				up[sent/grain] += r.UpKbps
				down[sent/grain] += r.DownKbps
			default:
				for i := at / grain; i < over/grain; i++ {
					up[i] += r.UpKbps * grain.Seconds()
					down[i] += r.DownKbps * grain.Seconds()
				}
			}
			at += r.For
		}
	}
	return up, down
}

// busiest returns the maximum over all windows of one second that begin in the
// given second.
func busiest(kbit []float64, second time.Duration) (most float64) {
	for from := second / grain; from < (second+time.Second)/grain; from++ {
		sum := 0.0
		for _, k := range kbit[from : from+time.Second/grain] {
			sum += k
		}
		most = max(most, sum)
	}
	return most
}
