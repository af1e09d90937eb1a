package watch

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	user32          = windows.NewLazySystemDLL("user32.dll")
	isHungAppWindow = user32.NewProc("IsHungAppWindow")
)

// toolhelp lists processes through the Toolhelp library. A service cannot see the windows
// of the signed-in person, so only a program in that person's session detects hangs.
type toolhelp struct {
	windows windowLister
}

func newProcessTable() processTable { return &toolhelp{} }

func (t *toolhelp) scan() ([]process, error) {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	defer func() { _ = windows.CloseHandle(snapshot) }()
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	var all []process
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		if program := clientOf(windows.UTF16ToString(entry.ExeFile[:])); program != "" {
			all = append(all, process{pid: int(entry.ProcessID), parent: int(entry.ParentProcessID), program: program})
		}
	}
	if !errors.Is(err, windows.ERROR_NO_MORE_FILES) {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	t.windows.markHung(all)
	return all, nil
}

func (t *toolhelp) refresh(known []process) []process {
	var now []process
	for _, k := range known {
		if !running(k.pid) {
			continue
		}
		k.stuck = ""
		now = append(now, k)
	}
	t.windows.markHung(now)
	return now
}

// running reports whether a process has not ended. A process of another user cannot be
// opened; it counts as running until the next scan.
func running(pid int) bool {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return errors.Is(err, windows.ERROR_ACCESS_DENIED)
	}
	defer func() { _ = windows.CloseHandle(h) }()
	state, err := windows.WaitForSingleObject(h, 0)
	return err == nil && state == uint32(windows.WAIT_TIMEOUT)
}

// windowLister finds the hung windows of processes.
type windowLister struct {
	// callback is created once: Windows has no way to release one.
	create   sync.Once
	callback uintptr
	hung     map[uint32]bool
}

// markHung sets stuck for processes with a window that has not processed its messages for
// 5 s.
func (w *windowLister) markHung(all []process) {
	if len(all) == 0 {
		return
	}
	w.create.Do(func() {
		w.callback = windows.NewCallback(func(window windows.HWND, _ uintptr) uintptr {
			if r, _, _ := isHungAppWindow.Call(uintptr(window)); r != 0 {
				var pid uint32
				if _, err := windows.GetWindowThreadProcessId(window, &pid); err == nil {
					w.hung[pid] = true
				}
			}
			return 1 // continue with the next window
		})
	})
	w.hung = map[uint32]bool{}
	_ = windows.EnumWindows(w.callback, nil) // it fails without windows; the state is unknown then
	for i := range all {
		if w.hung[uint32(all[i].pid)] {
			all[i].stuck = "window"
		}
	}
}
