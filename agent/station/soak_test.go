package station

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/agent/watch"
	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/network/linkstate"
	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/probe/report"
)

// TestThirtyDaysOfTheService runs all jobs of the service with a fast clock, for a month with a session
// on each working day, nights asleep, changes of the network, and a collector that is away for days:
// no resource grows, every report arrives once, and during a session nothing is sent that can wait.
func TestThirtyDaysOfTheService(t *testing.T) {
	need.Full(t, "takes half a minute")
	data := t.TempDir()
	var c *soakCollector
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c = newSoakCollector(t)
		ctx = collector.WithDialer(ctx, c.dial)
		s := newSoakService(t, data, c)
		ended := make(chan error, 1)
		go func() { ended <- s.loops.Run(ctx) }()
		var first resources
		for day := range 30 {
			s.day(day)
			switch day {
			case 15: // from then on, the number of kept reports is constant
				first = s.resources()
			case 29:
				if last := s.resources(); last.goroutines > first.goroutines || last.heap > first.heap+1<<20 ||
					last.files > first.files || last.bytes > maxDataBytes || last.open > first.open {
					t.Errorf("after half a month: %+v\nafter a month: %+v", first, last)
				}
			}
		}
		cancel()
		<-ended
		c.close()
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.made) < 60 || len(c.received) == 0 {
		t.Errorf("got %d reports and %d at the collector, want at least 60 and some", len(c.made), len(c.received))
	}
	lost := 0
	for id := range c.made {
		if c.received[id] == 0 {
			lost++
		}
	}
	if lost > 2 { // the reports of the last minutes
		t.Errorf("%d of %d reports did not arrive", lost, len(c.made))
	}
	if c.prepared < c.sessions-1 || c.prepared > c.sessions { // one is entered late while the collector is away
		t.Errorf("got %d full checks before %d sessions, want one for each, except at most one", c.prepared, c.sessions)
	}
	if c.inSession > 0 {
		t.Errorf("got %d checks or deliveries during sessions, want none", c.inSession)
	}
	if c.tokens == 0 {
		t.Error("the token was not replaced")
	}
	t.Logf("%d reports, %d connections, %d requests for sessions, %d full checks before %d sessions, %d new tokens",
		len(c.made), c.sockets, c.learned, c.prepared, c.sessions, c.tokens)
}

// maxDataBytes is what the folder may hold: a fixed number of sent reports, of which those of events
// have 15 kB, and the files of the recorder.
const maxDataBytes = 1 << 20

// wakingClock is a clock of a computer that sleeps: its time jumps.
type wakingClock struct {
	mu    sync.Mutex
	slept time.Duration
}

func (c *wakingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.slept)
}

// sleep passes time in which no timer runs.
func (c *wakingClock) sleep(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept += d
}

func (c *wakingClock) Sleep(ctx context.Context, d time.Duration) error {
	return probe.SystemClock{}.Sleep(ctx, d)
}

// soakService is the service on a simulated system.
type soakService struct {
	t          *testing.T
	data       string
	collector  *soakCollector
	clock      *wakingClock
	conditions *Conditions
	loops      resident.Loops
	events     chan report.HostEvent
	random     *rand.Rand
	saving     bool // the computer saves power
}

