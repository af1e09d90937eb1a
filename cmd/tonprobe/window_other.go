//go:build !windows

package main

// ownsConsole reports whether the window closes with the program. Only Windows provides this
// information.
func ownsConsole() bool { return false }
