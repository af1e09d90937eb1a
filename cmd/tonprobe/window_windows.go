package main

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ownsConsole reports whether no other process uses this console: the program was started by a
// double click or a shortcut, and its window closes with it. The program has already waited for
// its child processes.
func ownsConsole() bool {
	proc := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetConsoleProcessList")
	if proc.Find() != nil {
		return false
	}
	var ids [2]uint32
	n, _, _ := syscall.SyscallN(proc.Addr(), uintptr(unsafe.Pointer(&ids[0])), uintptr(len(ids)))
	return n == 1
}
