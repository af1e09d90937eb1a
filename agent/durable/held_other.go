//go:build !windows

package durable

// retryHeld does it once: elsewhere nobody's open file is in the way.
func retryHeld(do func() error) error { return do() }
