//go:build !windows

package main

// ownsConsole reports whether the window closes with the program. Only Windows provides this
// information.
func ownsConsole() bool { return false }

// enlargeText does nothing: people set the size of the text in their terminal.
func enlargeText() {}
