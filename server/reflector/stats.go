package reflector

import "sync/atomic"

// Stats are counters since the start, except for values marked "now".
type Stats struct {
	SessionsOpen     int   // now
	SessionsStarted  int64 // offers answered
	OffersRefused    int64 // invalid offers
	OffersBusy       int64 // rejected by a limit
	PacketsEchoed    int64
	PacketsForeign   int64 // not the payload of this program, or above the rate limit
	PacketsFailed    int64 // the echo could not be sent
	RelaysOpen       int64 // now; TURN allocations
	RelaysRefused    int64 // rejected by a quota
	RelayDropped     int64 // packets to or from anything but the media port
	AnswersLimited   int64 // STUN and TURN requests above the rate limit for unauthenticated requests
	CredentialsWrong int64 // TURN requests with wrong or expired credentials
}

type counters struct {
	started, refused, busy                         atomic.Int64
	echoed, foreign, failed                        atomic.Int64
	relaysOpen, relaysRefused, relayDropped, wrong atomic.Int64
	limited                                        atomic.Int64
}

// Stats returns the current counters.
func (r *Reflector) Stats() Stats {
	r.mu.Lock()
	open := r.open
	r.mu.Unlock()
	c := &r.count
	return Stats{
		SessionsOpen:    open,
		SessionsStarted: c.started.Load(), OffersRefused: c.refused.Load(), OffersBusy: c.busy.Load(),
		PacketsEchoed: c.echoed.Load(), PacketsForeign: c.foreign.Load(), PacketsFailed: c.failed.Load(),
		RelaysOpen: c.relaysOpen.Load(), RelaysRefused: c.relaysRefused.Load(),
		RelayDropped: c.relayDropped.Load(), AnswersLimited: c.limited.Load(), CredentialsWrong: c.wrong.Load(),
	}
}
