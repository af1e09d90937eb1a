package load

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/probetest"
	"github.com/tonprobe/tonprobe/probe/report"
)

// fakeMachine is a simulated machine.
type fakeMachine struct {
	began time.Time
	// busy returns the load of the two processors.
	busy      func(at time.Duration) float64
	broken    bool
	throttled []int64 // count at each reading
	reads     int
	fed       power
}

func (m *fakeMachine) times(context.Context) (times, error) {
	if m.broken {
		return times{}, errors.New("no /proc")
	}
	var t times
	const step = 10 * time.Millisecond
	for at := time.Duration(0); at < time.Since(m.began); at += step {
		t.total += 2 * step.Seconds()
		t.busy += 2 * step.Seconds() * m.busy(at)
	}
	return t, nil
}

func (m *fakeMachine) memoryFreeMB(context.Context) *float64 { return free(m.broken, 3000) }
func (m *fakeMachine) diskFreeMB(context.Context) *float64   { return free(m.broken, 9000) }
func (m *fakeMachine) pressure(resource string) *float64 {
	return map[string]*float64{"cpu": new(12.5)}[resource]
}

func (m *fakeMachine) throttles(context.Context) (n int64, state, ok bool) {
	if len(m.throttled) == 0 {
		return 0, false, false
	}
	n = m.throttled[min(m.reads, len(m.throttled)-1)]
	m.reads++
	return n, false, true
}

func (m *fakeMachine) power(context.Context) power { return m.fed }

func free(broken bool, mb float64) *float64 {
	if broken {
		return nil
	}
	return &mb
}

func measure(t *testing.T, m *fakeMachine, limit time.Duration) (probe.Result, *report.HostLoad) {
	t.Helper()
	m.began = time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	r, err := load{m}.Run(ctx, probe.Env{Clock: probe.SystemClock{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return r, r.Data.(*report.HostLoad)
}

func near(got *float64, want float64) bool { return got != nil && *got > want-1 && *got < want+1 }

func TestBusyComputer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeMachine{
			busy: func(at time.Duration) float64 {
				if at >= 2*time.Second && at < 3*time.Second {
					return 1
				}
				return 0.2
			},
			throttled: []int64{7, 9},
			fed:       power{source: "battery", batteryPct: new(40.0), saving: new(true)},
		}
		r, d := measure(t, m, time.Minute)
		if r.Status != report.StatusOK || !near(d.CPUPct, 40) || !near(d.CPUMaxPct, 100) {
			t.Errorf("got status %s, a load of %v %%, at most %v %%; want ok, 40 %%, 100 %%", r.Status, *d.CPUPct, *d.CPUMaxPct)
		}
		if d.Throttled == nil || !*d.Throttled || d.Power != "battery" || !*d.PowerSaving || *d.BatteryPct != 40 {
			t.Errorf("got %+v, want throttled, battery at 40 %% and power saving", d)
		}
		if *d.CPUPressurePct != 12.5 || d.MemoryPressurePct != nil || *d.MemoryFreeMB != 3000 || *d.DiskFreeMB != 9000 {
			t.Errorf("got %+v, want a CPU pressure of 12.5 %%, no memory pressure, 3000 MB of memory and 9000 MB of disk", d)
		}
	})
}

// TestStopped checks that a cancelled probe reports what it has measured so far.
func TestStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d := measure(t, &fakeMachine{busy: func(time.Duration) float64 { return 0.5 }, throttled: []int64{7}}, 1700*time.Millisecond)
		if r.Status != report.StatusOK || !near(d.CPUPct, 50) || d.Throttled == nil || *d.Throttled {
			t.Errorf("got status %s, %+v; want ok, a load of 50 %%, not throttled", r.Status, d)
		}
	})
}

func TestNothingKnownIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, d := measure(t, &fakeMachine{broken: true}, time.Minute)
		if r.Status != report.StatusUnknown || r.Note == "" || d.CPUPct != nil || d.Throttled != nil || d.PowerSaving != nil || d.Power != "" {
			t.Errorf("got %+v, %+v; want status unknown with a note and no data", r, d)
		}
	})
}

func TestShareOfCountersThatRunBack(t *testing.T) {
	for _, c := range []struct{ from, to times }{
		{times{10, 20}, times{10, 20}}, {times{10, 20}, times{9, 21}}, {times{10, 20}, times{11, 19}},
	} {
		if s := share(c.from, c.to); s != nil {
			t.Errorf("%+v: got %v, want none", c, *s)
		}
	}
}

func TestPressure(t *testing.T) {
	for text, want := range map[string]float64{
		"some avg10=12.50 avg60=1.00 avg300=0.10 total=123\nfull avg10=99.00 avg60=0.00 avg300=0.00 total=0\n": 12.5,
		"some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n":                                                     0,
	} {
		if got := parsePressure(text); got == nil || *got != want {
			t.Errorf("%q: got %v, want %v", text, probetest.Value(got), want)
		}
	}
	for _, text := range []string{"", "some", "some avg10=x", "some avg10=900", "full avg10=1.00", "some avg10=NaN"} {
		if got := parsePressure(text); got != nil {
			t.Errorf("%q: got %v, want none", text, *got)
		}
	}
}

