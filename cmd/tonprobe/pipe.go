package main

import (
	"os"
	"os/signal"
	"syscall"
)

// reportBrokenPipes makes a write to a closed pipe return EPIPE. Otherwise package os terminates
// the process by SIGPIPE without a message. It uses Notify, because an ignored signal would
// remain ignored in child processes.
func reportBrokenPipes() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}
