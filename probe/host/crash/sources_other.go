//go:build !linux && !windows && !darwin

package crash

func sources() []source { return nil }
