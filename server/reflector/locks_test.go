package reflector

import (
	"slices"
	"testing"
	"time"
)

// TestBlockedWriteBlocksNobodyElse: a client over TCP that does not read delays its own
// responses, but not a request for the session's log.
func TestBlockedWriteBlocksNobodyElse(t *testing.T) {
	s, up := keyed(t)
	k := s.keys
	s.keys = nil
	writing, goOn := make(chan struct{}), make(chan struct{})
	var sent [][]byte
	p := &path{session: s, write: func(b []byte) error {
		sent = append(sent, slices.Clone(b))
		if len(sent) == 1 {
			close(writing)
			<-goOn
		}
		return nil
	}}
	now := time.Now()
	s.receive(p, up, now, nil, atOnce{})
	done := make(chan struct{})
	go func() { s.useKeys(k); close(done) }()
	<-writing
	logged := make(chan struct{})
	go func() { s.log(); close(logged) }()
	select {
	case <-logged:
	case <-time.After(10 * time.Second):
		t.Fatal("the log waits for the write")
	}
	// Packets that arrive in the meantime are queued.
	s.receive(p, up, now, make([]byte, 0, echoBytes), atOnce{})
	close(goOn)
	<-done
	if len(sent) != 2 {
		t.Errorf("got %d responses, want 2", len(sent))
	}
	if log := s.log(); log.DownSent != 2 || log.DownFailed != 0 {
		t.Errorf("got %+v; want DownSent 2, DownFailed 0", log)
	}
}
