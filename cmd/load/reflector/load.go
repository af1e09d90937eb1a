package reflector

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3/pkg/crypto/selfsign"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

func selfSigned() (tls.Certificate, error) { return selfsign.GenerateSelfSigned() }

func fingerprintOf(cert tls.Certificate) string {
	return strings.ReplaceAll(fmt.Sprintf("% X", sha256.Sum256(cert.Certificate[0])), " ", ":")
}

// load runs the complete measurement.
func load(ctx context.Context, n int, duration time.Duration, flood string, pion bool) (*figures, error) {
	c, err := startChild(ctx, pion)
	if err != nil {
		return nil, err
	}
	defer c.close()
	at, err := c.ask(request{Op: "addr"})
	if err != nil {
		return nil, err
	}
	epoch := time.Now()
	f := &figures{Streams: n, Flood: flood, MediaPort: at.Addr.Port(), pid: c.cmd.Process.Pid}
	streams, err := openAll(ctx, c, at, n, epoch)
	if err != nil {
		return nil, err
	}
	f.OpenSeconds = time.Since(epoch).Seconds()

	stopFlood := func() {}
	if flood != "" {
		if stopFlood, err = underFlood(ctx, flood, c, at.Addr, f); err != nil {
			return nil, err
		}
	}
	f.begin(streams)
	send(ctx, streams, duration, epoch)
	f.finishWindow()
	stopFlood()
	if f.floodFault != nil {
		return nil, f.floodFault
	}
	awaitEchoes(ctx, streams)
	f.end(streams)
	for _, s := range streams {
		_ = s.conn.Close()
	}
	return f, f.collect(c, streams)
}

// awaitEchoes waits until all echoes have arrived, or none has for half a second:
// the others are lost.
func awaitEchoes(ctx context.Context, streams []*stream) {
	const quiet = 500 * time.Millisecond
	back, since := -1, time.Now()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		now, sent := 0, 0
		for _, s := range streams {
			now += int(s.back.Load())
			sent += int(s.seq)
		}
		if now != back {
			back, since = now, time.Now()
		}
		if now >= sent || time.Since(since) > quiet {
			tick.Stop()
			return
		}
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}

// openAll opens the streams, a few at a time: a thousand concurrent handshakes
// would run into their own timeouts.
func openAll(ctx context.Context, c *child, at reply, n int, epoch time.Time) ([]*stream, error) {
	cert, fingerprint, err := certificate()
	if err != nil {
		return nil, err
	}
	streams, faults := make([]*stream, n), make([]error, n)
	places := make(chan struct{}, 16)
	var all sync.WaitGroup
	for i := range n {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			streams[i], faults[i] = open(ctx, c, at.Addr, cert, fingerprint, uint32(i+1), epoch)
		})
	}
	all.Wait()
	for i, err := range faults {
		if err != nil {
			return nil, fmt.Errorf("stream %d: %w", i, err)
		}
	}
	return streams, nil
}

// send has each stream send a packet every 20 ms. The streams are spread over the
// interval, as independent speakers are.
func send(ctx context.Context, streams []*stream, duration time.Duration, epoch time.Time) {
	const senders = 2
	var all sync.WaitGroup
	start := time.Now()
	for k := range senders {
		all.Go(func() {
			for round := 0; ; round++ {
				for i := k; i < len(streams); i += senders {
					at := time.Duration(round)*wire.PacketInterval + wire.PacketInterval*time.Duration(i)/time.Duration(len(streams))
					if at >= duration || ctx.Err() != nil {
						return
					}
					if wait := at - time.Since(start); wait > 500*time.Microsecond {
						time.Sleep(wait)
					}
					_ = streams[i].send(epoch) // counted in missed
				}
			}
		})
	}
	all.Wait()
}
