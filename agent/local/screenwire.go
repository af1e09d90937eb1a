package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
)

// pathScreen is where a program registers as a screen, over a WebSocket.
const pathScreen = "/v1/screen"

// maxScreenBytes limits one message.
const maxScreenBytes = 4 << 10

// ErrScreenMessage means that a message between the service and a screen is invalid.
var ErrScreenMessage = errors.New("invalid message of a screen")

// screenMessageType is the type of a screenMessage.
type screenMessageType string

const (
	// The service asks, and takes a request back that was withdrawn or has expired.
	screenAsk  screenMessageType = "ask"
	screenOver screenMessageType = "over"
	// The program answers, passes on the events of the check, and states its end.
	screenAnswer screenMessageType = "answer"
	screenEvent  screenMessageType = "event"
	screenDone   screenMessageType = "done"
)

// screenAnswerValue is a person's answer.
type screenAnswerValue string

const (
	answerYes    screenAnswerValue = "yes"
	answerAlways screenAnswerValue = "always"
	answerNo     screenAnswerValue = "no"
	answerBusy   screenAnswerValue = "busy"
)

// screenMessage is a message between the service and a screen. ID is that of the request.
type screenMessage struct {
	Type screenMessageType `json:"type"`
	ID   string            `json:"id"`

	// Of an ask. LeftMS is how long the request is valid.
	What   wire.RetestWhat `json:"what,omitempty"`
	By     string          `json:"by,omitempty"`
	LeftMS int64           `json:"left_ms,omitempty"`
	Agreed bool            `json:"agreed,omitempty"`

	Answer screenAnswerValue `json:"answer,omitempty"`

	// Of an event: Status is wire.StatusRunning or that of the result, for a progress; the levels
	// are set otherwise.
	Probe    string   `json:"probe,omitempty"`
	Status   string   `json:"status,omitempty"`
	RMSDBFS  *float64 `json:"rms_dbfs,omitempty"`
	PeakDBFS *float64 `json:"peak_dbfs,omitempty"`
	Speech   bool     `json:"speech,omitempty"`

	// ReportID of a done is "" if the person ended the check.
	ReportID string `json:"report_id,omitempty"`
}

var (
	patternRetestID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)
	patternProbe    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}(\.[a-z0-9_]{1,31})?$`)
)

// parseFromScreen parses a message of a program, which the service does not trust. The errors are
// ErrScreenMessage.
func parseFromScreen(b []byte) (screenMessage, error) {
	m, err := parseScreen(b)
	if err != nil {
		return m, err
	}
	valid := false
	switch m.Type {
	case screenAnswer:
		valid = slices.Contains([]screenAnswerValue{answerYes, answerAlways, answerNo, answerBusy}, m.Answer)
	case screenEvent:
		progress := m.Status == wire.StatusRunning || slices.Contains([]report.Status{report.StatusOK, report.StatusWarn, report.StatusFail, report.StatusUnknown, report.StatusSkipped}, report.Status(m.Status))
		level := m.Status == "" && m.RMSDBFS != nil && m.PeakDBFS != nil
		valid = patternProbe.MatchString(m.Probe) && (progress || level)
	case screenDone:
		valid = m.ReportID == "" || patternRetestID.MatchString(m.ReportID)
	}
	if !valid {
		return m, fmt.Errorf("%w: %s", ErrScreenMessage, report.CleanText(string(m.Type)))
	}
	return m, nil
}

// parseFromService parses a message of the service.
func parseFromService(b []byte) (screenMessage, error) {
	m, err := parseScreen(b)
	if err != nil {
		return m, err
	}
	full := m.What == wire.RetestFull
	valid := m.Type == screenOver ||
		m.Type == screenAsk && (full || m.What == wire.RetestNetwork) && m.LeftMS > 0 && m.LeftMS <= wire.MaxRetestTime.Milliseconds() && !(full && m.Agreed)
	if !valid {
		return m, fmt.Errorf("%w: %s", ErrScreenMessage, report.CleanText(string(m.Type)))
	}
	return m, nil
}

func parseScreen(b []byte) (m screenMessage, err error) {
	if len(b) > maxScreenBytes {
		return m, fmt.Errorf("%w: %d bytes, at most %d allowed", ErrScreenMessage, len(b), maxScreenBytes)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("%w: %w", ErrScreenMessage, err)
	}
	if !patternRetestID.MatchString(m.ID) {
		return m, fmt.Errorf("%w: invalid id", ErrScreenMessage)
	}
	return m, nil
}

// event returns the event of a check, as far as phone support is told about it.
func (m screenMessage) event() probe.Event {
	switch m.Status {
	case "":
		return probe.Event{Probe: m.Probe, Kind: probe.EventLevel, Level: probe.Level{RMSDBFS: *m.RMSDBFS, PeakDBFS: *m.PeakDBFS, Speech: m.Speech}}
	case wire.StatusRunning:
		return probe.Event{Probe: m.Probe, Kind: probe.EventStarted}
	}
	return probe.Event{Probe: m.Probe, Kind: probe.EventDone, Result: &report.Result{Status: report.Status(m.Status)}}
}

// eventMessage is the inverse of event. ok is false if phone support is not told about e.
func eventMessage(id string, e probe.Event) (m screenMessage, ok bool) {
	m = screenMessage{Type: screenEvent, ID: id, Probe: e.Probe}
	switch {
	case e.Kind == probe.EventStarted:
		m.Status = wire.StatusRunning
	case e.Kind == probe.EventDone && e.Result != nil:
		m.Status = string(e.Result.Status)
	case e.Kind == probe.EventLevel && e.Probe == report.ProbeAudioInput:
		m.RMSDBFS, m.PeakDBFS, m.Speech = finite(e.Level.RMSDBFS), finite(e.Level.PeakDBFS), e.Level.Speech
	default:
		return m, false
	}
	return m, true
}

// silenceDBFS replaces the level of digital silence, which JSON cannot represent.
const silenceDBFS = -200

func finite(dbfs float64) *float64 {
	if math.IsNaN(dbfs) {
		dbfs = silenceDBFS
	}
	return new(min(max(dbfs, silenceDBFS), -silenceDBFS))
}
