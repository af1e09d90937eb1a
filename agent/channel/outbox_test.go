package channel

import (
	"testing"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

func TestOutboxKeepsImportantMessages(t *testing.T) {
	o := newOutbox()
	o.put(wire.ChannelMessage{Type: wire.MessageConsent, ID: "a"})
	for range 3 * maxWaiting {
		o.put(wire.ChannelMessage{Type: wire.MessageLevel, ID: "a"})
		o.put(wire.ChannelMessage{Type: wire.MessageProgress, ID: "a"})
	}
	o.put(wire.ChannelMessage{Type: wire.MessageDone, ID: "a"})
	list := o.take(1000)
	if len(list) > maxWaiting || list[0].Type != wire.MessageConsent || list[len(list)-1].Type != wire.MessageDone {
		t.Errorf("got %d messages, %v to %v, want at most %d, consent to done", len(list), list[0].Type, list[len(list)-1].Type, maxWaiting)
	}
	o.restore(list[:2])
	if again := o.take(10); len(again) == 0 || again[0].Type != wire.MessageConsent {
		t.Errorf("got %+v, want the consent first", again)
	}
}
