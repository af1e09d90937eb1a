package capture

import (
	"context"
	"errors"
	"os"
	"reflect"
	"time"

	"github.com/tonprobe/tonprobe/probe/audio/osstate"
)

// lastLookRequest is the byte on the child's standard input that requests the state
// of the devices after the last sample.
const lastLookRequest = 'L'

const (
	// statePeriod is the polling interval, for systems without change events and for
	// missed events.
	statePeriod = time.Second
	// stateSettle waits for the end of a burst of events: unplugging a device causes five.
	stateSettle = 20 * time.Millisecond
)

// watchState sends the state of the devices after every change, detected by events
// and by polling. It ends with ctx.
func (c *child) watchState(ctx context.Context) {
	changed := make(chan struct{}, 1)
	go func() {
		_ = osstate.Watch(ctx, changed) // polling continues without events
	}()
	var sent State
	for {
		state := readState(ctx)
		if !state.Unread && !reflect.DeepEqual(state, sent) || state.ServerGone && !sent.ServerGone {
			sent = state
			c.send(state)
		}
		select {
		case <-ctx.Done():
			return
		case <-c.lastLook:
			last := readState(ctx)
			last.Last = true
			c.send(last)
		case <-changed:
			time.Sleep(stateSettle)
		case <-time.After(statePeriod):
		}
	}
}

func readState(ctx context.Context) State {
	snapshot, err := osstate.Read(ctx, os.Getpid())
	if err != nil {
		return State{Unread: true, ServerGone: errors.Is(err, osstate.ErrNoServer)}
	}
	return State{Snapshot: snapshot}
}
