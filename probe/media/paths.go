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

// gates are the gates of the relays, by the transport to the TURN server.
type gates struct{ overUDP, overStream relayGate }

// A stage lasts as long as three round trips plus the delays of the library's five
// checks per second: permission, check and nomination. With more than longestStage
// the last path would have no time left.
const (
	shortestStage = 700 * time.Millisecond
	longestStage  = 1100 * time.Millisecond
)

// stage returns the time that a path has for itself before the next one is tried as
// well.
func (l *link) stage() time.Duration {
	return min(max(4*l.answered, shortestStage), longestStage)
}

// awaitPath tries the paths one after the other in order of preference: UDP to the
// media port, a relay over UDP, TCP to the media port, relays over TCP and TLS.
// Over TCP the voice waits for each lost packet, so a relay over UDP is better than
// a direct TCP connection; with its priorities alone, ICE would select the latter
// (RFC 6544 §4.2). Paths without candidates take no time.
func (l *link) awaitPath(ctx context.Context, tcp []webrtc.ICECandidateInit, c VoiceConfig) error {
	left := c.ICELimit
	wait := func(d time.Duration) error {
		d = min(d, left)
		left -= d
		return l.await(ctx, l.states.Path, d, errNoPath)
	}
	goOn := func(err error) bool { return err != nil && ctx.Err() == nil && !l.isDown() }
	err := wait(c.TCPAfter)
	if !goOn(err) {
		return err
	}
	l.direct.udpFailed = true
	l.direct.dialMediaPort(ctx, l.dial, tcp)
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
	case <-l.states.Down:
		return true
	default:
		return false
	}
}

// hasRelayOverUDP reports whether there is a relay candidate over UDP.
func (l *link) hasRelayOverUDP() bool {
	for _, s := range l.pc.GetStats() {
		c, ok := s.(webrtc.ICECandidateStats)
		if ok && c.Type == webrtc.StatsTypeLocalCandidate && c.RelayProtocol == "udp" {
			return true
		}
	}
	return false
}

// directPaths records what is known about the direct paths to the media port.
type directPaths struct {
	udpFailed bool // its time is over, and there was no response

	mu   sync.Mutex
	tcp  *bool
	stop context.CancelFunc
	udp  *bool
}

// overUDP records the result of UDP to the media port, given the selected path.
func (w *directPaths) overUDP(path string) {
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

// dialTime limits a connection to the media port.
const dialTime = 4 * time.Second

// dialMediaPort connects to the media port over TCP, in parallel to everything
// else: whether it is open is worth knowing even if a better path was selected.
func (w *directPaths) dialMediaPort(ctx context.Context, dial dialer, candidates []webrtc.ICECandidateInit) {
	addresses := addressesOf(candidates)
	if len(addresses) == 0 {
		return
	}
	ctx, w.stop = context.WithTimeout(ctx, dialTime)
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

// addressesOf returns the first of the candidates' addresses (RFC 8839 §5.1).
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

func (w *directPaths) fill(d *report.MediaVoice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d.DirectUDP, d.DirectTCP = w.udp, w.tcp
}

func (w *directPaths) close() {
	if w.stop != nil {
		w.stop()
	}
}
