package recorder

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/tonprobe/tonprobe/probe/host/crash"
	"github.com/tonprobe/tonprobe/probe/report"
)

// Folder is the name of the recorder's folder in the data folder.
const Folder = "recorder"

// store keeps samples and events on disk. It is for one goroutine.
type store struct {
	samples, events *ring
	pending         []byte    // samples that are not yet written
	since           time.Time // of the first of them
}

// slotTime is the time between the first and the last sample of a full slot. Fewer samples are
// written after the same time.
const slotTime = (samplesPerSlot - 1) * Every

// openStore opens the store in a data folder. A *DamagedError comes with a usable store.
func openStore(data string) (*store, error) {
	dir := filepath.Join(data, Folder)
	samples, damaged := openRing(dir, sampleLayout)
	if samples == nil {
		return nil, damaged
	}
	events, err := openRing(dir, eventLayout)
	if events == nil {
		return nil, errors.Join(err, samples.close())
	}
	return &store{samples: samples, events: events, pending: make([]byte, 0, samplesPerSlot*sampleBytes)}, errors.Join(damaged, err)
}

// add keeps a sample. It is written with others, one minute at a time.
func (s *store) add(sample Sample) error {
	n := len(s.pending)
	if n == 0 {
		s.since = sample.At
	}
	s.pending = s.pending[:n+sampleBytes]
	sample.put(s.pending[n:])
	if len(s.pending) < cap(s.pending) && sample.At.Sub(s.since).Abs() < slotTime {
		return nil
	}
	return s.flush()
}

// flush writes the samples so far.
func (s *store) flush() error {
	if len(s.pending) == 0 {
		return nil
	}
	payload := s.pending
	s.pending = s.pending[:0]
	return s.samples.append(payload)
}

// addEvent writes an event at once, because the computer may be about to stop. It does not
// write the pending samples; see flush.
func (s *store) addEvent(e report.HostEvent) error {
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	return s.events.append(b)
}

func (s *store) close() error {
	return errors.Join(s.flush(), s.samples.close(), s.events.close())
}

// Samples reads the samples in a data folder, oldest first, at most those of the last
// minutes that the recorder keeps. A *DamagedError comes with the readable ones.
func Samples(data string) ([]Sample, error) {
	slots, err := readRing(filepath.Join(data, Folder), sampleLayout)
	var all []Sample
	for _, s := range slots {
		for b := s.payload; len(b) >= sampleBytes; b = b[sampleBytes:] {
			if sample, ok := parseSample(b); ok {
				all = append(all, sample)
			}
		}
	}
	return lastMinutes(all), err
}

// lastMinutes returns the samples of the last keptMinutes.
func lastMinutes(all []Sample) []Sample {
	const kept = keptMinutes * int(time.Minute/Every)
	return all[max(0, len(all)-kept):]
}

// Events reads the events in a data folder since a time, oldest first and each once. A
// *DamagedError comes with the readable ones.
func Events(data string, since time.Time) ([]report.HostEvent, error) {
	slots, err := readRing(filepath.Join(data, Folder), eventLayout)
	var all []report.HostEvent
	for _, s := range slots {
		var e report.HostEvent
		if json.Unmarshal(s.payload, &e) == nil && e.Valid() && !e.At.Before(since) {
			all = append(all, e)
		}
	}
	return crash.Merge(all), err
}
