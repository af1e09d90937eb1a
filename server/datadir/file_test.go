package datadir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
)

func TestSecretsAreForTheirOwnerOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.json")
	if b, err := ReadSecret(file); b != nil || err != nil {
		t.Fatalf("a missing file: got %q, error %v; want nil", b, err)
	}
	if err := UpdateSecret(t.Context(), file, func(old []byte) ([]byte, error) { return append(old, 'x'), nil }); err != nil {
		t.Fatal(err)
	}
	if b, err := ReadSecret(file); string(b) != "x" || err != nil {
		t.Errorf("got %q, error %v; want x", b, err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, name := range []string{file, file + ".lock"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got mode %v, error %v; want 0600", name, info.Mode(), err)
		}
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSecret(file); !errors.Is(err, ErrReadable) {
		t.Errorf("readable by the group: got error %v, want %v", err, ErrReadable)
	}
}

// None of many concurrent changes is lost.
func TestChangesAreSerialized(t *testing.T) {
	file := filepath.Join(t.TempDir(), "n")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := UpdateSecret(t.Context(), file, func(old []byte) ([]byte, error) {
				n, _ := strconv.Atoi(string(old))
				return []byte(strconv.Itoa(n + 1)), nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if b, err := ReadSecret(file); string(b) != "20" || err != nil {
		t.Errorf("got %q, error %v; want 20", b, err)
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 2 { // the file and its lock
		t.Errorf("got files %v, error %v; want the file and its lock", left, err)
	}
}

// TestExclusive: at most one holds the lock at a time, each gets it, and somebody who waits ends with
// the context.
func TestExclusive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s")
	var alone sync.Mutex
	runs := 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			err := Exclusive(t.Context(), file, func() error {
				if !alone.TryLock() {
					return errors.New("another holds the lock")
				}
				defer alone.Unlock()
				runs++
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if runs != 8 {
		t.Errorf("got %d runs, want 8", runs)
	}
	err := Exclusive(t.Context(), file, func() error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return Exclusive(ctx, file, func() error { return nil })
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestAChangeThatFailsChangesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s")
	keep := func(text string, err error) error {
		return UpdateSecret(t.Context(), file, func([]byte) ([]byte, error) { return []byte(text), err })
	}
	if err := keep("a", nil); err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	if err := keep("b", refused); !errors.Is(err, refused) {
		t.Errorf("got error %v, want %v", err, refused)
	}
	busy := UpdateSecret(t.Context(), file, func(old []byte) ([]byte, error) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := UpdateSecret(ctx, file, func([]byte) ([]byte, error) { return nil, nil }); !errors.Is(err, ErrBusy) {
			t.Errorf("a change during another: got error %v, want %v", err, ErrBusy)
		}
		return old, nil
	})
	if b, err := ReadSecret(file); string(b) != "a" || err != nil || busy != nil {
		t.Errorf("got %q, error %v, busy %v; want a", b, err, busy)
	}
}
