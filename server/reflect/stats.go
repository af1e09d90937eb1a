package reflect

import "sync/atomic"

// Stats are figures since the start, except where they say "now".
type Stats struct {
	SessionsOpen     int   // now
	SessionsStarted  int64 // offers answered
	OffersRefused    int64 // bad offers
	OffersBusy       int64 // refused by a limit
	PacketsEchoed    int64
	PacketsForeign   int64 // not the payload of this program, or too many a second
	PacketsFailed    int64 // the own socket would not take the echo
	RelaysOpen       int64 // now; TURN allocations
	RelaysRefused    int64 // by a quota
	RelayDropped     int64 // packets to or from anything but the media port
	AnswersLimited   int64 // STUN and TURN requests beyond what a network may ask without proof
	CredentialsWrong int64 // TURN requests with bad or expired credentials
}

type counters struct {
	started, refused, busy                         atomic.Int64
	echoed, foreign, failed                        atomic.Int64
	relaysOpen, relaysRefused, relayDropped, wrong atomic.Int64
	limited                                        atomic.Int64
}

// Stats returns the present figures.
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
