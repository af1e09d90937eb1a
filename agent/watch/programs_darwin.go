package watch

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// States of a process (sys/proc.h).
const (
	statStopped = 4 // SSTOP
	statZombie  = 5 // SZOMB
)

// sysctlTable lists processes by sysctl(3).
type sysctlTable struct{}

func newProcessTable() processTable { return sysctlTable{} }

func (sysctlTable) scan() ([]process, error) {
	list, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	var all []process
	for _, k := range list {
		program := clientOf(unix.ByteSliceToString(k.Proc.P_comm[:]))
		if program == "" || k.Proc.P_stat == statZombie {
			continue
		}
		p := process{pid: int(k.Proc.P_pid), parent: int(k.Eproc.Ppid), program: program}
		if k.Proc.P_stat == statStopped {
			p.stuck = "suspended"
		}
		all = append(all, p)
	}
	return all, nil
}

func (sysctlTable) refresh(known []process) []process {
	var now []process
	for _, old := range known {
		k, err := unix.SysctlKinfoProc("kern.proc.pid", old.pid)
		if err != nil || int(k.Proc.P_pid) != old.pid || k.Proc.P_stat == statZombie {
			continue
		}
		old.stuck = ""
		if k.Proc.P_stat == statStopped {
			old.stuck = "suspended"
		}
		now = append(now, old)
	}
	return now
}
