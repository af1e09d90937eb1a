package main

import (
	"os"
	"os/signal"
	"syscall"
)

// survivePipes lets a write to a pipe that nobody reads return EPIPE. Without it
// package os ends the process by SIGPIPE, with no message. Notify is used because
// an ignored signal would stay ignored in child processes.
func survivePipes() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
}
