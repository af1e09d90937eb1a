// Package quietstart keeps bubbletea from asking the terminal for its
// background colour when a program starts.
//
// The init of bubbletea v1 asks, and on a terminal that does not answer every
// command waits 5 s for it (termenv.OSCTimeout), even `version`. Nothing here
// needs the answer: the colours of package style suit both backgrounds.
//
// termenv asks nobody while the variable CI is set, so it is set until
// bubbletea has been initialised. That rests on the order of initialisation
// (Go specification, "Program initialization": among the packages that are
// ready, by import path): this package needs the standard library alone and so
// comes before golang.org/x/sys, which bubbletea needs. Hence it must import
// nothing else. A test of package tui holds it.
//
// There is no cleaner way in bubbletea v1: its init asks the default renderer
// of lipgloss, which nobody can replace before that init runs without just
// this play with the order; version 2 no longer asks.
package quietstart

import "os"

const variable = "CI"

var hushed = hush()

func hush() bool {
	return os.Getenv(variable) == "" && os.Setenv(variable, "1") == nil
}

// End takes the variable back. A package that imports bubbletea calls it while
// it is initialised, which is after bubbletea.
func End() (done struct{}) {
	if hushed {
		_ = os.Unsetenv(variable)
	}
	return done
}
