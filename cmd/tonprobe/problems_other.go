//go:build !windows

package main

import "syscall"

// systemProblems are what only this system says of files.
var systemProblems = []fileProblem{{syscall.EDQUOT, "problem.no_room"}}
