//go:build !windows

package durable

// retryHeld calls do once: only on Windows do other programs' open files cause
// errors.
func retryHeld(do func() error) error { return do() }
