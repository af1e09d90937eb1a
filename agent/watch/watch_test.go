package watch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/audio/osstate"
	"github.com/tonprobe/tonprobe/probe/host/load"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/report"
)

// cell holds a value that a test changes while a watcher reads it.
type cell[T any] struct {
	mu sync.Mutex
	v  T
}

func (c *cell[T]) get() T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.v
}

func (c *cell[T]) set(v T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.v = v
}

// log collects events in the form of text.
type log struct {
	mu     sync.Mutex
	events []report.HostEvent
}

func (l *log) emit(e report.HostEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

func (l *log) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, e := range l.events {
		text := strings.Join(strings.Fields(fmt.Sprint(e.Kind, " ", e.Program, " ", e.Detail)), " ")
		if e.DurationS != nil {
			text += fmt.Sprintf(" %.0f s", *e.DurationS)
		}
		if !e.Valid() {
			text += " INVALID"
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func TestNetworkChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		home := linkstate.State{Connected: true, Kind: "wifi", SignalDBM: new(-50.0)}
		away, other := linkstate.State{}, linkstate.State{Connected: true, Kind: "ethernet"}
		var now cell[linkstate.State]
		var off cell[bool]
		now.set(home)
		changed := make(chan chan<- struct{}, 1)
		b := &Board{}
		n := &network{board: b, clock: probe.SystemClock{}, read: func(context.Context) linkstate.State { return now.get() },
			off: off.get, metered: func(context.Context) *bool { return nil },
			watch: func(ctx context.Context, to chan<- struct{}) error { changed <- to; <-ctx.Done(); return ctx.Err() }}
		var l log
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = n.run(ctx, l.emit) }()
		to := <-changed
		for _, s := range []linkstate.State{home, away, home, other, home} {
			now.set(s)
			to <- struct{}{}
			time.Sleep(time.Second)
		}
		weak := home
		weak.SignalDBM = new(-80.0) // no change of the connection
		now.set(weak)
		time.Sleep(time.Minute)
		if v := b.View(); *v.Link.SignalDBM != -80 || !v.Linked {
			t.Errorf("got %+v; want Link SignalDBM -80, Linked true", v)
		}
		off.set(true)
		now.set(away) // found without an event
		time.Sleep(time.Minute)
		cancel()
		synctest.Wait()
		if got, want := l.text(), "link_changed down; link_changed up; link_changed other; link_changed other; link_changed switched_off"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestSoundDevices(t *testing.T) {
	headset := osstate.Device{Muted: new(false)}
	with := func(def string, ids ...string) osstate.Snapshot {
		s := osstate.Snapshot{DefaultID: def, Devices: map[string]osstate.Device{}, Uses: osstate.Uses{Known: true}}
		for _, id := range ids {
			s.Devices[id] = headset
		}
		return s
	}
	unplugged := with("headset", "headset", "laptop")
	unplugged.Devices["headset"] = osstate.Device{Unplugged: new(true)}
	monitor := with("monitor", "monitor")
	monitor.Devices["monitor"] = osstate.Device{IsMonitor: new(true)}
	gone := errors.New("no sound server")
	for name, c := range map[string]struct {
		course []any // snapshots and errors, ten seconds apart
		want   string
	}{
		"nothing":             {[]any{with("headset", "headset"), with("headset", "headset")}, ""},
		"pulled and back":     {[]any{with("headset", "headset", "laptop"), with("laptop", "laptop"), with("headset", "headset", "laptop")}, "device_unplugged; device_changed; device_unplugged 10 s"},
		"plug of the jack":    {[]any{with("headset", "headset", "laptop"), unplugged, with("headset", "headset", "laptop")}, "device_unplugged; device_unplugged 10 s"},
		"another was chosen":  {[]any{with("headset", "headset", "laptop"), with("laptop", "headset", "laptop")}, "device_changed"},
		"another was plugged": {[]any{with("laptop", "laptop"), with("laptop", "headset", "laptop")}, ""},
		"the server ended":    {[]any{with("headset", "headset"), gone, with("laptop", "laptop")}, ""},
		"none, then one":      {[]any{monitor, with("laptop", "laptop", "monitor")}, "device_changed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var l log
				now := c.course[0]
				s := newSound(&Board{}, probe.SystemClock{})
				s.read = func(context.Context) (osstate.Snapshot, error) {
					if err, ok := now.(error); ok {
						return osstate.Snapshot{}, err
					}
					return now.(osstate.Snapshot), nil
				}
				for _, state := range c.course {
					now = state
					s.check(t.Context(), l.emit)
					time.Sleep(10 * time.Second)
				}
				if got := l.text(); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestSleepAndClock(t *testing.T) {
	start := reading{time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC), time.Hour, 2 * time.Hour}
	for name, c := range map[string]struct {
		wall, awake, elapsed time.Duration // until the next reading
		want                 string
	}{
		"awake":                   {5 * time.Second, 5 * time.Second, 5 * time.Second, ""},
		"a busy computer":         {40 * time.Second, 40 * time.Second, 40 * time.Second, ""},
		"slept":                   {time.Hour, 3 * time.Second, time.Hour, "sleep 3597 s; resume 3597 s"},
		"clock set forward":       {time.Hour, 5 * time.Second, 5 * time.Second, "clock_changed forward 3595 s"},
		"clock set back":          {-time.Minute, 5 * time.Second, 5 * time.Second, "clock_changed back 65 s"},
		"by NTP":                  {5500 * time.Millisecond, 5 * time.Second, 5 * time.Second, ""},
		"slept, wrong clock":      {5 * time.Second, 5 * time.Second, time.Hour, "sleep 3595 s; resume 3595 s; clock_changed back 3595 s"},
		"years":                   {20 * 365 * 24 * time.Hour, 5 * time.Second, 5 * time.Second, "clock_changed forward 604800 s"},
		"a system without clocks": {5 * time.Second, -time.Hour, -2 * time.Hour, ""},
	} {
		var l log
		now := start
		s := &sleep{clock: probe.SystemClock{}, read: func() reading { return now }}
		if c.awake < 0 {
			now.awake, now.elapsed = 0, 0
		}
		s.check(l.emit)
		now.wall = now.wall.Add(c.wall)
		if c.awake > 0 {
			now.awake, now.elapsed = now.awake+c.awake, now.elapsed+c.elapsed
		} else {
			now.wall = start.wall
		}
		s.check(l.emit)
		if got := l.text(); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reading cell[load.Reading]
		var supply cell[load.Supply]
		calm := load.Reading{CPUPct: new(5.0), MemoryFreeMB: new(4000.0)}
		reading.set(calm)
		supply.set(load.Supply{Power: "mains", Saving: new(false), DiskFreeMB: new(9000.0)})
		var l log
		s := newLoadWatcher(&Board{}, probe.SystemClock{})
		s.read = func(context.Context) load.Reading { return reading.get() }
		s.supplied = func(context.Context) load.Supply { return supply.get() }
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = s.run(ctx, l.emit) }()
		time.Sleep(10 * time.Minute)
		for _, busy := range []float64{99, 5, 99} { // a short peak is not an overload
			reading.set(load.Reading{CPUPct: &busy, MemoryFreeMB: calm.MemoryFreeMB})
			time.Sleep(20*time.Second + time.Millisecond)
		}
		time.Sleep(time.Minute)
		reading.set(calm)
		time.Sleep(time.Minute)
		reading.set(load.Reading{CPUPct: calm.CPUPct, MemoryFreeMB: calm.MemoryFreeMB, MemoryPressurePct: new(40.0)})
		time.Sleep(time.Minute)
		supply.set(load.Supply{Power: "battery", Saving: new(true), DiskFreeMB: new(50.0)})
		time.Sleep(time.Hour)
		cancel()
		synctest.Wait()
		want := "overloaded cpu; overloaded cpu 72 s; overloaded memory; disk_low; power_changed battery; power_changed saving_on"
		if got := l.text(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// table is a list of processes that a test sets.
type table struct{ cell[[]process] }

func (t *table) scan() ([]process, error)    { return t.get(), nil }
func (t *table) refresh([]process) []process { return mains(t.get()) }

func TestPrograms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		browser, tab := process{pid: 10, parent: 1, program: "Firefox"}, process{pid: 11, parent: 10, program: "Firefox"}
		zoom := process{pid: 20, parent: 1, program: "Zoom"}
		hung := func(p process) process { p.stuck = "suspended"; return p }
		all := &table{}
		all.set([]process{browser, tab})
		b := &Board{}
		p := newPrograms(b, probe.SystemClock{})
		p.table = all
		var l log
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = p.run(ctx, l.emit) }()
		time.Sleep(time.Minute) // programs that run at the start do not count as started
		all.set([]process{browser, tab, zoom})
		time.Sleep(time.Minute)
		if got := fmt.Sprint(b.View().Programs); got != "[Zoom Firefox]" {
			t.Errorf("got programs %q, want [Zoom Firefox]", got)
		}
		all.set([]process{browser, tab, hung(zoom)})
		time.Sleep(7 * time.Second) // short
		all.set([]process{browser, tab, zoom})
		time.Sleep(time.Minute)
		all.set([]process{browser, hung(tab), zoom})
		time.Sleep(time.Minute)
		all.set([]process{browser, tab, hung(zoom)})
		time.Sleep(40 * time.Second)
		all.set([]process{browser, tab})
		time.Sleep(time.Minute)
		cancel()
		synctest.Wait()
		if got, want := l.text(), "client_started Zoom; client_hung Zoom suspended; client_ended Zoom; client_hung Zoom suspended 40 s"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestHangOnABatterySaver: the checks are slower there, but two of them are not evidence of a hang.
func TestHangOnABatterySaver(t *testing.T) {
	zoom := process{pid: 20, parent: 1, program: "Zoom"}
	hung := zoom
	hung.stuck = "blocked_on_disk"
	for name, c := range map[string]struct {
		stuck func(time.Duration) bool
		want  string
	}{
		"at two instants": {func(d time.Duration) bool { return d%(10*time.Second) < time.Second }, ""},
		"all the time":    {func(time.Duration) bool { return true }, "client_hung Zoom blocked_on_disk"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &Board{}
				b.Set(View{Saving: new(true)})
				begin := time.Now().Truncate(time.Minute)
				p := newPrograms(b, probe.SystemClock{})
				p.table = tableFunc(func() []process {
					if c.stuck(time.Since(begin)) {
						return []process{hung}
					}
					return []process{zoom}
				})
				var l log
				ctx, cancel := context.WithCancel(t.Context())
				go func() { _ = p.run(ctx, l.emit) }()
				time.Sleep(time.Minute)
				cancel()
				synctest.Wait()
				if got := l.text(); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}

// TestHangNeedsSeveralChecks: after a pause of the watcher, such as a sleep, two checks are far apart.
func TestHangNeedsSeveralChecks(t *testing.T) {
	p := newPrograms(&Board{}, probe.SystemClock{})
	p.known = []process{{pid: 20, parent: 1, program: "Zoom", stuck: "suspended"}}
	var l log
	at := time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC)
	p.checkHangs(at, l.emit)
	for range hungChecks - 2 {
		at = at.Add(time.Minute)
		p.checkHangs(at, l.emit)
	}
	if got := l.text(); got != "" {
		t.Errorf("after %d checks: got %q, want none", hungChecks-1, got)
	}
	p.checkHangs(at.Add(time.Second), l.emit)
	if got, want := l.text(), "client_hung Zoom suspended"; got != want {
		t.Errorf("after %d checks: got %q, want %q", hungChecks, got, want)
	}
}

// tableFunc lists the processes that a function returns.
type tableFunc func() []process

func (f tableFunc) scan() ([]process, error)    { return f(), nil }
func (f tableFunc) refresh([]process) []process { return f() }

func TestClientOf(t *testing.T) {
	for name, want := range map[string]string{
		"zoom": "Zoom", "Zoom.exe": "Zoom", "firefox": "Firefox", "firefox-bin": "Firefox", "firefox-esr": "Firefox", "chromium-browse": "Chromium", "chromium": "Chromium", "chrome": "Chrome", "chrome.exe": "Chrome",
		"msedge.exe": "Edge", "ms-teams.exe": "Teams", "Google Chrome": "Chrome", "zoom.us": "Zoom", "Safari": "Safari",
		"chrome_crashpad": "", "Google Chrome Helper": "", "chrome_crashpad_handler.exe": "", "CiscoCollabHost.exe": "Webex",
		"zoom.real": "Zoom", "teams-for-linux": "Teams", "vivaldi-bin": "Vivaldi", "jitsi-meet": "Jitsi", "WebexHost.exe": "Webex", "MSTeams": "Teams",
		"com.apple.Safari": "", "us.zoom.ZoomDaem": "", "chrome-remote-d": "", "ms-teams_autostarter.exe": "", "brave_vpn_wireguard_service.exe": "",
		"Isolated Web Co": "", "Socket Process": "", "msedgewebview2.exe": "", "CptService.exe": "", "GoogleCrashHandler64.exe": "",
		"bash": "", "tagebuch.exe": "", "audacity": "", "": "", "signal": "",
	} {
		if got := clientOf(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// TestFollow: look is called after events, without events, and after the watch has ended.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, watch := range map[string]func(context.Context, chan<- struct{}) error{
			"unsupported": func(context.Context, chan<- struct{}) error { return errors.ErrUnsupported },
			"fails":       func(context.Context, chan<- struct{}) error { return errors.New("broken") },
			"floods": func(ctx context.Context, to chan<- struct{}) error {
				for ctx.Err() == nil {
					select {
					case to <- struct{}{}:
					case <-ctx.Done():
					}
				}
				return ctx.Err()
			},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			looked := 0
			err := follow(ctx, probe.SystemClock{}, func() time.Duration { return 10 * time.Second }, watch, func(context.Context) { looked++ })
			cancel()
			if most := 3600/10 + 1; !errors.Is(err, context.DeadlineExceeded) || name != "floods" && looked > most || looked < 300 || looked > 3*3600+10000 {
				t.Errorf("%s: got %d calls, error %v; want 300 to %d, %v", name, looked, err, most, context.DeadlineExceeded)
			}
		}
	})
}
