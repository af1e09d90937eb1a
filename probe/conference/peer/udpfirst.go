package peer

import (
	"context"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/guard"
)

// udpFirst is how long only UDP is tried if a server offers TCP too. Otherwise a single lost
// connectivity check would select TCP. Over TCP, lost packets delay the following ones instead
// of being counted, so the result would not describe the path of a conference.
const udpFirst = 1500 * time.Millisecond

// isTCP reports whether a candidate (RFC 8839 §5.1) uses TCP.
func isTCP(candidate string) bool {
	fields := strings.Fields(candidate)
	return len(fields) > 2 && strings.EqualFold(fields[2], "tcp")
}

// splitTCP removes the TCP candidates from a description and returns them.
func splitTCP(sdp string) (rest string, tcp []string) {
	var b strings.Builder
	for line := range strings.Lines(sdp) {
		if strings.HasPrefix(line, "a=candidate:") && isTCP(line) {
			tcp = append(tcp, strings.TrimPrefix(strings.TrimSpace(line), "a="))
			continue
		}
		b.WriteString(line)
	}
	return b.String(), tcp
}

// withhold holds back the TCP candidates of the server's description until udpFirst after
// the first description, and returns the rest.
func (c *Connection) withhold(sdp string) string {
	if c.only != AnyTransport {
		return sdp
	}
	rest, tcp := splitTCP(sdp)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.released {
		return sdp
	}
	c.held = append(c.held, tcp...)
	if !c.holding {
		c.holding = true
		guard.Go(c.log, c.release)
	}
	return rest
}

// withheld reports whether a candidate that arrived separately is held back.
func (c *Connection) withheld(candidate string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.only != AnyTransport || c.released || !isTCP(candidate) {
		return false
	}
	c.held = append(c.held, candidate)
	return true
}

// release adds the withheld candidates, unless a path was found or the connection has ended.
func (c *Connection) release() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		defer cancel()
		select {
		case <-c.states.Path:
		case <-c.states.Down:
		case <-ctx.Done():
		}
	}()
	if c.clock.Sleep(ctx, udpFirst) != nil {
		return
	}
	c.mu.Lock()
	held := c.held
	c.held, c.released = nil, true
	c.mu.Unlock()
	for _, candidate := range held {
		c.add(candidate)
	}
}

func (c *Connection) add(candidate string) {
	// A candidate of an unknown kind, for example, is not needed.
	_ = c.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: candidate, SDPMLineIndex: new(uint16(0))})
}
