package tui

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

func TestReportingADisturbanceByKey(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"recorded":   {nil, "Ihre Störung ist gemeldet:"},
		"no session": {ErrNoSession, "Gerade läuft keine Sitzung"},
		"closed":     {ErrRecordClosed, "schon abgeschlossen"},
		"offline":    {ErrNotReported, "wird auch nicht später gesendet. Bitte rufen Sie an. Telefon-Hilfe: 0228 123"},
		"timeout":    {context.DeadlineExceeded, "Wir wissen nicht, ob die Meldung angekommen ist. Bitte rufen Sie an. Telefon-Hilfe: 0228 123"},
	} {
		sent := 0
		with := func(o *Options) {
			o.Phone = func() string { return "0228 123" }
			o.InSession = func(time.Time) bool { return true }
			o.ReportDisturbance = func(context.Context) (time.Time, error) { sent++; return noon, c.err }
		}
		flat := func(s *stand) string { return strings.Join(strings.Fields(ansi.Strip(s.View())), " ") }
		s := newStand(t, phrase.DE, false, with)
		if !strings.Contains(flat(s), "melden Sie die Störung sofort") {
			t.Errorf("%s: no offer on the first page:\n%s", name, s.View())
		}
		s = s.answered(finished(t, nil), DeliverySent)
		s.press("s")
		if s.last == nil || !strings.Contains(flat(s), "Die Störung wird gemeldet") {
			t.Fatalf("%s: the key has no effect:\n%s", name, s.View())
		}
		result := s.last
		if s.press("s"); s.last != nil && sent > 0 {
			t.Errorf("%s: sent again while it is being sent", name)
		}
		s.send(result())
		if sent != 1 || !strings.Contains(flat(s), c.want) {
			t.Errorf("%s: sent %d times, want once and %q:\n%s", name, sent, c.want, s.View())
		}
		out, _, err := recital(t, phrase.DE, "\n\ns\n\n", with, finished(t, nil), silentMicrophone)
		if err != nil || sent != 2 || !strings.Contains(strings.Join(strings.Fields(out), " "), c.want) {
			t.Errorf("%s, plain mode: sent %d times, error %v; want 2, nil and %q:\n%s", name, sent, err, c.want, out)
		}
	}
}

// TestNoDisturbanceWithoutASession: without a session the key has no effect.
func TestNoDisturbanceWithoutASession(t *testing.T) {
	with := func(o *Options) {
		o.InSession = func(time.Time) bool { return false }
		o.ReportDisturbance = func(context.Context) (time.Time, error) { return noon, nil }
	}
	for _, change := range []func(*Options){with, func(*Options) {}} {
		s := newStand(t, phrase.DE, false, change).answered(finished(t, nil), DeliverySent)
		if s.press("s"); s.last != nil || strings.Contains(s.View(), "Störung") {
			t.Errorf("offered without a session:\n%s", s.View())
		}
	}
}
