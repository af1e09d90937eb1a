package channel

import (
	"slices"
	"sync"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// maxWaiting limits the messages that wait for a connection.
const maxWaiting = 64

// outbox queues the messages to the collector in order. They survive a lost connection. A level
// replaces the previous one, and a full outbox drops progress and levels first.
type outbox struct {
	mu    sync.Mutex
	list  []wire.ChannelMessage
	ready chan struct{} // contains a token if there are messages
}

func newOutbox() *outbox { return &outbox{ready: make(chan struct{}, 1)} }

func (o *outbox) put(m wire.ChannelMessage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if m.Type == wire.MessageLevel {
		o.list = slices.DeleteFunc(o.list, func(old wire.ChannelMessage) bool { return old.Type == wire.MessageLevel })
	}
	o.list = append(o.list, m)
	if len(o.list) > maxWaiting {
		at := slices.IndexFunc(o.list, func(old wire.ChannelMessage) bool {
			return old.Type == wire.MessageProgress || old.Type == wire.MessageLevel
		})
		o.list = slices.Delete(o.list, max(at, 0), max(at, 0)+1)
	}
	o.wake()
}

func (o *outbox) wake() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// take removes and returns up to most messages.
func (o *outbox) take(most int) []wire.ChannelMessage {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := min(most, len(o.list))
	taken := slices.Clone(o.list[:n])
	o.list = slices.Delete(o.list, 0, n)
	if len(o.list) > 0 {
		o.wake()
	}
	return taken
}

// restore puts back messages that could not be sent. The collector ignores those that it has
// processed already.
func (o *outbox) restore(list []wire.ChannelMessage) {
	o.mu.Lock()
	defer o.mu.Unlock()
	list = slices.DeleteFunc(slices.Clone(list), func(m wire.ChannelMessage) bool { return m.Type == wire.MessageLevel })
	o.list = append(list, o.list...)
	if len(o.list) > 0 {
		o.wake()
	}
}
