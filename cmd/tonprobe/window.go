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
	if p.closed || p.unattended || !(p.getenv("TONPROBE_WINDOW") != "" || ownsConsole()) || !tui.IsTerminal(p.in) || !tui.IsTerminal(p.err.file) {
		return
	}
	fmt.Fprint(p.err, "\n"+p.t("window.close")+" ")
	_, _ = bufio.NewReader(p.in).ReadString('\n')
}
