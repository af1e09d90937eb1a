package main

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/tonprobe/tonprobe/agent/identity"
	"github.com/tonprobe/tonprobe/agent/station"
)

// TestUnusable: systemd does not restart a service that is unusable. An error that may pass does not make
// it so.
func TestUnusable(t *testing.T) {
	unread := &fs.PathError{Op: "read", Path: "identity.json", Err: syscall.EIO}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{&identity.BrokenError{Path: "identity.json", Err: errors.New("agent_id is not a UUID")}, true},
		{&station.EnrolledElsewhereError{}, true},
		{&identity.BrokenError{Path: "identity.json", Err: unread}, false},
		{station.ErrOtherService, false}, // which may end, as in an upgrade
		{unread, false},
	} {
		if _, got := errors.AsType[*unusableError](unusable(fmt.Errorf("start: %w", c.err))); got != c.want {
			t.Errorf("%v: got unusable %t, want %t", c.err, got, c.want)
		}
	}
}
