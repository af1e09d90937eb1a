package reflector

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

func start(t testing.TB, change ...func(*Config)) *Reflector {
	t.Helper()
	c := Config{STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0"}
	for _, f := range change {
		f(&c)
	}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

func wait[T any](t testing.TB, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("timeout after 10 s")
	}
	return v
}

// until polls a condition.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("timeout after 10 s waiting until %s", what)
		}
	}
}

func TestEchoStampsAndNumbers(t *testing.T) {
	t.Run("few streams", func(t *testing.T) { echoStampsAndNumbers(t, 1) })
	t.Run("many streams, in batches", func(t *testing.T) { echoStampsAndNumbers(t, fewStreams+1) })
}

func echoStampsAndNumbers(t *testing.T, streams int32) {
	r := start(t)
	c := newClient(t)
	id := c.connect(t, r, "anna")
	r.openNow.Store(streams)
	var keptNS []int64 // by the timestamps in the packets
	for i, seq := range []uint32{0, 2, 2, 1} {
		c.send(t, seq, wire.DefaultBytes)
		d := wait(t, c.down)
		if d.Seq != uint32(i) || d.UpSeq != seq || d.UpSentNS != int64(seq)+1 || d.TurnaroundNS() < 0 {
			t.Errorf("echo %d: got %+v, want echo %d of packet %d", i, d, i, seq)
		}
		keptNS = append(keptNS, d.TurnaroundNS())
		if d.Duplicate != (i == 2) {
			t.Errorf("echo %d: got duplicate %t, want %t", i, d.Duplicate, i == 2)
		}
	}
	until(t, "all are recorded", func() bool { return r.Stats().PacketsEchoed == 4 })
	log, err := r.End("anna", id)
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Validate(); err != nil {
		t.Error(err)
	}
	a := log.Arrivals()
	if len(a) != 4 || log.UpUnique != 3 || log.DownSent != 4 || !a[2].Duplicate || a[3].Seq != 1 {
		t.Errorf("got arrivals %+v, %d different, %d sent; want 4 arrivals, the third a duplicate, of 3 different packets, and 4 sent", a, log.UpUnique, log.DownSent)
	}
	if len(log.TurnaroundNS) != len(keptNS) {
		t.Fatalf("got %d turnarounds of %d echoes, want one each", len(log.TurnaroundNS), len(keptNS))
	}
	for i, ns := range log.TurnaroundNS {
		// Encryption follows the timestamp.
		if ns < keptNS[i] || ns > keptNS[i]+int64(time.Second) {
			t.Errorf("echo %d: got departure %d ns after the arrival, timestamp %d ns after; want the departure within a second after the timestamp", i, ns, keptNS[i])
		}
	}
	until(t, "the slot is free", func() bool { return r.Stats().SessionsOpen == 0 })
}

func TestForeignPayloadIsIgnored(t *testing.T) {
	r := start(t)
	c := newClient(t)
	id := c.connect(t, r, "anna")
	short, _ := wire.AppendUp(nil, wire.Up{}, wire.UpHeaderBytes) // the echo would be longer than the packet
	far, _ := wire.AppendUp(nil, wire.Up{Seq: maxSeq}, wire.DefaultBytes)
	down, _ := wire.AppendDown(nil, wire.Down{}, wire.DefaultBytes)
	for i, b := range [][]byte{[]byte("Opus of a browser"), {}, short, far, down} {
		c.write(t, uint32(i), b)
	}
	c.send(t, 7, wire.DefaultBytes)
	if d := wait(t, c.down); d.UpSeq != 7 || d.Seq != 0 {
		t.Errorf("got %+v, want packet 7", d)
	}
	log, err := r.End("anna", id)
	if err != nil || log.UpUnique != 1 || len(log.SeqDelta) != 1 {
		t.Errorf("got %+v, error %v; want UpUnique 1, SeqDelta 1 entry", log, err)
	}
	until(t, "the packets are counted", func() bool {
		s := r.Stats()
		return s.PacketsForeign == 5 && s.PacketsEchoed == 1
	})
}

func TestSessionLimits(t *testing.T) {
	r := start(t, func(c *Config) { c.Limits.Sessions, c.Limits.SessionsPerOwner = 3, 2 })
	offer := newClient(t).offer(t)
	var ids []string
	open := func(owner string) error {
		id, _, err := r.Offer(t.Context(), owner, offer)
		ids = append(ids, id)
		return err
	}
	for i, c := range []struct {
		owner string
		want  error
	}{{"anna", nil}, {"anna", nil}, {"anna", ErrBusy}, {"bert", nil}, {"carl", ErrBusy}} {
		if err := open(c.owner); !errors.Is(err, c.want) {
			t.Errorf("offer %d of %s: got error %v, want %v", i, c.owner, err, c.want)
		}
	}
	if _, err := r.End("bert", ids[0]); !errors.Is(err, ErrNoSession) {
		t.Errorf("another owner's session ended: %v", err)
	}
	if _, err := r.End("anna", ids[0]); err != nil {
		t.Error(err)
	}
	if _, err := r.End("anna", ids[0]); !errors.Is(err, ErrNoSession) {
		t.Errorf("ended twice: got error %v, want %v", err, ErrNoSession)
	}
	until(t, "the slot is free", func() bool { return open("anna") == nil })
}

