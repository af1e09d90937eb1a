package page

import (
	"time"

	"github.com/tonprobe/tonprobe/tui/words"
)

// DisturbanceState is what happened to the report of a disturbance in a session.
type DisturbanceState string

// The states of a report. A report that failed is not sent again later.
const (
	DisturbanceOffered   DisturbanceState = "offered"
	DisturbanceSending   DisturbanceState = "sending"
	DisturbanceRecorded  DisturbanceState = "recorded"
	DisturbanceNoSession DisturbanceState = "no_session"
	DisturbanceClosed    DisturbanceState = "closed"
	DisturbanceFailed    DisturbanceState = "failed" // nothing was recorded
	DisturbanceUnsure    DisturbanceState = "unsure" // it is not known whether it was recorded
)

// Disturbance is the offer to report a disturbance in a session. The zero value offers nothing.
type Disturbance struct {
	State DisturbanceState
	At    time.Time // time of the record, with DisturbanceRecorded
	Phone string    // phone number of support; "" if unknown
}

// Offered reports whether the key has an effect.
func (d Disturbance) Offered() bool { return d.State != "" && d.State != DisturbanceSending }

// Sentence returns the offer or the result.
func (d Disturbance) Sentence(w words.Words) string {
	text := ""
	switch d.State {
	case "":
		return ""
	case DisturbanceRecorded:
		text = w.T("disturbance.recorded", "at", d.At.Local().Format("15:04:05"))
	default:
		text = w.T("disturbance." + string(d.State))
	}
	if d.Phone != "" && (d.State == DisturbanceClosed || d.State == DisturbanceFailed || d.State == DisturbanceUnsure) {
		text += " " + w.T("verdict.phone", "number", d.Phone)
	}
	return text
}

// block returns the disturbance as a part of a page.
func (d Disturbance) block(s Sheet) Block {
	text := d.Sentence(s.Words)
	if text == "" {
		return Block{}
	}
	style := s.Style.Text
	if d.State != DisturbanceOffered {
		style = s.Style.Strong
	}
	return Block{Text: style.Render(wrap(text, s.content())), Pin: d.State != DisturbanceOffered}
}
