package watch

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	programsEvery = 2 * time.Second
	// scanEvery is how often new processes are looked for. The state of known ones is read
	// every time.
	scanEvery = 5 // times programsEvery
	// hungAfter is how long a program must be unresponsive to count as hung. Windows
	// itself waits 5 s before it calls a window hung; a debugger or a slow disk stops a
	// program for some seconds.
	hungAfter = 10 * time.Second
	// hungChecks is in how many checks in a row it must be so. A program that waits for the
	// disk in two of them may have responded in between.
	hungChecks = 5
)

// process is a running client.
type process struct {
	pid, parent int
	started     uint64 // distinguishes processes with the same pid, where known
	program     string // one of Clients
	// stuck is why it cannot respond: suspended, blocked_on_disk or window; "" if it can, or if that
	// is unknown.
	stuck string
}

// processTable lists the clients among the processes of this computer.
type processTable interface {
	// scan returns all clients.
	scan() ([]process, error)
	// refresh returns the present state of known clients, without those that ended.
	refresh(known []process) []process
}

// programs watches the start, the end and the hangs of clients.
type programs struct {
	board *Board
	clock probe.Clock
	table processTable

	known   []process
	started bool
	stuck   map[string]*hang // by program
}

// hang is a period in which a program did not respond.
type hang struct {
	since   time.Time
	checks  int
	detail  string
	emitted bool
}

func newPrograms(b *Board, clock probe.Clock) *programs {
	return &programs{board: b, clock: clock, table: newProcessTable(), stuck: map[string]*hang{}}
}

func (p *programs) run(ctx context.Context, emit Emit) error {
	for n := 0; ; n++ {
		// At a slower pace new processes are looked for each time.
		p.check(n%scanEvery == 0 || p.pace() > programsEvery, emit)
		if err := SleepUntilNext(ctx, p.clock, p.pace()); err != nil {
			return err
		}
	}
}

// pace returns the time until the next check. Without known processes there is nothing to read
// before the next scan. While a program does not respond, the checks are never slower.
func (p *programs) pace() time.Duration {
	if len(p.known) == 0 {
		return scanEvery * programsEvery
	}
	if len(p.stuck) > 0 {
		return programsEvery
	}
	return p.board.View().Pace(programsEvery)
}

func (p *programs) check(scan bool, emit Emit) {
	was := names(p.known)
	if scan {
		all, err := p.table.scan()
		if err != nil {
			return
		}
		p.known = mains(all)
	} else {
		p.known = p.table.refresh(p.known)
	}
	now, at := names(p.known), p.clock.Now()
	p.board.update(func(v *View) { v.Programs = now })
	if p.started {
		p.compare(was, now, at, emit)
	}
	p.started = true
	p.checkHangs(at, emit)
}

func (p *programs) compare(was, now []string, at time.Time, emit Emit) {
	for _, kind := range []struct {
		kind     report.HostEventKind
		in, from []string
	}{{report.EventClientStarted, now, was}, {report.EventClientEnded, was, now}} {
		for _, name := range kind.in {
			if !slices.Contains(kind.from, name) {
				e := happened(kind.kind, at)
				e.Program = name
				emit(e)
			}
		}
	}
}

// checkHangs emits a hang once it lasts, and again when the program responds or ends.
func (p *programs) checkHangs(at time.Time, emit Emit) {
	stuck := map[string]string{}
	for _, one := range p.known {
		if one.stuck != "" {
			stuck[one.program] = one.stuck
		}
	}
	for name, why := range stuck {
		s := p.stuck[name]
		if s == nil {
			s = &hang{since: at, detail: why}
			p.stuck[name] = s
		}
		s.checks++
		if !s.emitted && s.checks >= hungChecks && at.Sub(s.since) >= hungAfter {
			s.emitted = true
			emit(s.event(name, nil))
		}
	}
	for name, s := range p.stuck {
		if stuck[name] != "" {
			continue
		}
		if s.emitted {
			emit(s.event(name, new(min(at.Sub(s.since), maxSleep).Seconds())))
		}
		delete(p.stuck, name)
	}
}

func (s *hang) event(program string, durationS *float64) report.HostEvent {
	e := happened(report.EventClientHung, s.since)
	e.Program, e.Detail, e.DurationS = program, s.detail, durationS
	return e
}

// mains returns the processes whose parent is not a process of the same program. A
// browser has many others, which start and end all the time.
func mains(all []process) []process {
	return slices.DeleteFunc(slices.Clone(all), func(p process) bool {
		return slices.ContainsFunc(all, func(o process) bool { return o.pid == p.parent && o.program == p.program })
	})
}

// names returns the programs of processes, each once, in the order of Clients.
func names(all []process) []string {
	var found []string
	for _, name := range Clients() {
		if slices.ContainsFunc(all, func(p process) bool { return p.program == name }) {
			found = append(found, name)
		}
	}
	return found
}

// clientOf returns the client to which the name of a process belongs; "" if none. Crash
// handlers, updaters, services and other helpers outlive the program. On macOS their names are often those
// of their bundles, cut off after 16 bytes: com.apple.Safari.SafeBrowsing.Service, us.zoom.ZoomDaemon.
func clientOf(name string) string {
	lower := strings.ToLower(name)
	if strings.HasPrefix(lower, "com.") || strings.HasPrefix(lower, "us.zoom.") {
		return ""
	}
	for _, part := range []string{"crash", "handler", "helper", "updat", "launcher", "notif", "native", "webview", "zygote", "sandbox", "elevation", "proxy", "service", "remote", "autostart"} {
		if strings.Contains(lower, part) {
			return ""
		}
	}
	program := report.ProgramName(name)
	if base, _, cut := strings.Cut(lower, "-"); program == "" && cut {
		program = report.ProgramName(base) // firefox-esr, chromium-browser
	}
	if !slices.Contains(Clients(), program) {
		return ""
	}
	return program
}
