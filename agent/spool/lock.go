package spool

import (
	"context"
	"path/filepath"

	"github.com/tonprobe/tonprobe/agent/durable"
)

// The locks of a spool (see durable.Lock).
const (
	lockFiles  = "files.lock"  // held while files are written or moved: milliseconds
	lockSender = "sender.lock" // held while reports are sent: seconds
)

// Locker provides named locks between processes.
type Locker interface {
	Lock(ctx context.Context, name string) (unlock func(), err error)
}

// lockFolder stores its lock files in a folder.
type lockFolder string

// Lock waits for the lock or for the end of ctx. The system call cannot be cancelled,
// so a lock that is acquired too late is released at once.
func (d lockFolder) Lock(ctx context.Context, name string) (func(), error) {
	type got struct {
		unlock func()
		err    error
	}
	c := make(chan got, 1)
	go func() {
		unlock, err := durable.Lock(filepath.Join(string(d), name))
		c <- got{unlock, err}
	}()
	select {
	case g := <-c:
		return g.unlock, g.err
	case <-ctx.Done():
		go func() {
			if g := <-c; g.err == nil {
				g.unlock()
			}
		}()
		return nil, context.Cause(ctx)
	}
}
