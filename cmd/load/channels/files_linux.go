package channels

import (
	"fmt"
	"syscall"
)

// raiseFileLimit allows this process and its children n open files.
func raiseFileLimit(n uint64) error {
	var have syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &have); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	if have.Cur >= n && have.Max >= n {
		return nil
	}
	want := syscall.Rlimit{Cur: n, Max: max(n, have.Max)}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &want); err != nil {
		return fmt.Errorf("allow %d open files (only root may raise the limit of %d): %w", n, have.Max, err)
	}
	return nil
}
