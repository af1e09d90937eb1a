package reflector

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// keyed is a session with keys, and a packet for it.
func keyed(t testing.TB) (s *session, up []byte) {
	t.Helper()
	r := start(t)
	s = newSession(r, "anna", "1")
	s.offer.payloadType = wire.PayloadType
	s.allow = newAllowance(1<<30, 1<<30)
	const profile = srtp.ProtectionProfileAeadAes128Gcm
	context := func(o ...srtp.ContextOption) *srtp.Context {
		c, err := srtp.CreateContext(make([]byte, 16), make([]byte, 12), profile, o...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	s.useKeys(&keys{in: context(srtp.SRTPNoReplayProtection()), out: context()})
	plain, err := (&rtp.Header{Version: 2, PayloadType: wire.PayloadType, SSRC: 1}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	plain, _ = wire.AppendUp(plain, wire.Up{Seq: 1, SentNS: 1}, wire.DefaultBytes)
	if up, err = context().EncryptRTP(nil, plain, nil); err != nil {
		t.Fatal(err)
	}
	return s, up
}

func (s *session) echoOnce(up, in, out []byte) bool {
	n := copy(in, up) // decrypted in place
	_, ok := s.answer(in[:n], s.r.epoch, out)
	return ok
}

// BenchmarkEcho measures the echo with both encryptions, without sockets.
func BenchmarkEcho(b *testing.B) {
	s, up := keyed(b)
	in, out := make([]byte, 2048), make([]byte, 0, echoBytes)
	b.ReportAllocs()
	for b.Loop() {
		s.echoOnce(up, in, out)
	}
}

func TestEchoDoesNotAllocate(t *testing.T) {
	s, up := keyed(t)
	in, out := make([]byte, 2048), make([]byte, 0, echoBytes)
	if n := testing.AllocsPerRun(200, func() {
		if !s.echoOnce(up, in, out) {
			t.Fatal("the packet was refused")
		}
	}); n != 0 {
		t.Errorf("got %v allocations per packet, want none", n)
	}
}

// BenchmarkStreams sends one packet of each stream per round, spread over 20 ms like
// independent speakers, and reports how many returned. Clients and reflector share the
// processor, so the reflector alone can handle about twice as many.
func BenchmarkStreams(b *testing.B) {
	for _, n := range []int{10, 100, 300} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkStreams(b, n) })
	}
}

func benchmarkStreams(b *testing.B, n int) {
	r := start(b, func(c *Config) {
		c.Limits = Limits{SessionsPerOwner: n, MaxDuration: time.Hour, ConnectTimeout: time.Hour, IdleTimeout: time.Hour}
	})
	clients := make([]*client, n)
	for at := range slices.Chunk(clients, 20) {
		var ready sync.WaitGroup
		for i := range at {
			ready.Go(func() { at[i] = newClient(b); at[i].connect(b, r, "load") })
		}
		ready.Wait()
	}
	var turnarounds []float64
	var mu sync.Mutex
	var readers sync.WaitGroup
	done := make(chan struct{})
	for _, c := range clients {
		readers.Go(func() {
			for {
				select {
				case d := <-c.down:
					mu.Lock()
					turnarounds = append(turnarounds, float64(d.TurnaroundNS())/1e3)
					mu.Unlock()
				case <-done:
					return
				}
			}
		})
	}
	before, lastEchoed := r.Stats(), int64(0)
	round, start := 0, time.Now()
	for b.Loop() {
		for i, c := range clients {
			at := start.Add(time.Duration(round)*wire.PacketInterval + wire.PacketInterval*time.Duration(i)/time.Duration(n))
			time.Sleep(time.Until(at))
			c.send(b, uint32(round%maxSeq), wire.DefaultBytes)
		}
		round++
	}
	sent, end := round*n, time.Now()
	until(b, "all packets are echoed, or the stream is silent", func() bool {
		echoed := r.Stats().PacketsEchoed
		quiet := echoed == lastEchoed
		lastEchoed = echoed
		return echoed-before.PacketsEchoed >= int64(sent) || quiet && time.Since(end) > 200*time.Millisecond
	})
	close(done)
	readers.Wait()
	b.ReportMetric(float64(sent)/time.Since(start).Seconds(), "packets/s")
	b.ReportMetric(100*(1-float64(r.Stats().PacketsEchoed-before.PacketsEchoed)/float64(sent)), "%uplost")
	b.ReportMetric(100*(1-float64(len(turnarounds))/float64(sent)), "%lost")
	slices.Sort(turnarounds)
	if len(turnarounds) > 0 {
		b.ReportMetric(turnarounds[len(turnarounds)*99/100], "µs-p99-turnaround")
	}
}
