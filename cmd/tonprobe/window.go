package main

import (
	"bufio"
	"fmt"

	"github.com/tonprobe/tonprobe/tui"
)

// holdWindow waits for the Enter key if the window closes with the program, unless the person
// ended it: after a double click, or from a menu, an error would disappear before it is read.
// Desktop entries that open a terminal set TONPROBE_WINDOW. On Windows, what an installer runs has
// a window as well, and the installer waits for its end.
func (p *program) holdWindow() {
	if p.closed || p.unattended || !(p.getenv("TONPROBE_WINDOW") != "" || ownsConsole()) || !tui.IsTerminal(p.in) || !tui.IsTerminal(p.err.file) {
		return
	}
	fmt.Fprint(p.err, "\n"+p.t("window.close")+" ")
	_, _ = bufio.NewReader(p.in).ReadString('\n')
}
