package reflect

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/pion/webrtc/v4"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Offer opens an echo session for owner and answers its offer. The answer holds
// all candidates. The session ends by End, by its limits, or by Close.
//
// Faults: [ErrBadOffer] for an offer this echo has no use for, [ErrBusy] when
// owner or all together have too many sessions, [ErrClosed].
func (r *Reflector) Offer(ctx context.Context, owner, offerSDP string) (id, answerSDP string, err error) {
	o, err := parseOffer(offerSDP)
	if err != nil {
		r.count.refused.Add(1)
		return "", "", fmt.Errorf("%w: %w", ErrBadOffer, err)
	}
	s, err := r.admit(owner)
	if err != nil {
		return "", "", err
	}
	answer, err := s.answer(ctx, o)
	if err != nil {
		s.stop()
		r.forget(s)
		if errors.Is(err, ErrBadOffer) {
			r.count.refused.Add(1)
		}
		return "", "", err
	}
	r.count.started.Add(1)
	return s.id, withCandidates(answer, r.media.candidates(offersLoopback(offerSDP))), nil
}

// End ends a session and returns its log. It works once, also for a session
// that a limit has ended already, until Limits.KeepLog is over. [ErrNoSession]
// is also the answer for another owner's session.
func (r *Reflector) End(owner, id string) (wire.EchoLog, error) {
	r.mu.Lock()
	s, ok := r.sessions[id]
	if !ok || s.owner != owner {
		r.mu.Unlock()
		return wire.EchoLog{}, ErrNoSession
	}
	delete(r.sessions, id)
	r.mu.Unlock()
	log := s.log()
	s.stop()
	return log, nil
}

// admit takes a place for a session of owner and starts its goroutine.
func (r *Reflector) admit(owner string) (*session, error) {
	var raw [16]byte
	if _, err := io.ReadFull(r.cfg.Rand, raw[:]); err != nil {
		return nil, fmt.Errorf("draw a session id: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.cfg.Limits
	switch {
	case r.closed:
		return nil, ErrClosed
	case r.open >= l.Sessions:
		r.count.busy.Add(1)
		return nil, fmt.Errorf("%w: %d at once is the limit", ErrBusy, l.Sessions)
	case r.active[owner] >= l.SessionsPerOwner:
		r.count.busy.Add(1)
		return nil, fmt.Errorf("%w: %d at once is the limit for one agent", ErrBusy, l.SessionsPerOwner)
	}
	s := newSession(r, owner, hex.EncodeToString(raw[:]))
	r.sessions[s.id] = s
	r.open++
	r.active[owner]++
	r.work.Go(s.watch)
	return s, nil
}

// release gives the place back; the log stays.
func (r *Reflector) release(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	if r.active[s.owner]--; r.active[s.owner] == 0 {
		delete(r.active, s.owner)
	}
}

// forget drops the log too.
func (r *Reflector) forget(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, s.id)
}

// answer sets up the WebRTC side of a session.
func (s *session) answer(ctx context.Context, o offer) (string, error) {
	pc, err := s.r.api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{s.r.cert}})
	if err != nil {
		return "", fmt.Errorf("open an echo session: %w", err)
	}
	if !s.adopt(pc) {
		return "", ErrClosed
	}
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed || state == webrtc.PeerConnectionStateClosed {
			s.stop()
		}
	})
	pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { s.serve(t) })
	if _, err := pc.AddTrack(&s.track); err != nil {
		return "", fmt.Errorf("open an echo session: %w", err)
	}
	remote := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.sdp()}
	if err := pc.SetRemoteDescription(remote); err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadOffer, err)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadOffer, err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		return "", fmt.Errorf("%w: %w", ErrBadOffer, err)
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", fmt.Errorf("answer an offer: %w", ctx.Err())
	case <-s.stopped:
		return "", ErrClosed
	}
	return pc.LocalDescription().SDP, nil
}
