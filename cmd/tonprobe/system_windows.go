package main

import "github.com/tonprobe/tonprobe/agent/resident"

// isSystem reports whether this process is a service and works for the machine. An
// administrator at a prompt is a person.
func isSystem() bool { return !resident.Interactive() }