func newSoakService(t *testing.T, data string, c *soakCollector) *soakService {
	conf, log := config.Default(data), slog.New(slog.DiscardHandler)
	err := identity.Update(data, func(id *identity.Identity) error {
		*id = identity.Identity{AgentID: uuid.NewString(), CreatedAt: time.Now(), Enrolment: &identity.Enrolment{
			Server: "http://127.0.0.1:8080", Token: c.token, Participant: "A", EnrolledAt: time.Now().UTC(),
			RenewAt: time.Now().UTC().Add(5 * 24 * time.Hour)}}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	draw := rand.New(rand.NewPCG(3, 4))
	var drawing sync.Mutex
	float := func() float64 {
		drawing.Lock()
		defer drawing.Unlock()
		return draw.Float64()
	}
	s := &soakService{t: t, data: data, collector: c, clock: c.clock, conditions: NewConditions(conf, c.clock), events: make(chan report.HostEvent), random: random}
	turn, clock := NewTurn(), s.clock
	work := Work(conf, "1.0.0", turn, s.conditions, log)
	work.Schedule.Clock = clock
	work.Schedule.Random, work.Schedule.Seed, work.Check = float, 7, s.check
	r := Recorder(conf, "1.0.0", s.conditions, log)
	r.Clock = clock
	r.Ask = func(context.Context, netip.Addr) (time.Duration, error) { return 2 * time.Millisecond, nil }
	r.Server = func(context.Context) netip.Addr { return netip.MustParseAddr("198.51.100.1") }
	r.Booted = func() time.Time { return time.Time{} }
	r.Crashes = func(context.Context, time.Time, time.Time) *report.HostCrash { return &report.HostCrash{} }
	r.Watchers = []watch.Watcher{{Name: "the test", Run: func(ctx context.Context, emit watch.Emit) error {
		for {
			select {
			case e := <-s.events:
				emit(e)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}}}
	s.set(nil)
	s.loops = resident.Loops{Clock: clock, Random: float, Log: log, List: []resident.Loop{
		{Name: "checks", Run: work.Run},
		{Name: "channel", Run: Channel(conf, "1.0.0", turn, s.conditions, nil, log)},
		{Name: "sessions", Run: LearnSessions(conf, s.conditions, float, log)},
		{Name: "reports", Run: Resend(conf, s.conditions, clock, float, log)},
		{Name: "targets", Run: Refresh(conf, s.conditions, clock, float, log)},
		{Name: "flight recorder", Run: r.Run},
	}}
	return s
}

// set sets the state of the computer: connected by Wi-Fi, unless changed.
func (s *soakService) set(change func(*watch.View)) {
	v := watch.View{
		Linked: true, Link: linkstate.State{Connected: true, Kind: "wifi", SignalDBM: new(-60.0), Gateway: netip.MustParseAddr("192.0.2.1")},
		CPUPct: new(3.0), MemoryFreeMB: new(4000.0), InUse: new(false), Programs: []string{"Zoom"},
	}
	v.Saving = new(s.saving)
	if change != nil {
		change(&v)
	}
	s.conditions.Board.Set(v)
}

// check replaces a real check: it takes some seconds and returns a report.
func (s *soakService) check(ctx context.Context, session resident.Session, a resident.Check) (*report.Report, error) {
	if err := (probe.SystemClock{}).Sleep(ctx, 12*time.Second); err != nil {
		return nil, err
	}
	id, err := report.NewID(time.Now(), uuidReader{s.random})
	if err != nil {
		return nil, err
	}
	c := s.collector
	c.mu.Lock()
	defer c.mu.Unlock()
	c.use()
	c.made[id] = true
	if a.Session != nil {
		c.prepared++
	}
	return &report.Report{
		Schema: report.SchemaV1, ID: id, Case: "K7P-3QX", Trigger: report.TriggerSchedule, Profile: "bbb",
		Agent: report.Agent{ID: session.AgentID, Version: "1.0.0", OS: "linux", Arch: "amd64"}, StartedAt: time.Now().UTC(), Verdict: report.Ready,
	}, nil
}

// uuidReader is a source of random bytes.
type uuidReader struct{ r *rand.Rand }

func (u uuidReader) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(u.r.Uint32())
	}
	return len(b), nil
}

// day lets one day pass, which begins at 8 a.m.
func (s *soakService) day(n int) {
	begin := s.clock.Now()
	at := func(d time.Duration) { time.Sleep(begin.Add(d).Sub(s.clock.Now())); synctest.Wait() }
	start := begin.Add(10 * time.Hour)
	session := wire.Session{StartsAt: start.UTC(), EndsAt: new(start.Add(3 * time.Hour).UTC())}
	s.saving = n%5 != 0
	s.set(nil)
	late := n%3 == 0 // entered half an hour before its start
	if !late {
		s.collector.announce(session)
	}
	at(time.Hour)
	if n%10 == 4 { // the collector is away for more than a day
		s.collector.cut(true)
	}
	if n%10 == 5 {
		s.collector.cut(false)
	}
	at(2 * time.Hour)
	s.set(func(v *watch.View) { v.Link = linkstate.State{} }) // the Wi-Fi drops
	at(2*time.Hour + time.Minute)
	s.set(nil)
	at(3 * time.Hour)
	s.set(func(v *watch.View) { v.Metered = new(true); v.Link.Kind = "cellular" }) // on the way
	s.restoreLine()
	at(5 * time.Hour)
	s.set(nil)
	s.restoreLine()
	at(9*time.Hour + 30*time.Minute)
	if late {
		s.collector.announce(session)
	}
	at(10 * time.Hour)
	s.set(func(v *watch.View) { v.InUse = new(true) }) // the session
	at(11 * time.Hour)
	s.set(func(v *watch.View) { v.InUse = new(true); v.Link = linkstate.State{} })
	at(11*time.Hour + 30*time.Second)
	s.set(func(v *watch.View) { v.InUse = new(true) })
	at(12 * time.Hour)
	s.events <- report.HostEvent{At: s.clock.Now(), Kind: report.EventClientCrashed, Program: "Zoom"}
	at(13 * time.Hour)
	s.set(nil)
	at(15 * time.Hour)
	s.clock.sleep(9 * time.Hour)
	s.restoreLine()
}

// restoreLine ends the connections, as a change of the network does.
func (s *soakService) restoreLine() {
	s.collector.mu.Lock()
	away := s.collector.away
	s.collector.mu.Unlock()
	s.collector.cut(away)
}

// resources are the quantities that must not grow.
type resources struct {
	goroutines, open, files int
	bytes                   int64
	heap                    uint64
}

func (s *soakService) resources() (r resources) {
	time.Sleep(time.Minute) // idle connections end
	synctest.Wait()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	r.goroutines, r.heap = runtime.NumGoroutine(), m.HeapAlloc
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil {
		r.open = len(fds)
	}
	err := filepath.WalkDir(s.data, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			r.files, r.bytes = r.files+1, r.bytes+info.Size()
		}
		return err
	})
	if err != nil {
		s.t.Error(err)
	}
	return r
}
