package reflect

import (
	"sync/atomic"
	"testing"
	"time"
)

// TestSelfCheck: the reflector says that it is awake as long as both ports
// answer, and no longer; asking leaves nothing behind.
func TestSelfCheck(t *testing.T) {
	for name, fall := range map[string]func(*Reflector){
		"STUN":  func(r *Reflector) { _ = r.relay.server.Close() },
		"media": func(r *Reflector) { _ = r.media.sockets.udp[0].Close() },
	} {
		t.Run(name, func(t *testing.T) {
			var later atomic.Int64
			r := start(t, func(c *Config) {
				c.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
			})
			wait := func(d time.Duration) { later.Add(int64(d)) }
			if got := r.ICE("somebody", "localhost").AnsweredMS; got == nil {
				t.Fatal("a reflector that is awake says nothing")
			}
			wait(selfCheckEvery / 2)
			if got := r.answeredAgo(); got == nil || *got < (selfCheckEvery/2).Milliseconds() {
				t.Errorf("half the time later it answered %v ms ago, want the same answer", got)
			}
			if n := len(r.media.byUfrag); n != 0 {
				t.Errorf("%d sessions are left", n)
			}
			fall(r)
			wait(selfCheckEvery)
			if got := r.answeredAgo(); got != nil {
				t.Errorf("with one port closed it answered %d ms ago", *got)
			}
			wait(-time.Hour) // the clock was set back
			if got := r.answeredAgo(); got != nil {
				t.Errorf("after the clock was set back it answered %d ms ago", *got)
			}
		})
	}
}
