//go:build !windows

package durable

// restrict does nothing: the mode of the folder is its protection.
func restrict(string) error { return nil }
