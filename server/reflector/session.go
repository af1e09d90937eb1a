package reflector

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/media/wire/pionlog"
)

// session is the echo of one stream: its credentials, paths and duration.
type session struct {
	r          *Reflector
	id, owner  string
	offer      offer
	ufrag, pwd string // ours
	ssrc       uint32 // of the downstream
	keying     *keying
	over       context.Context // done when the media must end
	stop       func()          // ends the media; watch does the rest
	lastNS     atomic.Int64    // time of the last upstream packet; 0 before the first

	mu    sync.Mutex
	ended bool // no path may be added
	paths []*path
	keys  *keys   // nil until the handshake is complete
	early []early // arrived before the keys, or before those packets were answered
	// catchingUp means that useKeys is answering the packets in early.
	catchingUp bool
	upSSRC     uint32 // 0 until known
	seen       [maxSeq / 64]uint64
	unique     int
	arrivals   []wire.Arrival
	// turnaround is indexed by the number of the downstream packet, in ns.
	turnaround []int64
	unlisted   int
	lastIn     int64  // time of the last arrival
	sent       uint32 // downstream packets
	failed     int
	allow      allowance
}

func newSession(r *Reflector, owner, id string) *session {
	s := &session{
		r: r, owner: owner, id: id,
		arrivals: make([]wire.Arrival, 0, 320), turnaround: make([]int64, 0, 320), // slightly more than 6 s
		allow: newAllowance(r.cfg.Limits.PacketsPerSecond, r.cfg.Limits.PacketBurst),
	}
	s.over, s.stop = context.WithCancel(context.Background())
	s.keying = newKeying(func() { r.work.Go(s.agreeOnKeys) })
	return s
}

// watch runs during the session. It enforces the limits, closes the paths at the end, and
// keeps the log for a while.
func (s *session) watch() {
	s.waitForEnd()
	s.stop()
	s.r.media.leave(s)
	s.mu.Lock()
	s.ended = true
	paths := s.paths
	s.paths, s.early = nil, nil
	s.mu.Unlock()
	s.keying.start.Do(func() {}) // prevents a later handshake
	_ = s.keying.Close()
	for _, p := range paths {
		p.close()
	}
	s.r.release(s)
	time.AfterFunc(s.r.cfg.Limits.KeepLog, func() { s.r.forget(s) })
}

func (s *session) waitForEnd() {
	l := s.r.cfg.Limits
	end := time.NewTimer(l.MaxDuration)
	defer end.Stop()
	tick := time.NewTicker(min(l.ConnectTimeout, l.IdleTimeout) / 4)
	defer tick.Stop()
	start := s.r.sinceNS()
	for {
		select {
		case <-s.over.Done():
			return
		case <-end.C:
			return
		case <-tick.C:
			silentSince, limit := s.lastNS.Load(), l.IdleTimeout
			if silentSince == 0 {
				silentSince, limit = start, l.ConnectTimeout
			}
			if s.r.sinceNS()-silentSince > int64(limit) {
				return
			}
		}
	}
}

// addPath stores a verified path, unless the session has ended or has too many.
func (s *session) addPath(p *path) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(s.paths) == maxPaths {
		return false
	}
	s.paths = append(s.paths, p)
	return true
}

// checked processes an answered connectivity check.
func (s *session) checked(p *path, nominated bool) {
	if nominated {
		s.keying.nominate(p)
	}
}

// agreeOnKeys performs the handshake and then waits for the client's close_notify.
func (s *session) agreeOnKeys() {
	defer s.stop()
	conn, err := s.keying.handshake(s.over, s.r.cert, s.offer, pionlog.To{Log: s.r.cfg.Log})
	if conn != nil {
		defer conn.Close()
	}
	if err != nil {
		s.r.cfg.Log.Debug("an echo session got no keys", "err", err)
		return
	}
	k, err := keysOf(conn, s.offer.weAreClient())
	if err != nil {
		s.r.cfg.Log.Debug("an echo session got no keys", "err", err)
		return
	}
	s.useKeys(k)
	buf := make([]byte, 256)
	for { // no data is expected; the error is the client's close_notify, or our own end
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}
