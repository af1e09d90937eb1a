//go:build !windows

package main

import "syscall"

// systemProblems are file errors that are specific to this system.
var systemProblems = []fileProblem{{syscall.EDQUOT, "problem.no_room"}}
