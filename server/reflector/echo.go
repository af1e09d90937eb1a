package reflector

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// Offer opens an echo session for owner and answers its offer. The answer contains all
// candidates. The session ends with End, by its limits, or with Close.
//
// Errors: [ErrBadOffer] for an unsupported offer, [ErrBusy] if owner or all owners together
// have too many sessions, [ErrClosed].
func (r *Reflector) Offer(ctx context.Context, owner, offerSDP string) (id, answerSDP string, err error) {
	o, err := parseOffer(offerSDP)
	if err != nil {
		r.count.refused.Add(1)
		return "", "", fmt.Errorf("%w: %w", ErrBadOffer, err)
	}
	if err := ctx.Err(); err != nil {
		return "", "", fmt.Errorf("answer an offer: %w", err)
	}
	o.loopback = offersLoopback(offerSDP)
	s, err := r.admit(owner, o)
	if err != nil {
		return "", "", err
	}
	r.count.started.Add(1)
	return s.id, s.answerSDP(r.media.candidates(o.loopback)), nil
}

// End ends a session and returns its log. It succeeds once, also for a session that a limit
// has ended, for Limits.KeepLog afterwards. For a session of another owner it returns
// [ErrNoSession].
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
	log.AnsweredMS = r.self.ago(s.offer.loopback)
	return log, nil
}

// admit reserves a session for owner, makes it reachable and starts its goroutine.
func (r *Reflector) admit(owner string, o offer) (*session, error) {
	var raw [16 + 9 + 18 + 4]byte
	if _, err := io.ReadFull(r.cfg.Rand, raw[:]); err != nil {
		return nil, fmt.Errorf("generate a session id: %w", err)
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
	s := newSession(r, owner, hex.EncodeToString(raw[:16]))
	s.offer, s.upSSRC = o, o.ssrc
	// RFC 8445 §5.3: at least 24 random bits for the ufrag, 128 for the password.
	s.ufrag, s.pwd = iceChars.EncodeToString(raw[16:25]), iceChars.EncodeToString(raw[25:43])
	s.ssrc = binary.BigEndian.Uint32(raw[43:])
	r.media.enter(s)
	r.sessions[s.id] = s
	r.open++
	r.openNow.Store(int32(r.open))
	r.active[owner]++
	r.work.Go(s.watch)
	return s, nil
}

// iceChars are the ice-chars of RFC 8839 §5.4.
var iceChars = base64.RawStdEncoding

// release frees the reservation; the log remains.
func (r *Reflector) release(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	r.openNow.Store(int32(r.open))
	if r.active[s.owner]--; r.active[s.owner] == 0 {
		delete(r.active, s.owner)
	}
}

// forget removes the log.
func (r *Reflector) forget(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, s.id)
}
