package recorder

import (
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

const (
	// keptMinutes is the period that the flight recorder keeps, and that the summary in a
	// report covers.
	keptMinutes = 10
	// Limits of the single samples around an event that a report contains.
	secondsBefore = 30 * time.Second
	secondsAfter  = 90 * time.Second
	maxSeconds    = 64
)

// History summarises samples around an event for a report.
func History(samples []Sample, e report.HostEvent, suppressed int) *report.HostHistory {
	h := &report.HostHistory{At: e.At, Kind: e.Kind, Minutes: []report.HostMinute{}, Seconds: []report.HostSecond{}}
	if suppressed > 0 {
		h.Suppressed = &suppressed
	}
	for _, minute := range byMinute(samples) {
		h.Minutes = append(h.Minutes, summary(minute))
	}
	if over := len(h.Minutes) - (keptMinutes + 1); over > 0 {
		h.Minutes = h.Minutes[over:]
	}
	for _, s := range samples {
		if d := s.At.Sub(e.At); d >= -secondsBefore && d <= secondsAfter && len(h.Seconds) < maxSeconds {
			h.Seconds = append(h.Seconds, second(s))
		}
	}
	return h
}

// byMinute groups samples, which are in the order in which they were taken. After the
// clock was set back, a minute may occur twice.
func byMinute(samples []Sample) (minutes [][]Sample) {
	var last time.Time
	for _, s := range samples {
		at := s.At.Truncate(time.Minute)
		if len(minutes) == 0 || !at.Equal(last) {
			minutes = append(minutes, nil)
		}
		minutes[len(minutes)-1], last = append(minutes[len(minutes)-1], s), at
	}
	return minutes
}

func summary(minute []Sample) report.HostMinute {
	end := minute[len(minute)-1]
	m := report.HostMinute{
		At: minute[0].At.Truncate(time.Minute), Samples: new(len(minute)), Link: end.Link, Muted: end.Muted,
	}
	away := 0
	for _, s := range minute {
		if s.Link == "none" {
			away++
		}
		m.SignalDBM = worse(m.SignalDBM, s.SignalDBM, false)
		m.CPUPct = worse(m.CPUPct, s.CPUPct, true)
		m.MemoryFreeMB = worse(m.MemoryFreeMB, s.MemoryFreeMB, false)
		if s.InUse != nil && (m.InUse == nil || *s.InUse) {
			m.InUse = s.InUse
		}
		if len(s.Programs) > 0 && m.Program == "" {
			m.Program = s.Programs[0]
		}
	}
	if away > 0 {
		m.AwayS = new((time.Duration(away) * Every).Seconds())
	}
	m.GatewayRTTMS, m.GatewayLossPct = ofEchoes(minute, func(s Sample) Echo { return s.Gateway })
	m.ServerRTTMS, m.ServerLossPct = ofEchoes(minute, func(s Sample) Echo { return s.Server })
	return m
}

// ofEchoes returns the median round trip and the loss.
func ofEchoes(minute []Sample, of func(Sample) Echo) (rttMS, lossPct *float64) {
	var rtts []time.Duration
	asked := 0
	for _, s := range minute {
		e := of(s)
		if !e.Asked {
			continue
		}
		asked++
		if e.Answered {
			rtts = append(rtts, e.RTT)
		}
	}
	if asked == 0 {
		return nil, nil
	}
	if slices.Sort(rtts); len(rtts) > 0 {
		rttMS = report.Milliseconds(rtts[len(rtts)/2])
	}
	return rttMS, new(100 * float64(asked-len(rtts)) / float64(asked))
}

func worse(a, b *float64, high bool) *float64 {
	switch {
	case b == nil:
		return a
	case a == nil, high && *b > *a, !high && *b < *a:
		return b
	}
	return a
}

func second(s Sample) report.HostSecond {
	d := report.HostSecond{At: s.At, Link: s.Link, SignalDBM: s.SignalDBM, CPUPct: s.CPUPct, MemoryFreeMB: s.MemoryFreeMB}
	d.GatewayLost, d.GatewayRTTMS = echoResult(s.Gateway)
	d.ServerLost, d.ServerRTTMS = echoResult(s.Server)
	return d
}

func echoResult(e Echo) (lost *bool, rttMS *float64) {
	if !e.Asked {
		return nil, nil
	}
	if e.Answered {
		rttMS = report.Milliseconds(e.RTT)
	}
	return new(!e.Answered), rttMS
}