func TestPowerSupplies(t *testing.T) {
	for name, c := range map[string]struct {
		supplies []supply
		source   string
		pct      float64 // -1: none
	}{
		"desktop":            {nil, "", -1},
		"on mains":           {[]supply{{kind: "Mains", online: "1"}, {kind: "Battery", status: "Charging", capacity: "80"}}, "mains", 80},
		"unplugged":          {[]supply{{kind: "Mains", online: "0"}, {kind: "Battery", status: "Discharging", capacity: "55"}}, "battery", 55},
		"charges over USB-C": {[]supply{{kind: "Battery", status: "Discharging", capacity: "55"}, {kind: "USB", online: "1"}}, "mains", 55},
		"held at 80 %":       {[]supply{{kind: "Battery", status: "Not charging", capacity: "80"}}, "mains", 80},
		"a headset's":        {[]supply{{kind: "Battery", scope: "Device", status: "Discharging", capacity: "10"}}, "", -1},
		"nonsense":           {[]supply{{kind: "Battery", status: "?", capacity: "900"}}, "battery", -1},
	} {
		p := poweredBy(c.supplies)
		if p.source != c.source || (p.batteryPct == nil) != (c.pct < 0) || p.batteryPct != nil && *p.batteryPct != c.pct {
			t.Errorf("%s: got %+v, want source %q and %g %%", name, p, c.source, c.pct)
		}
	}
}

func TestPmset(t *testing.T) {
	p := parsePmset("Now drawing from 'Battery Power'\n -InternalBattery-0 (id=4522083)\t87%; discharging; 5:12 remaining present: true\n",
		"System-wide power settings:\nCurrently in use:\n lowpowermode         1\n sleep                1\n")
	if p.source != "battery" || p.batteryPct == nil || *p.batteryPct != 87 || p.saving == nil || !*p.saving {
		t.Errorf("got %+v, want battery at 87 %% and power saving", p)
	}
	if p := parsePmset("Now drawing from 'AC Power'\n", "Currently in use:\n lowpowermode 0\n"); p.source != "mains" || p.batteryPct != nil || *p.saving {
		t.Errorf("got %+v, want mains, no battery, no power saving", p)
	}
	if p := parsePmset("", ""); p != (power{}) {
		t.Errorf("got %+v, want nothing", p)
	}
	for text, want := range map[string]string{
		"Note: No thermal warning level has been recorded\n":                                  "false true",
		"CPU_Scheduler_Limit \t= 100\n\tCPU_Available_CPUs \t= 8\n\tCPU_Speed_Limit \t= 70\n": "true true",
		"\tCPU_Speed_Limit \t= 100\n":                                                         "false true",
		"":                                                                                    "false false",
	} {
		limited, ok := parseTherm(text)
		if got := map[bool]string{true: "true", false: "false"}; got[limited]+" "+got[ok] != want {
			t.Errorf("%q: got limited %v, ok %v; want %s", text, limited, ok, want)
		}
	}
}

// TestThisMachine reads the real system.
func TestThisMachine(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
	defer cancel()
	r, err := New().Run(ctx, probe.Env{Clock: probe.SystemClock{}, Log: slog.New(slog.DiscardHandler)})
	if err != nil || r.Status != report.StatusOK {
		t.Fatalf("got error %v, result %+v; want status ok", err, r)
	}
	d := r.Data.(*report.HostLoad)
	if d.CPUPct == nil || d.MemoryFreeMB == nil || *d.MemoryFreeMB <= 0 || d.DiskFreeMB == nil {
		t.Errorf("got %+v, want CPU, memory and disk", d)
	}
}

func TestTimesOfLinux(t *testing.T) {
	for text, want := range map[string]times{
		"cpu  10 20 30 400 50 6 7 8 9 10\ncpu0 1 2 3": {busy: 81, total: 531},
		"cpu  10 20 30 400 50 6 7 8\n":                {busy: 81, total: 531},
	} {
		if got, err := parseTimes(text); err != nil || got != want {
			t.Errorf("%q: got %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, broken := range []string{"", "cpu", "cpu 1 2 3 4 5 6 7", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 3 4 x 6 7 8"} {
		if got, err := parseTimes(broken); err == nil {
			t.Errorf("%q: got %+v, want an error", broken, got)
		}
	}
}

func TestMemoryOfLinux(t *testing.T) {
	got := parseMemoryFreeMB("MemTotal:        8130532 kB\nMemFree:          190244 kB\nMemAvailable:    1000000 kB\nBuff")
	if got == nil || *got != 1024 {
		t.Errorf("got %v, want 1024", probetest.Value(got))
	}
	for _, broken := range []string{"", "MemTotal: 1 kB\n", "MemAvailable: x kB\n", "MemAvailable: 1000", "MemAvailable: -1 kB\n"} {
		if got := parseMemoryFreeMB(broken); got != nil {
			t.Errorf("%q: got %v, want nil", broken, *got)
		}
	}
}
