package web

import (
	"net/http"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/systemcode"
	"github.com/tonprobe/tonprobe/server/store"
)

// numberParam is the query parameter with the error number that a caller reads out.
const numberParam = "number"

// maxReadOutRunes limits the length of the error number.
const maxReadOutRunes = 60

// numberForm is the form for an error number that a caller reads out.
type numberForm struct {
	Action  string
	ReadOut string // as it was typed
	Alone   bool   // keeps aloneParam
	MaxLen  int
}

func newNumberForm(r *http.Request, action string) numberForm {
	q := r.URL.Query()
	return numberForm{Action: action, ReadOut: clean(q.Get(numberParam), maxReadOutRunes), Alone: q.Get(aloneParam) != "", MaxLen: maxReadOutRunes}
}

// numberAnswer is the explanation of an error number.
type numberAnswer struct {
	ReadOut string
	System  string // the common name of the system
	Unknown bool   // no number of the system is known
	// Number is "" if the text contains no number, Text if the system or number is unknown.
	Number, Text string
	Means, Older string
	Ask          string
	Area         string
	Code         systemcode.Code
	Weighed      *weighedNumber
}

// numberList contains the error numbers of a system.
type numberList struct {
	ID, System string
	Numbers    []numberEntry
}

// numberEntry is an error number in the list of a system.
type numberEntry struct{ Number, Text string }

// weighedNumber is the comparison of an error number with a participant's check.
type weighedNumber struct {
	State    state
	Text     string
	Version  string // of the conference server; "" if unknown
	Checked  *when
	Case     string
	Cause    *cause
	Evidence []evidence
	Steps    []step
	Probes   []string
}

// systemNames returns the common names of the systems.
func systemNames() map[string]string {
	return map[string]string{
		"bbb": "BigBlueButton", "zoom": "Zoom", "teams": "Microsoft Teams", "webex": "Webex", "jitsi": "Jitsi", "livekit": "LiveKit",
		"opentalk": "OpenTalk", "youtube": "YouTube", "janus": "Janus", "whip": "WHIP",
	}
}

// number explains an error number as a caller reads it out; nil if the text is empty. It does not
// compare it with a check.
func (v view) number(readOut string) *numberAnswer {
	if readOut == "" {
		return nil
	}
	system, number := systemcode.Parse(readOut)
	a := &numberAnswer{ReadOut: readOut, System: systemNames()[system], Number: number, Unknown: len(systemcode.Codes(system)) == 0}
	m, ok := systemcode.Lookup(system, number, v.lang)
	if !ok {
		return a
	}
	a.Code, a.Text, a.Means, a.Older, a.Ask, a.Area = m.Code, m.Text, m.Means, m.Older, m.Ask, v.area(m.Area)
	return a
}

// knownNumbers lists the error numbers of each system.
func (v view) knownNumbers() (list []numberList) {
	for _, system := range systemcode.Systems() {
		l := numberList{ID: system, System: systemNames()[system]}
		for _, c := range systemcode.Codes(system) {
			m, _ := systemcode.Lookup(system, c.Number, v.lang)
			l.Numbers = append(l.Numbers, numberEntry{strings.Join(append([]string{c.Number}, c.Aliases...), ", "), m.Text})
		}
		list = append(list, l)
	}
	return list
}

// weigh compares the number with a participant's check, which is nil if there is none.
func (v view) weigh(a *numberAnswer, stored *store.StoredReport) {
	if a == nil || a.Text == "" {
		return
	}
	measured := systemcode.Measured{}
	w := &weighedNumber{}
	if stored != nil {
		// A document of a newer version cannot be decoded, and is treated as missing.
		measured.Report, _ = v.terms.Probes().Decode(stored.Document)
		measured.Old = stored.CheckedAt.Before(v.since)
		w.Checked, w.Case = v.when(stored.CheckedAt), clean(stored.Case, 12)
	}
	f := systemcode.Weigh(a.Code, measured)
	w.State = state{Kind: map[systemcode.Answer]string{systemcode.Confirmed: "fail", systemcode.Refuted: "ok"}[f.Answer], Word: f.Word(v.lang)}
	if w.State.Kind == "" {
		w.State.Kind = "unknown"
	}
	w.Text, w.Version = f.Text(v.lang), clean(systemcode.Version(a.Code.System, measured.Report), maxNameRunes)
	if f.Cause.Code != "" {
		w.Cause = new(v.cause(f.Cause, diagnose.ProfileOf(measured.Report)))
	}
	w.Evidence = v.evidence(f.Evidence)
	w.Steps = v.steps(f.Steps)
	for _, name := range f.Probes {
		w.Probes = append(w.Probes, v.probe(name))
	}
	a.Weighed = w
}

// numbersPage is the content of the page of the error numbers.
type numbersPage struct {
	Form   numberForm
	Answer *numberAnswer
	Known  []numberList
}

// numbers explains an error number without a participant, or lists all.
func (s *site) numbers(w http.ResponseWriter, r *http.Request) error {
	v := s.view(r)
	body := numbersPage{Form: newNumberForm(r, numbersAddress)}
	if body.Answer = v.number(body.Form.ReadOut); body.Answer == nil || body.Answer.Text == "" {
		body.Known = v.knownNumbers()
	}
	s.show(w, r, page{Name: "numbers", Body: body})
	return nil
}

const numbersAddress = "/numbers"
