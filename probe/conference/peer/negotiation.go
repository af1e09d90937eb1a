package peer

import (
	"context"
	"fmt"
	"strings"

	"github.com/pion/webrtc/v4"
)

// Offer returns the offer with the gathered addresses.
func (c *Connection) Offer(ctx context.Context) (string, error) {
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		return "", fmt.Errorf("create an offer: %w", err)
	}
	return c.describe(ctx, offer)
}

// describe applies the local description and returns it with the addresses gathered within
// gatherLimit. A relay whose allocation takes longer is used anyway: the server learns its
// address from the first packet that it forwards (RFC 8445 §7.3.1.3).
func (c *Connection) describe(ctx context.Context, own webrtc.SessionDescription) (string, error) {
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(own); err != nil {
		return "", fmt.Errorf("apply the local description: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, gatherLimit)
	defer cancel()
	select {
	case <-gathered:
	case <-ctx.Done():
	}
	return c.pc.LocalDescription().SDP, nil
}

// Limits of the server's descriptions. Each candidate is an address that this computer sends
// to. maxCandidates applies to a connection: to all of its descriptions, and to the
// candidates that arrive separately.
const (
	maxSDPBytes   = 64 << 10
	maxCandidates = 32
)

// bounded returns a description without the candidates that exceed maxCandidates. The error
// is ErrAnswer. It refuses a CR that is not part of a line end (RFC 8866 §5): the parser
// takes it for a line end, so that a candidate after it would not be counted.
func (c *Connection) bounded(sdp string) (string, error) {
	if len(sdp) > maxSDPBytes {
		return "", fmt.Errorf("%w: %d bytes", ErrAnswer, len(sdp))
	}
	if strings.Count(sdp, "\r") != strings.Count(sdp, "\r\n") {
		return "", fmt.Errorf("%w: CR without LF", ErrAnswer)
	}
	var b strings.Builder
	for line := range strings.Lines(sdp) {
		if strings.HasPrefix(line, "a=candidate:") && !c.admit() {
			continue
		}
		b.WriteString(line)
	}
	return b.String(), nil
}

// admit counts a candidate of the server and reports whether it may be used.
func (c *Connection) admit() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.candidates == maxCandidates {
		return false
	}
	c.candidates++
	return true
}

// Answer applies the server's answer. The error is ErrAnswer.
func (c *Connection) Answer(sdp string) error {
	sdp, err := c.bounded(sdp)
	if err != nil {
		return err
	}
	err = c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: c.withhold(sdp)})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return nil
}

// Accept applies an offer of the server and returns the answer. The error is ErrAnswer
// if the offer cannot be used.
func (c *Connection) Accept(ctx context.Context, sdp string) (string, error) {
	sdp, err := c.bounded(sdp)
	if err != nil {
		return "", err
	}
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: c.withhold(sdp)}); err != nil {
		return "", fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return c.describe(ctx, answer)
}

// Candidate adds an address of the server that arrived separately. It ignores those that
// exceed maxCandidates.
func (c *Connection) Candidate(candidate string) {
	if c.admit() && !c.withheld(candidate) {
		c.add(candidate)
	}
}
