package reflect

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// discard is a path that takes every packet.
type discard struct{ webrtc.TrackLocalWriter }

func (discard) WriteRTP(*rtp.Header, []byte) (int, error) { return 0, nil }

// BenchmarkEcho is what the echo itself costs, without sockets and encryption.
func BenchmarkEcho(b *testing.B) {
	r := start(b)
	s := newSession(r, "anna", "1")
	s.track.bound.Store(&boundTrack{to: discard{}})
	s.allow = newAllowance(1<<30, 1<<30)
	up, _ := wire.AppendUp(nil, wire.Up{Seq: 1, SentNS: 1}, wire.DefaultBytes)
	down := make([]byte, 0, wire.MaxBytes)
	b.ReportAllocs()
	for b.Loop() {
		s.echo(up, r.sinceNS(), down)
	}
}

func TestEchoDoesNotAllocate(t *testing.T) {
	r := start(t)
	s := newSession(r, "anna", "1")
	s.track.bound.Store(&boundTrack{to: discard{}})
	s.allow = newAllowance(1<<30, 1<<30)
	up, _ := wire.AppendUp(nil, wire.Up{Seq: 1, SentNS: 1}, wire.DefaultBytes)
	down := make([]byte, 0, wire.MaxBytes)
	if n := testing.AllocsPerRun(200, func() { s.echo(up, r.sinceNS(), down) }); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

// BenchmarkStreams sends one packet of each stream per round, spread over 20 ms
// as independent talkers would, and reports what came back. Clients and
// reflector share the processor, so the reflector alone bears about twice as
// much.
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
	before := r.Stats()
	round, start := 0, time.Now()
	for b.Loop() {
		for i, c := range clients {
			at := start.Add(time.Duration(round)*wire.PacketInterval + wire.PacketInterval*time.Duration(i)/time.Duration(n))
			time.Sleep(time.Until(at))
			c.send(b, uint32(round%maxSeq), wire.DefaultBytes)
		}
		round++
	}
	time.Sleep(200 * time.Millisecond)
	close(done)
	readers.Wait()
	sent := round * n
	b.ReportMetric(float64(sent)/time.Since(start).Seconds(), "packets/s")
	b.ReportMetric(100*(1-float64(r.Stats().PacketsEchoed-before.PacketsEchoed)/float64(sent)), "%uplost")
	b.ReportMetric(100*(1-float64(len(turnarounds))/float64(sent)), "%lost")
	slices.Sort(turnarounds)
	if len(turnarounds) > 0 {
		b.ReportMetric(turnarounds[len(turnarounds)*99/100], "µs-p99-turnaround")
	}
}
