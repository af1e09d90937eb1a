package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

// Moment is something that happened on a machine, for a time axis.
type Moment struct {
	At time.Time // machine's clock
	// Lane is what it concerns.
	Lane Lane
	Kind report.HostEventKind
	// Program is the program concerned; "" for none.
	Program string
	// Bad means that it can end or disturb a call.
	Bad bool
}

// Lane is what moments concern.
type Lane string

// The lanes.
const (
	LaneNetwork Lane = "network"
	LaneDevice  Lane = "device"
	LaneProgram Lane = "program" // crashes of programs and of the system, sleep, load
)

// laneOf returns the lane of a kind of event, and whether it can disturb a call.
func laneOf(kind report.HostEventKind) (Lane, bool) {
	switch kind {
	case report.EventWiFiDropped, report.EventConnectionLost:
		return LaneNetwork, true
	case report.EventLinkChanged:
		return LaneNetwork, false
	case report.EventDeviceUnplugged, report.EventSoundCrashed:
		return LaneDevice, true
	case report.EventDeviceChanged:
		return LaneDevice, false
	case report.EventClientCrashed, report.EventClientHung, report.EventOutOfMemory, report.EventBluescreen, report.EventUnexpectedShutdown,
		report.EventGPUReset, report.EventSleep, report.EventOverloaded:
		return LaneProgram, true
	}
	return LaneProgram, false
}

// Moments returns the events of a report.
func Moments(r *report.Report) (all []Moment) {
	add := func(at time.Time, kind report.HostEventKind, program string) {
		lane, bad := laneOf(kind)
		all = append(all, Moment{At: at, Lane: lane, Kind: kind, Program: program, Bad: bad})
	}
	for _, p := range r.Probes {
		switch d := p.Data.(type) {
		case *report.HostCrash:
			if d != nil {
				for _, e := range d.Events {
					add(e.At, e.Kind, e.Program)
				}
			}
		case *report.HostHistory:
			if d != nil {
				add(d.At, d.Kind, "")
			}
		}
	}
	return all
}

// Snapshot contains the values that a check measured and that can change until the next one. A nil
// or empty value was not measured.
type Snapshot struct {
	Link       string   // kind of the connection
	VoiceDBFS  *float64 // level of the voice
	LevelBad   bool     // a cause says that the microphone is at fault
	LossPct    *float64 // the worse direction
	LossBad    bool     // a cause says that it disturbs
	RTTMS      *float64
	Microphone string
	Muted      *bool
}

// SnapshotOf returns the snapshot of a report.
func SnapshotOf(r *report.Report) (s Snapshot) {
	for _, p := range r.Probes {
		switch d := p.Data.(type) {
		case *report.AudioInput:
			if d != nil {
				s.VoiceDBFS, s.Microphone, s.Muted = d.ActiveLevelDBFS, d.Device, d.OSMuted
			}
		case *report.NetworkLink:
			if d != nil {
				s.Link = d.Kind
			}
		case *report.MediaVoice:
			if d != nil {
				s.RTTMS, s.LossPct = d.RTTP50MS, worse(d.UpLossPct, d.DownLossPct)
			}
		}
	}
	s.LevelBad = blames(r, report.ProbeAudioInput, "")
	s.LossBad = blames(r, report.ProbeMediaVoice, "_loss_pct")
	return s
}

// blames reports whether a cause that disturbs has evidence of a probe in a field with a suffix.
func blames(r *report.Report, probe, suffix string) bool {
	return slices.ContainsFunc(r.Causes, func(c report.Cause) bool {
		return c.Severity != report.SeverityInfo && slices.ContainsFunc(c.Evidence, func(e report.Evidence) bool {
			return e.Probe == probe && strings.HasSuffix(e.Field, suffix)
		})
	})
}

func worse(a, b *float64) *float64 {
	if a == nil || b != nil && *b > *a {
		return b
	}
	return a
}

// essential returns the probes that are required to know whether somebody will be heard.
func essential() []string {
	return []string{report.ProbeAudioInput, report.ProbeNetworkWeb, report.ProbeMediaVoice}
}

// Missing returns the essential probes that a report does not contain at all, and whether it
// contains no check of a conference system.
func Missing(r *report.Report) (probes []string, noConference bool) {
	for _, name := range essential() {
		if _, ok := r.Probe(name); !ok {
			probes = append(probes, name)
		}
	}
	return probes, !slices.ContainsFunc(r.Probes, func(p report.Result) bool {
		_, ok := p.Data.(*report.Conference)
		return ok
	})
}

// After returns s with the values of an earlier snapshot where s has none.
func (s Snapshot) After(earlier Snapshot) Snapshot {
	if s.Link == "" {
		s.Link = earlier.Link
	}
	if s.Microphone == "" {
		s.Microphone = earlier.Microphone
	}
	if s.Muted == nil {
		s.Muted = earlier.Muted
	}
	return s
}
