package channel

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe/media/wire"
)

func TestPollPace(t *testing.T) {
	cut := errors.New("connection reset by peer")
	proxy := fmt.Errorf("%w: %w", ErrInvalidResponse, &collector.APIError{Status: http.StatusGatewayTimeout})
	type ending struct {
		took time.Duration // -1: to the end, with beats
		err  error         // nil: waited to the end
	}
	full, beaten := ending{}, ending{took: -1}
	const most = wire.MaxBeatenWait
	for name, c := range map[string]struct {
		endings []ending
		want    pollPace
	}{
		"long waits":                     {[]ending{full, full, full}, pollPace{maxPollWait, most}},
		"longer ones with beats":         {[]ending{beaten, beaten, beaten, beaten, beaten}, pollPace{most, most}},
		"beats no longer arrive":         {[]ending{beaten, beaten, beaten, beaten, beaten, full}, pollPace{maxPollWait, most}},
		"cut off after a minute":         {[]ending{full, {time.Minute, cut}}, pollPace{minPollWait, minPollWait}},
		"cut off once, then full waits":  {[]ending{full, {time.Minute, cut}, full, full}, pollPace{minPollWait, minPollWait}},
		"cut off after two minutes":      {[]ending{full, full, {2 * time.Minute, cut}, full}, pollPace{maxPollWait / 2, maxPollWait / 2}},
		"the connection failed at times": {[]ending{full, full, {10 * time.Second, cut}, full, full, {20 * time.Second, cut}, full, full}, pollPace{maxPollWait, most}},
		"the collector stopped":          {[]ending{full, {70 * time.Second, &collector.APIError{Status: 503, Code: "stopping"}}}, pollPace{minPollWait, most}},
		"the line was lost":              {[]ending{beaten, {100 * time.Second, fmt.Errorf("read: %w", errLineLost)}}, pollPace{minPollWait, most}},
		"a login page":                   {[]ending{full, {70 * time.Second, fmt.Errorf("%w: no messages", ErrInvalidResponse)}}, pollPace{minPollWait, most}},
		"a proxy of 50 s":                {[]ending{{50 * time.Second, proxy}, full}, pollPace{minPollWait / 2, minPollWait / 2}},
		"a proxy of 20 s":                {[]ending{{20 * time.Second, proxy}, {20 * time.Second, proxy}}, pollPace{leastPollWait, leastPollWait}},
		"server behind the proxy down":   {[]ending{{5 * time.Second, proxy}}, pollPace{minPollWait, most}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPollPace()
			for _, e := range c.endings {
				if e.err == nil {
					p.waited(e.took < 0)
				} else {
					p.failed(e.took, e.err)
				}
			}
			if p != c.want {
				t.Errorf("got %v, want %v", p, c.want)
			}
		})
	}
}

// TestPollPaceOfProxies takes the errors from responses.
func TestPollPaceOfProxies(t *testing.T) {
	for status, want := range map[int]time.Duration{http.StatusBadGateway: minPollWait / 2, http.StatusGatewayTimeout: minPollWait / 2, http.StatusForbidden: wire.MaxBeatenWait} {
		p := newPollPace()
		p.failed(50*time.Second, refusal(&http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("<html>"))}, time.Now()))
		if p.most != want {
			t.Errorf("status %d: got %v, want %v", status, p.most, want)
		}
	}
}

// TestPollPaceIsForgotten: after half an hour the computer may be on another network.
func TestPollPaceIsForgotten(t *testing.T) {
	c, e := pollingClient(t, http.NotFound)
	c.polls, c.pollUntil = pollPace{leastPollWait, leastPollWait}, time.Now()
	if err := c.pollAgain(t.Context(), e, e.Client()); err != nil || c.polls != newPollPace() {
		t.Errorf("got %v, %v, want %v", c.polls, err, newPollPace())
	}
}

func TestBeatPace(t *testing.T) {
	for name, c := range map[string]struct {
		lost []time.Duration
		want time.Duration
	}{
		"once":                    {[]time.Duration{30 * time.Second}, wire.BeatEvery},
		"a proxy of 30 s":         {[]time.Duration{30 * time.Second, 30 * time.Second}, leastBeatEvery},
		"a proxy of 25 s":         {[]time.Duration{25 * time.Second, 25 * time.Second, 25 * time.Second, 25 * time.Second}, leastBeatEvery},
		"sometimes":               {[]time.Duration{30 * time.Second, time.Hour, 30 * time.Second}, wire.BeatEvery},
		"too early for any beats": {[]time.Duration{10 * time.Second, 10 * time.Second, 10 * time.Second}, wire.BeatEvery},
	} {
		p := beatPace{every: wire.BeatEvery}
		for _, after := range c.lost {
			p.lost(after)
		}
		if p.every != c.want {
			t.Errorf("%s: got %v, want %v", name, p.every, c.want)
		}
	}
}
