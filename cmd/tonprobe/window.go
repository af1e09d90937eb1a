package main

import (
	"bufio"
	"fmt"

	"github.com/tonprobe/tonprobe/tui"
)

// holdWindow waits for the Enter key if the window closes with the program. Otherwise an error
// after a double click or a start from a menu would disappear before it is read. Desktop entries
// that open a terminal set TONPROBE_WINDOW. It does not wait if the person ended the program,
// nor if an installer runs the program: on Windows that has a window as well, and the installer
// waits for its end.
func (p *program) holdWindow() {
	if p.closed || p.unattended || !p.inOwnWindow() || !tui.IsTerminal(p.in) || !tui.IsTerminal(p.err.file) {
		return
	}
	fmt.Fprint(p.err, "\n"+p.t("window.close")+" ")
	_, _ = bufio.NewReader(p.in).ReadString('\n')
}

// nameWindow sets the title of a window that a desktop entry has opened. Terminals use the command line of
// the entry otherwise, which begins with "env".
func (p *program) nameWindow() {
	if p.getenv("TONPROBE_WINDOW") != "" && tui.IsTerminal(p.err.file) {
		fmt.Fprint(p.err, "\x1b]0;Tonprobe\a")
	}
}

// inOwnWindow reports whether the program was started in a window of its own: by a double click, from a
// menu or by a link. Whoever sees it cannot type another command.
func (p *program) inOwnWindow() bool { return p.getenv("TONPROBE_WINDOW") != "" || ownsConsole() }
