//go:build !windows

package main

// ownsConsole reports whether the window closes with the program, which only Windows says.
func ownsConsole() bool { return false }
