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

// consoleFont is CONSOLE_FONT_INFOEX.
type consoleFont struct {
	size, index   uint32
	width, height int16
	family        uint32
	weight        uint32
	face          [32]uint16
}

// largestFont limits the growth of the text, in percent.
const largestFont = 175

// enlargeText enlarges the text of a console that only this program uses, as far as the screen has room for
// the window: the usual size is small for older people. Windows Terminal keeps its size.
func enlargeText() {
	out := windows.Handle(windows.Stdout)
	var now windows.ConsoleScreenBufferInfo
	if !ownsConsole() || windows.GetConsoleScreenBufferInfo(out, &now) != nil {
		return
	}
	dll := windows.NewLazySystemDLL("kernel32.dll")
	largest, get, set := dll.NewProc("GetLargestConsoleWindowSize"), dll.NewProc("GetCurrentConsoleFontEx"), dll.NewProc("SetCurrentConsoleFontEx")
	if largest.Find() != nil || get.Find() != nil || set.Find() != nil {
		return
	}
	most, _, _ := largest.Call(uintptr(out)) // COORD: columns, rows
	columns, rows := int(now.Window.Right-now.Window.Left)+1, int(now.Window.Bottom-now.Window.Top)+1
	const room = 90 // percent of the screen, without the frame, the scroll bar and the task bar
	percent := min(int(int16(most))*room/columns, int(int16(most>>16))*room/rows, largestFont)
	if percent <= 100 {
		return
	}
	font := consoleFont{size: uint32(unsafe.Sizeof(consoleFont{}))}
	if ok, _, _ := get.Call(uintptr(out), 0, uintptr(unsafe.Pointer(&font))); ok == 0 {
		return
	}
	font.width, font.height = 0, int16(int(font.height)*percent/100) // the width follows
	_, _, _ = set.Call(uintptr(out), 0, uintptr(unsafe.Pointer(&font)))
}
