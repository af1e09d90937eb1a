//go:build !windows

package main

// systemProblems are what only this system says of files.
var systemProblems []fileProblem
