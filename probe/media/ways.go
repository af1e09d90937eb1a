package media

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/report"
)

// gates are those of the relays, by the transport to the TURN server.
type gates struct{ overUDP, overStream relayGate }

// A stage is as long as three round trips and the library's five checks a second
// need: the permission, the check and the nomination. Longer than longestStage
// would leave the last one no time.
const (
	shortestStage = 700 * time.Millisecond
	longestStage  = 1100 * time.Millisecond
)

// stage is how long a way has for itself before the next one is tried beside it.
func (l *link) stage() time.Duration {
	return min(max(4*l.answered, shortestStage), longestStage)
}

// awaitPath tries the ways one after the other, the best first: UDP to the media
// port, a relay over UDP, TCP to the media port, relays over TCP and TLS. A voice
// over TCP waits for every lost packet, so that a detour over UDP is better than
// the straight way over TCP. By priorities alone ICE takes the straight one (RFC
// 6544 §4.2). A way for which there is nothing to try takes no time.
func (l *link) awaitPath(ctx context.Context, tcp []webrtc.ICECandidateInit, c VoiceConfig) error {
	left := c.ICELimit
	wait := func(d time.Duration) error {
		d = min(d, left)
		left -= d
		return l.await(ctx, l.iceUp, d, errNoPath)
	}
	goOn := func(err error) bool { return err != nil && ctx.Err() == nil && !l.isDown() }
	err := wait(c.TCPAfter)
	if !goOn(err) {
		return err
	}
	l.direct.udpFailed = true
	l.direct.knock(ctx, l.dial, tcp)
	l.gates.overUDP.open.Store(true)
	if l.hasRelayOverUDP() {
		if err := wait(l.stage()); !goOn(err) {
			return err
		}
	}
	for _, t := range tcp {
		if err := l.pc.AddICECandidate(t); err != nil {
			return fmt.Errorf("%w: %w", errAnswer, err)
		}
	}
	if len(tcp) > 0 {
		if err := wait(l.stage()); !goOn(err) {
			return err
		}
	}
	l.gates.overStream.open.Store(true)
	return wait(left)
}

func (l *link) isDown() bool {
	select {
	case <-l.down:
		return true
	default:
		return false
	}
}

// hasRelayOverUDP says whether a relay was granted over UDP.
func (l *link) hasRelayOverUDP() bool {
	for _, s := range l.pc.GetStats() {
		c, ok := s.(webrtc.ICECandidateStats)
		if ok && c.Type == webrtc.StatsTypeLocalCandidate && c.RelayProtocol == "udp" {
			return true
		}
	}
	return false
}

// directWays is what was found of the ways to the media port itself.
type directWays struct {
	udpFailed bool // it had its time, and no answer came

	mu   sync.Mutex
	tcp  *bool
	stop context.CancelFunc
	udp  *bool
}

// overUDP notes how UDP to the media port did, given the path that was found.
func (w *directWays) overUDP(path string) {
	relay := strings.HasPrefix(path, "relay")
	switch {
	case path != "" && !relay && strings.HasSuffix(path, "udp"):
		w.udp = new(true)
	case w.udpFailed:
		w.udp = new(false)
	}
}

// dialer opens TCP connections, as probe.Env does.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// knockTime is how long a connection to the media port may take.
const knockTime = 4 * time.Second

// knock connects to the media port over TCP, beside everything else: whether that
// way is open is worth knowing even where a better one is found.
func (w *directWays) knock(ctx context.Context, dial dialer, candidates []webrtc.ICECandidateInit) {
	addresses := addressesOf(candidates)
	if len(addresses) == 0 {
		return
	}
	ctx, w.stop = context.WithTimeout(ctx, knockTime)
	open := make(chan bool, len(addresses))
	for _, at := range addresses {
		go func() {
			conn, err := dial(ctx, "tcp", at)
			if err == nil {
				_ = conn.Close()
			}
			open <- err == nil
		}()
	}
	go func() {
		any := false
		for range addresses {
			any = any || <-open
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if any || !errors.Is(ctx.Err(), context.Canceled) {
			w.tcp = new(any)
		}
	}()
}

// addressesOf are the first of the candidates' addresses (RFC 8839 §5.1).
func addressesOf(candidates []webrtc.ICECandidateInit) (all []string) {
	const most = 2
	for _, c := range candidates {
		fields := strings.Fields(c.Candidate)
		if len(fields) > 5 && len(all) < most {
			all = append(all, net.JoinHostPort(fields[4], fields[5]))
		}
	}
	return all
}

func (w *directWays) fill(d *report.MediaVoice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d.DirectUDP, d.DirectTCP = w.udp, w.tcp
}

func (w *directWays) close() {
	if w.stop != nil {
		w.stop()
	}
}
