// Package quietstart keeps bubbletea from asking the terminal for its
// background colour when a program starts.
//
// The init of bubbletea v1 asks, and on a terminal that does not answer every
// command waits 5 s (termenv.OSCTimeout), even `version`. Nothing here needs
// the answer: the colours of package style suit both.
//
// It works by the order of initialisation (Go specification, "Program
// initialization": by import path among the packages that are ready). This
// package needs lipgloss alone and so is ready before bubbletea, which waits
// for golang.org/x/text as well. A test of package tui holds it.
package quietstart

import "github.com/charmbracelet/lipgloss"

var _ = setBackground()

func setBackground() struct{} {
	lipgloss.SetHasDarkBackground(true)
	return struct{}{}
}
