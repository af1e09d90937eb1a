package tui

import (
	"os"

	"golang.org/x/term"
)

// NeedsPlain reports whether there is no terminal that could show screens: in
// or out is none, or it is a dumb one.
func NeedsPlain(in, out *os.File, getenv func(string) string) bool {
	return !IsTerminal(in) || !IsTerminal(out) || getenv("TERM") == "dumb"
}

// IsTerminal reports whether f is a terminal.
func IsTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// WantsColor reports whether colours are welcome (no-color.org).
func WantsColor(getenv func(string) string) bool { return getenv("NO_COLOR") == "" }
