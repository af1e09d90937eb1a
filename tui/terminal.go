package tui

import (
	"os"

	"golang.org/x/term"
)

// NeedsPlain reports whether screens cannot be shown: in or out is not a terminal, or it is
// a dumb one.
func NeedsPlain(in, out *os.File, getenv func(string) string) bool {
	return !IsTerminal(in) || !IsTerminal(out) || getenv("TERM") == "dumb"
}

// IsTerminal reports whether f is a terminal.
func IsTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// WantsColor reports whether colours are enabled (no-color.org).
func WantsColor(getenv func(string) string) bool { return getenv("NO_COLOR") == "" }
