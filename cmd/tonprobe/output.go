package main

import (
	"errors"
	"io/fs"
	"os"
	"sync"
)

// output is a standard stream that keeps the first write error, so that a lost result never
// looks like a success: a full device accepts the first bytes and fails later, and the calls
// that print single lines check no error.
type output struct {
	file *os.File

	mu     sync.Mutex
	failed error
}

func newOutput(f *os.File) *output { return &output{file: f} }

func (o *output) Write(b []byte) (int, error) {
	n, err := o.file.Write(b)
	o.note(err)
	return n, err
}

func (o *output) note(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failed == nil {
		o.failed = err
	}
}

// close closes the stream and returns the first error. Some file systems report a full disk
// only here (NFS, quotas).
func (o *output) close() error {
	if err := o.file.Close(); !errors.Is(err, fs.ErrClosed) {
		o.note(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed
}
