package main

import "github.com/tonprobe/tonprobe/agent/resident"

// isSystem says whether this process works for the machine and not for a
// person: a service does. An administrator at a prompt is still a person.
func isSystem() bool { return !resident.Interactive() }
