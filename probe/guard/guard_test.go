package guard_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/guard"
)

func crash() { panic("a foreign byte") }

func TestDo(t *testing.T) {
	if err := guard.Do(func() {}); err != nil {
		t.Errorf("got error %v, want none", err)
	}
	err := guard.Do(crash)
	if p, ok := errors.AsType[*guard.Panic](err); !ok || p.Value != "a foreign byte" || !strings.Contains(string(p.Stack), "crash") {
		t.Errorf("got error %v, want the panic with its stack", err)
	}
}

// TestGroup: the panic of a goroutine continues on the one that waits, with the original
// stack even through several groups, and the other functions are completed.
func TestGroup(t *testing.T) {
	done := false
	err := guard.Do(func() {
		var outer guard.Group
		outer.Go(func() { done = true })
		outer.Go(func() {
			var inner guard.Group
			inner.Go(crash)
			inner.Wait()
		})
		outer.Wait()
		t.Error("Wait returned, want a panic")
	})
	if p, ok := errors.AsType[*guard.Panic](err); !ok || p.Value != "a foreign byte" || !strings.Contains(string(p.Stack), "crash") {
		t.Errorf("got error %v, want the panic with its stack", err)
	}
	if !done {
		t.Error("the other function was not completed")
	}
	stopped := make(chan struct{})
	lasting := guard.Group{Stop: func() { close(stopped) }}
	lasting.Go(func() { <-stopped })
	lasting.Go(crash)
	if guard.Do(lasting.Wait) == nil {
		t.Error("got no error, want the panic")
	}
	var quiet guard.Group
	quiet.Go(func() {})
	quiet.Wait()
}

// TestGo: a goroutine that panics still sends the result that is awaited.
func TestGo(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	result := make(chan error, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		guard.Logged(log, func() {
			err := errors.New("unknown")
			defer func() { result <- err }()
			crash()
			err = nil
		})()
	}()
	<-ended
	if err := <-result; err == nil {
		t.Error("got no error, want the one that was set before the panic")
	}
	if !strings.Contains(out.String(), "a foreign byte") {
		t.Errorf("got log %q, want the panic", out.String())
	}
}
