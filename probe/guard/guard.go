// Package guard keeps a panic in a separate goroutine from ending the program.
//
// The plan recovers a panic of a probe on the goroutine on which it called the probe. A
// goroutine that the probe starts is not covered by that, and most of them process what
// servers and other machines send. They are started with a [Group] if the caller waits for
// all of them, and with [Go] otherwise.
package guard

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
)

// Panic is a recovered panic. It is an error, and the value of the panic with which
// [Group.Wait] continues it.
type Panic struct {
	Value any
	Stack []byte // of the goroutine that panicked
}

func (p *Panic) Error() string { return fmt.Sprintf("panic: %v\n%s", p.Value, p.Stack) }

// Do calls f and returns a panic in it as a *[Panic].
func Do(f func()) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case *Panic: // continued by Wait: the first stack is the one of interest
			err = v
		default:
			err = &Panic{v, debug.Stack()}
		}
	}()
	f()
	return nil
}

// Logged returns a function that calls f and logs a panic in it. Deferred functions of f are
// called as usual: they can send the result for which another goroutine waits.
func Logged(log *slog.Logger, f func()) func() {
	return func() {
		if err := Do(f); err != nil {
			log.Error("a goroutine panicked", "err", err)
		}
	}
}

// Go calls f on a goroutine of its own and logs a panic in it.
func Go(log *slog.Logger, f func()) { go Logged(log, f)() }

// Group is a [sync.WaitGroup] whose functions may panic. The zero value is ready for use.
type Group struct {
	// Stop is called when a function panics, so that those that run until they are stopped
	// end; nil for none.
	Stop func()

	running sync.WaitGroup

	mu    sync.Mutex
	first error // the first panic; nil for none
}

// Go calls f on a goroutine of its own.
func (g *Group) Go(f func()) {
	g.running.Go(func() {
		if err := Do(f); err != nil {
			g.note(err)
		}
	})
}

func (g *Group) note(err error) {
	g.mu.Lock()
	if g.first == nil {
		g.first = err
	}
	g.mu.Unlock()
	if g.Stop != nil {
		g.Stop()
	}
}

// Wait waits for all functions. If one of them panicked, Wait panics with a *[Panic].
func (g *Group) Wait() {
	g.running.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.first != nil {
		panic(g.first)
	}
}
