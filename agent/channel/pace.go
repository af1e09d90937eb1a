package channel

import (
	"errors"
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

const (
	// minPollWait is less than the 60 s after which many proxies end a request. Longer
	// waits cause less traffic, so the wait doubles after each one that succeeds: 1.2 kB
	// per poll are 1.9 MB a day at 55 s, and 0.5 MB at 220 s. Where the collector's beats arrive, it is
	// wire.MaxBeatenWait: 0.1 MB, and 0.3 MB for the beats.
	minPollWait = 55 * time.Second
	maxPollWait = 220 * time.Second
	// leastPollWait is for proxies that wait less than minPollWait, such as one with HAProxy's
	// "timeout server 50s".
	leastPollWait = 15 * time.Second

	// beatsPerPing is the number of beats of which one is a ping. A beat and its acknowledgement
	// take 134 bytes over IPv4, a ping, its answer and the acknowledgement 212: 0.33 MB a day. A
	// ping also notices a line that was lost beyond a proxy, which acknowledges the beats.
	beatsPerPing = 7
	// leastBeatEvery is for proxies that close a connection sooner than after wire.BeatEvery.
	leastBeatEvery = 20 * time.Second
)

// pollPace determines how long polls wait.
type pollPace struct {
	next time.Duration
	most time.Duration // the longest wait that the proxies on the path seem to permit
}

func newPollPace() pollPace { return pollPace{next: minPollWait, most: wire.MaxBeatenWait} }

// waited records that the collector answered at the end of the wait. beaten means that beats have
// arrived meanwhile; without them a lost line would be noticed at the end of a wait only.
func (p *pollPace) waited(beaten bool) {
	most := p.most
	if !beaten {
		most = min(most, maxPollWait)
	}
	p.next = min(2*p.next, most)
}

// failed records that a poll failed after some time. Only an interrupted wait is evidence
// about the proxies; the collector itself ends waits when it stops, and a line may be lost at any time.
func (p *pollPace) failed(took time.Duration, err error) {
	answer, answered := errors.AsType[*collector.APIError](err)
	switch {
	case answered && answer.Code == "" && (answer.Status == http.StatusBadGateway || answer.Status == http.StatusGatewayTimeout):
		if took >= leastPollWait {
			p.most = max(p.next/2, leastPollWait)
		}
	case !answered && !errors.Is(err, ErrInvalidResponse) && !errors.Is(err, errLineLost) && took > minPollWait:
		p.most = max(p.next/2, minPollWait)
	}
	p.next = min(minPollWait, p.most)
}

// beatPace determines how often beats are sent over a WebSocket.
type beatPace struct {
	every time.Duration
	early int // consecutive connections that were lost before their first beat
}

// lost records that a connection ended after some time without a close message of the
// collector. Two consecutive connections that ended before their first beat are no
// coincidence.
func (p *beatPace) lost(after time.Duration) {
	if after < leastBeatEvery || after >= p.every {
		p.early = 0
		return
	}
	if p.early++; p.early >= 2 {
		p.every, p.early = max(p.every/2, leastBeatEvery), 0
	}
}
