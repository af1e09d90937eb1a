package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/judge"
	"github.com/tonprobe/tonprobe/probe/media/stats"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// streamed is the voice stream as the page recorded it. All times are on one clock of the page.
type streamed struct {
	// Failure is set if there was no stream, Note is then the reason in the words of media.voice.
	// Note alone means that the browser cannot send one.
	Failure report.MediaState `json:"failure"`
	Note    string            `json:"note"`
	// Path is as report.MediaVoice.Path; DirectUDP too.
	Path      string   `json:"path"`
	DirectUDP *bool    `json:"direct_udp"`
	ICEMS     *float64 `json:"ice_ms"`
	DTLSMS    *float64 `json:"dtls_ms"`

	Sends    []sending       `json:"sends"` // by number
	Echoes   []echoed        `json:"echoes"`
	WaitedMS float64         `json:"waited_ms"` // end of the wait for the last echoes
	Payload  int             `json:"payload"`
	Complete bool            `json:"complete"`
	AllBack  bool            `json:"all_back"`
	Stopped  bool            `json:"stopped"` // the page was hidden, or the browser sent nothing
	Log      json.RawMessage `json:"log"`     // the reflector's wire.EchoLog; null if it gave none
}

// sending is a packet that was sent.
type sending struct {
	EncodedMS float64 `json:"encoded_ms"` // by the clock of the encoder, from any start
	SentMS    float64 `json:"sent_ms"`
}

// echoed is a packet that returned.
type echoed struct {
	Payload   string  `json:"payload"` // base64
	ArrivedMS float64 `json:"arrived_ms"`
}

// browserVoiceVersion is the version of media.voice.
const browserVoiceVersion = 1

func (s *streamed) result() report.Result {
	r := report.Result{Name: report.ProbeMediaVoice, Version: browserVoiceVersion, Status: report.StatusUnknown}
	if s == nil {
		r.Error = noteNotMeasured
		return r
	}
	if s.Failure == "" && s.Note != "" {
		r.Error = report.CleanText(s.Note)
		return r
	}
	if s.Failure != "" {
		r.Data = &report.MediaVoice{State: s.Failure, Path: s.Path, DirectUDP: s.DirectUDP, ICEMS: s.ICEMS}
		r.Error = report.CleanText(s.Note)
		if s.Failure == report.MediaICEFailed || s.Failure == report.MediaDTLSFailed {
			r.Status = report.StatusFail
		}
		return r
	}
	m, err := s.measurement()
	if err != nil {
		r.Error = report.CleanText(err.Error())
		return r
	}
	judged := judge.Voice(m)
	d := judged.Data.(*report.MediaVoice)
	d.ICEMS, d.DTLSMS, d.DirectUDP = s.ICEMS, s.DTLSMS, s.DirectUDP
	r.Status, r.Data = judged.Status, d
	if r.Status == report.StatusUnknown {
		r.Error = report.CleanText(judged.Note)
	}
	return r
}

// packetsAfter returns the number of packets of the stream. back contains, for each packet that was sent,
// 1 if its echo has arrived, and otherwise 0; it is empty before the start.
func packetsAfter(back string) int {
	arrived := make([]bool, len(back))
	for i := range back {
		arrived[i] = back[i] == '1'
	}
	length := judge.UsualStream
	if judge.InDoubt(arrived) {
		length = judge.LongestStream
	}
	return int(length / wire.PacketInterval)
}

func (s *streamed) measurement() (judge.Measurement, error) {
	sends, missed := s.schedule()
	m := judge.Measurement{Path: s.Path, Stopped: s.Stopped, Stream: judge.Recording{
		WaitedNS: nanoseconds(s.WaitedMS), Payload: s.Payload, Complete: s.Complete, AllBack: s.AllBack, Sends: sends, Missed: missed}}
	if len(m.Stream.Sends) == 0 || len(s.Sends) > wire.MaxArrivals || len(s.Echoes) > wire.MaxArrivals {
		return m, errors.New(noteNoPackets)
	}
	for _, e := range s.Echoes {
		raw, err := base64.StdEncoding.DecodeString(e.Payload)
		if err != nil {
			continue
		}
		// The echo of a number that was never sent is forged or from an earlier stream.
		if d, err := wire.ParseDown(raw); err == nil && int64(d.UpSeq) < int64(len(s.Sends)) {
			m.Stream.Echoes = append(m.Stream.Echoes, judge.Receipt{Down: d, ArrivedNS: nanoseconds(e.ArrivedMS)})
		}
	}
	log, err := wire.ParseEchoLog(s.Log)
	if err != nil {
		m.LogErr = err
		return m, nil
	}
	m.Log = *log
	return m, nil
}

// settled is the number of packets from which the pace of the encoder is determined: half a second.
const settled = 25

// schedule returns the sends and the number of packets that the encoder skipped. The encoder's clock
// has no known start and stops while the browser is busy; all later packets then appear late by the
// same amount. A packet's delay is therefore relative to the median of its neighbours: browsers often
// hand over two packets at a time.
func (s *streamed) schedule() (sends []stats.Send, missed int) {
	encoded := s.encoded()
	late := make([]float64, len(s.Sends))
	for i, one := range s.Sends {
		late[i] = one.SentMS - encoded[i]
	}
	for i, one := range s.Sends {
		usual := median(late[max(0, i-settled):min(len(late), i+settled+1)])
		sends = append(sends, stats.Send{PlannedNS: nanoseconds(encoded[i] + usual), SentNS: nanoseconds(one.SentMS)})
	}
	if len(late) > 2*settled {
		stood := median(late[len(late)-settled:]) - median(late[:settled])
		missed = max(0, int(math.Round(stood*1e6/float64(wire.PacketInterval))))
	}
	return sends, missed
}

// encoded returns the times of the packets by the encoder's clock. If that runs at another pace than all
// other clocks, the browser counts in another unit: then the packets follow at their interval.
func (s *streamed) encoded() []float64 {
	times := make([]float64, len(s.Sends))
	for i, one := range s.Sends {
		times[i] = one.EncodedMS
	}
	last := len(times) - 1
	if last <= 0 {
		return times
	}
	pace := (times[last] - times[0]) / (s.Sends[last].SentMS - s.Sends[0].SentMS)
	if !(pace > 0.5 && pace < 2) { // also if it is not a number
		for i := range times {
			times[i] = float64(i) * float64(wire.PacketInterval/time.Millisecond)
		}
	}
	return times
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func nanoseconds(ms float64) int64 { return int64(ms * 1e6) }
