package tui

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// TestOwnPageByKey: one key shows where the participant sees what is stored about them, before and after a check.
func TestOwnPageByKey(t *testing.T) {
	var fail error
	with := func(o *Options) {
		o.OwnPage = func(context.Context) (OwnPage, error) {
			return OwnPage{Link: "https://ton.example/mine#7KQ2", Address: "https://ton.example/mine", Code: "7KQ2"}, fail
		}
	}
	flat := func(s *stand) string { return strings.Join(strings.Fields(ansi.Strip(s.View())), " ") }
	wanted := []string{"https://ton.example/mine#7KQ2", "Oder öffnen Sie https://ton.example/mine und geben Sie diesen Code ein: 7KQ2", "nur einmal"}
	for name, prepare := range map[string]func(s *stand) *stand{
		"welcome": func(s *stand) *stand { return s },
		"details": func(s *stand) *stand { s = s.answered(finished(t, nil), DeliverySent); s.press("d"); return s },
	} {
		s := prepare(newStand(t, phrase.DE, false, with))
		before := flat(s)
		if !strings.Contains(before, "[e] eigene Daten") {
			t.Errorf("%s: the key is not shown:\n%s", name, s.View())
		}
		if s.press("e"); s.last == nil || !strings.Contains(flat(s), "wird geholt") {
			t.Fatalf("%s: the key has no effect:\n%s", name, s.View())
		}
		s.send(s.last())
		for _, want := range wanted {
			if !strings.Contains(flat(s), want) {
				t.Errorf("%s: got\n%s\nwant %q", name, s.View(), want)
			}
		}
		if s.press("esc"); flat(s) != before {
			t.Errorf("%s: got\n%s\nwant the page before", name, s.View())
		}
	}
	out, _, err := recital(t, phrase.DE, "\n\ne\n\n", with, finished(t, nil), silentMicrophone)
	for _, want := range append(wanted, "geben Sie „e“ ein") {
		if err != nil || !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("plain mode: error %v, want %q:\n%s", err, want, out)
		}
	}
	fail = errors.New("no connection")
	s := newStand(t, phrase.DE, false, with)
	s.press("e")
	if s.send(s.last()); !strings.Contains(flat(s), "no connection") {
		t.Errorf("got\n%s\nwant the reason", s.View())
	}
	s = newStand(t, phrase.DE, false, func(o *Options) { with(o); o.Enrolled = func() bool { return false } })
	if s.press("e"); s.last != nil || strings.Contains(s.View(), "eigene Daten") {
		t.Errorf("offered without a participant:\n%s", s.View())
	}
}

// TestOldAnswerForTheOwnPage: a code works once, so an answer to an earlier press of the key must not replace the
// newer one, nor appear after a check that phone support has requested.
func TestOldAnswerForTheOwnPage(t *testing.T) {
	asked := 0
	s := newStand(t, phrase.DE, false, func(o *Options) {
		o.OwnPage = func(context.Context) (OwnPage, error) {
			asked++
			return OwnPage{Link: "https://ton.example/mine", Address: "https://ton.example/mine", Code: strings.Repeat("7", asked) + "KQ2"}, nil
		}
	})
	s.press("e")
	first := s.last()
	s.press("esc", "e")
	second := s.last()
	s.send(second)
	if s.send(first); !strings.Contains(s.View(), "77KQ2") {
		t.Errorf("got\n%s\nwant the second code", s.View())
	}
	s.model, _ = s.model.startCheck()
	if s.model.own != nil {
		t.Error("the page is shown again after the check")
	}
}
