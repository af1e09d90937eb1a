package channel

import (
	"errors"
	"net/http"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
)

const (
	// minPollWait is less than the 60 s after which many proxies end a request. Longer
	// waits cause less traffic, so the wait doubles after each one that succeeds: 1.2 kB
	// per poll are 1.9 MB a day at 55 s, and 0.5 MB at 220 s.
	minPollWait = 55 * time.Second
	maxPollWait = 220 * time.Second
	// leastPollWait is for proxies that wait less than minPollWait, such as one with HAProxy's
	// "timeout server 50s".
	leastPollWait = 15 * time.Second

	// pingEvery is less than 60 s, after which many proxies close an idle connection. A ping, its
	// answer and their acknowledgements take about 250 bytes: 0.4 MB a day.
	pingEvery = 55 * time.Second
	// leastPingEvery is for proxies that close earlier.
	leastPingEvery = 20 * time.Second
)

// pollPace determines how long polls wait.
type pollPace struct {
	next time.Duration
	most time.Duration // the longest wait that the proxies on the path seem to permit
}

func newPollPace() pollPace { return pollPace{next: minPollWait, most: maxPollWait} }

// waited records that the collector answered at the end of the wait.
func (p *pollPace) waited() { p.next = min(2*p.next, p.most) }

// failed records that a poll failed after some time. Only an interrupted wait is evidence
// about the proxies; the collector itself ends waits when it stops.
func (p *pollPace) failed(took time.Duration, err error) {
	answer, answered := errors.AsType[*collector.APIError](err)
	switch {
	case answered && answer.Code == "" && (answer.Status == http.StatusBadGateway || answer.Status == http.StatusGatewayTimeout):
		if took >= leastPollWait {
			p.most = max(p.next/2, leastPollWait)
		}
	case !answered && !errors.Is(err, ErrInvalidResponse) && took > minPollWait:
		p.most = max(p.next/2, minPollWait)
	}
	p.next = min(minPollWait, p.most)
}

// pingPace determines how often a WebSocket is pinged.
type pingPace struct {
	every time.Duration
	early int // consecutive connections that were lost before their first ping
}

// lost records that a connection ended after some time without a close message of the
// collector. Two consecutive connections that ended before their first ping are no
// coincidence.
func (p *pingPace) lost(after time.Duration) {
	if after < leastPingEvery || after >= p.every {
		p.early = 0
		return
	}
	if p.early++; p.early >= 2 {
		p.every, p.early = max(p.every/2, leastPingEvery), 0
	}
}
