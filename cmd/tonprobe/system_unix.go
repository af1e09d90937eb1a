//go:build !windows

package main

import "os"

// isSystem reports whether this process works for the machine instead of a person.
func isSystem() bool { return os.Geteuid() == 0 }
