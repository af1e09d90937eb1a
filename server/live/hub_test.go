package live

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
)

func TestEverySubscriberHearsEveryEvent(t *testing.T) {
	h := NewHub()
	a, b := h.Subscribe(t.Context()), h.Subscribe(t.Context())
	h.Publish(Event{Kind: ReportStored, ReportID: "1"})
	h.Publish(Event{Kind: ReportStored, ReportID: "2"})
	for _, c := range []<-chan Event{a, b} {
		if first, second := <-c, <-c; first.ReportID != "1" || second.ReportID != "2" {
			t.Errorf("got %v and %v; want ReportID %q, ReportID %q", first, second, "1", "2")
		}
	}
}

func TestSlowSubscriberGetsResyncAndBlocksNobody(t *testing.T) {
	h := NewHub()
	slow := h.Subscribe(t.Context())
	for range buffer + 1 {
		h.Publish(Event{Kind: ReportStored})
	}
	h.Publish(Event{Kind: ReportStored, ReportID: "after"})
	if e := <-slow; e.Kind != Resync {
		t.Errorf("got first event %q, want %q", e.Kind, Resync)
	}
	if e := <-slow; e.ReportID != "after" {
		t.Errorf("got then %v, want the later event", e)
	}
}

// TestOthersEventsDoNotFillABuffer: events that a subscriber does not want take no place in its buffer,
// because thousands of agents connect after a restart.
func TestOthersEventsDoNotFillABuffer(t *testing.T) {
	h := NewHub()
	list := h.SubscribeTo(t.Context(), func(e Event) bool { return e.Kind != AgentPresence })
	for range buffer + 1 {
		h.Publish(Event{Kind: AgentPresence})
	}
	h.Publish(Event{Kind: ReportStored})
	if e := <-list; e.Kind != ReportStored || len(list) != 0 {
		t.Errorf("got %q and %d more, want only the report", e.Kind, len(list))
	}
}

func TestSubscriptionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub()
		ctx, cancel := context.WithCancel(t.Context())
		byContext, byClose := h.Subscribe(ctx), h.Subscribe(t.Context())
		cancel()
		synctest.Wait()
		if _, open := <-byContext; open || h.Subscribers() != 1 {
			t.Errorf("got open %v after its context ended, %d subscribers; want false, 1", open, h.Subscribers())
		}
		h.Close()
		if _, open := <-byClose; open {
			t.Error("open after Close")
		}
		if _, open := <-h.Subscribe(t.Context()); open {
			t.Error("a closed hub accepts subscribers")
		}
		h.Publish(Event{})
	})
}

func TestHubUnderLoad(t *testing.T) {
	h := NewHub()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			events := h.Subscribe(ctx)
			for range 10 {
				<-events
			}
			cancel()
		})
	}
	stop := make(chan struct{})
	publishing := make(chan struct{})
	go func() {
		defer close(publishing)
		for {
			select {
			case <-stop:
				return
			default:
				h.Publish(Event{Kind: ReportStored})
			}
		}
	}()
	wg.Wait()
	close(stop)
	<-publishing
	h.Close()
}