func TestSessionsEndThemselves(t *testing.T) {
	for name, change := range map[string]func(*Limits){
		"never connected": func(l *Limits) { l.ConnectTimeout = 50 * time.Millisecond },
		"too long":        func(l *Limits) { l.MaxDuration = 50 * time.Millisecond },
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, func(c *Config) { change(&c.Limits) })
			id, _, err := r.Offer(t.Context(), "anna", newClient(t).offer(t))
			if err != nil {
				t.Fatal(err)
			}
			until(t, "the session ends", func() bool { return r.Stats().SessionsOpen == 0 })
			if _, err := r.End("anna", id); err != nil {
				t.Errorf("the log of an ended session: got error %v, want none", err)
			}
		})
	}
	t.Run("idle", func(t *testing.T) {
		r := start(t, func(c *Config) { c.Limits.IdleTimeout = 100 * time.Millisecond })
		c := newClient(t)
		id := c.connect(t, r, "anna")
		c.send(t, 0, wire.DefaultBytes)
		wait(t, c.down)
		until(t, "the session ends", func() bool { return r.Stats().SessionsOpen == 0 })
		if log, err := r.End("anna", id); err != nil || log.UpUnique != 1 {
			t.Errorf("got %+v, error %v; want UpUnique 1", log, err)
		}
	})
	t.Run("the log is not requested", func(t *testing.T) {
		r := start(t, func(c *Config) {
			c.Limits.MaxDuration, c.Limits.KeepLog = 20*time.Millisecond, 20*time.Millisecond
		})
		id, _, err := r.Offer(t.Context(), "anna", newClient(t).offer(t))
		if err != nil {
			t.Fatal(err)
		}
		until(t, "the log is dropped", func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.sessions[id] == nil
		})
	})
}

func TestPacketRateIsBounded(t *testing.T) {
	r := start(t, func(c *Config) { c.Limits.PacketsPerSecond, c.Limits.PacketBurst = 1, 20 })
	c := newClient(t)
	id := c.connect(t, r, "anna")
	for i := range uint32(200) {
		c.send(t, i, wire.DefaultBytes)
	}
	until(t, "all are counted or dropped", func() bool { s := r.Stats(); return s.PacketsEchoed+s.PacketsForeign >= 200 })
	log, err := r.End("anna", id)
	if err != nil || log.UpUnique < 20 || log.UpUnique > 30 {
		t.Errorf("got %d packets, error %v; want 20 to 30", log.UpUnique, err)
	}
}

// TestNothingIsLeftBehind counts goroutines: a session that leaks one would exhaust a
// collector within days.
func TestNothingIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	r, err := New(Config{STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	clients := []*client{newClient(t), newClient(t), newClient(t)}
	for _, c := range clients {
		c.connect(t, r, "anna")
		c.send(t, 0, wire.DefaultBytes)
		wait(t, c.down)
	}
	waiting := newClient(t) // receives an answer, but never connects
	if _, _, err := r.Offer(t.Context(), "bert", waiting.offer(t)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, _, err := r.Offer(t.Context(), "anna", waiting.offerText()); !errors.Is(err, ErrClosed) {
		t.Errorf("offer after close: got error %v, want %v", err, ErrClosed)
	}
	for _, c := range append(clients, waiting) {
		c.close()
	}
	until(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
}

func TestAnswerNamesWhatTheClientCanReach(t *testing.T) {
	public := netip.MustParseAddr("198.51.100.7")
	r := start(t, func(c *Config) { c.MediaIPs = []netip.Addr{public} })
	offer := newClient(t).offer(t)
	_, answer, err := r.Offer(t.Context(), "anna", offer)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(answer, "a=candidate:") != 4 || !strings.Contains(answer, " 198.51.100.7 ") || !strings.Contains(answer, " 127.0.0.1 ") {
		t.Errorf("a client on this machine: got\n%s\nwant 4 candidates with both addresses", answer)
	}
	_, answer, err = r.Offer(t.Context(), "anna", strings.ReplaceAll(offer, "127.0.0.1", "192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(answer, "a=candidate:") != 2 || strings.Contains(answer, "127.0.0.1") || !strings.Contains(answer, "a=ice-lite") {
		t.Errorf("a client elsewhere: got\n%s\nwant 2 candidates without loopback, and ICE lite", answer)
	}
}

func TestListenOnEveryAddress(t *testing.T) {
	r := start(t, func(c *Config) { c.MediaListen, c.STUNListen = ":0", ":0" })
	if r.MediaAddr().Port() == 0 || r.STUNAddr().Port() == 0 {
		t.Errorf("got ports %v, %v, want both set", r.MediaAddr(), r.STUNAddr())
	}
	c := newClient(t)
	c.connect(t, r, "anna")
}

func TestListenFaultsAreClear(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	faulty := []string{"nonsense", "127.0.0.1:99999", "127.0.0.1:x", taken.LocalAddr().String()}
	if runtime.GOOS != "linux" { // which waits for an address
		faulty = append(faulty, "192.0.2.1:0")
	}
	for _, at := range faulty {
		if r, err := New(Config{STUNListen: "127.0.0.1:0", MediaListen: at}); err == nil {
			_ = r.Close()
			t.Errorf("%q was accepted", at)
		} else if !strings.Contains(err.Error(), at) {
			t.Errorf("%q: got error %q, want it to contain the address", at, err)
		}
	}
}
