package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

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

func (s *streamed) measurement() (judge.Measurement, error) {
	m := judge.Measurement{Path: s.Path, Stopped: s.Stopped, Stream: judge.Recording{
		WaitedNS: nanoseconds(s.WaitedMS), Payload: s.Payload, Complete: s.Complete, AllBack: s.AllBack, Sends: s.schedule()}}
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

// schedule returns the sends. Their schedule is the clock of the browser's encoder. It has no
// known start, and half of the packets count as on time: a browser that hands over two packets at
// a time is usual.
func (s *streamed) schedule() []stats.Send {
	if len(s.Sends) == 0 {
		return nil
	}
	var late []float64
	for _, one := range s.Sends {
		late = append(late, one.SentMS-one.EncodedMS)
	}
	slices.Sort(late)
	start := late[len(late)/2]
	var sends []stats.Send
	for _, one := range s.Sends {
		sends = append(sends, stats.Send{PlannedNS: nanoseconds(one.EncodedMS + start), SentNS: nanoseconds(one.SentMS)})
	}
	return sends
}

func nanoseconds(ms float64) int64 { return int64(ms * 1e6) }
