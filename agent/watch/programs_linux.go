package watch

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/host/procfile"
)

// procTable reads /proc. The names of processes are not read each time: there are
// hundreds, and most of them never change.
type procTable struct {
	root string
	seen map[int]sighting
}

// sighting is the known state of a process.
type sighting struct {
	program string // "" for others
	// again is true if the name was read twice. A process that was just forked has the
	// name of its parent.
	again bool
}

func newProcessTable() processTable { return &procTable{root: "/proc", seen: map[int]sighting{}} }

func (t *procTable) scan() ([]process, error) {
	dir, err := os.Open(t.root)
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	entries, err := dir.Readdirnames(-1)
	_ = dir.Close()
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	alive := make(map[int]sighting, len(t.seen))
	var all []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry)
		if err != nil {
			continue
		}
		s, known := t.seen[pid]
		if !s.again {
			if s.program, err = t.clientOf(pid); err != nil {
				continue // it has ended
			}
			s.again = known
		}
		alive[pid] = s
		if s.program == "" {
			continue
		}
		if p, ok := t.read(pid, s.program); ok {
			all = append(all, p)
		}
	}
	t.seen = alive
	return all, nil
}

// clientOf reads the name of a process (proc(5), comm), which is that of its file, or one
// that it has set; never its command line.
func (t *procTable) clientOf(pid int) (string, error) {
	name, err := procfile.Read(t.path(pid, "comm"), 64)
	if err != nil {
		return "", fmt.Errorf("read the name of a process: %w", err)
	}
	return clientOf(strings.TrimSpace(name)), nil
}

func (t *procTable) refresh(known []process) []process {
	var now []process
	for _, k := range known {
		if p, ok := t.read(k.pid, k.program); ok && p.started == k.started {
			now = append(now, p)
		}
	}
	return now
}

func (t *procTable) read(pid int, program string) (process, bool) {
	stat, err := procfile.Read(t.path(pid, "stat"), 1024)
	if err != nil {
		return process{}, false
	}
	s, ok := parseStat(stat)
	if !ok || s.state == 'Z' || s.state == 'X' { // ended, but not yet reaped by its parent
		return process{}, false
	}
	p := process{pid: pid, parent: s.parent, started: s.started, program: program}
	switch s.state {
	case 'T', 't':
		p.stuck = "suspended"
	case 'D': // waits uninterruptibly for a disk or a network drive
		p.stuck = "blocked_on_disk"
	}
	return p, true
}

func (t *procTable) path(pid int, name string) string {
	return filepath.Join(t.root, strconv.Itoa(pid), name)
}

// procStat are some fields of /proc/PID/stat (proc(5)).
type procStat struct {
	state   byte
	parent  int
	started uint64 // clock ticks after the start of the system
}

// parseStat parses /proc/PID/stat. The name in parentheses may itself contain parentheses
// and spaces.
func parseStat(stat string) (s procStat, ok bool) {
	end := strings.LastIndexByte(stat, ')')
	if end < 0 {
		return procStat{}, false
	}
	const parent, started = 1, 19 // counted from the state
	fields := strings.Fields(stat[end+1:])
	if len(fields) <= started || len(fields[0]) != 1 {
		return procStat{}, false
	}
	s.state = fields[0][0]
	var err error
	if s.parent, err = strconv.Atoi(fields[parent]); err != nil {
		return procStat{}, false
	}
	s.started, err = strconv.ParseUint(fields[started], 10, 64)
	return s, err == nil
}
