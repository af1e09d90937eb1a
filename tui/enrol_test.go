package tui

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

var (
	invitationLink = "tonprobe://enroll?tonprobe.musterstadt.de:8443/K7P3-QX9A-2M4B/" + strings.Repeat("n4bQ", 10) + "abc"
	errWrongCode   = errors.New("wrong code")
)

// offersEnrolment simulates a computer that is not enrolled. Only one code is
// valid, and it needs an address; a link must be complete.
func offersEnrolment(o *Options) {
	o.Consent.Recipient = ""
	o.Explain = func(err error) (string, bool) {
		if o.Lang == phrase.EN {
			return "the code is wrong, already used or expired. Please check it.", true
		}
		return "der Code ist falsch, schon benutzt oder abgelaufen. Bitte prüfen Sie ihn.", true
	}
	o.Enrol = func(_ context.Context, text, address string) (Enrolled, error) {
		whole := strings.Join(strings.Fields(text), "")
		switch {
		case strings.HasPrefix(whole, "tonprobe:") && whole != invitationLink:
			return Enrolled{}, ErrIncomplete
		case whole == invitationLink:
		case !strings.EqualFold(whole, "k7p3-qx9a-2m4b"):
			return Enrolled{}, errWrongCode
		case address == "":
			return Enrolled{}, ErrNoAddress
		}
		return Enrolled{Recipient: "tonprobe.musterstadt.de", Participant: "Anna Beispiel"}, nil
	}
}

// paste sends text as a terminal with bracketed paste does.
func (s *stand) paste(text string) *stand {
	return s.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text), Paste: true})
}

// enter presses Enter and waits for the collector's response.
func (s *stand) enter() *stand {
	s.press("enter")
	if s.last == nil {
		return s
	}
	return s.send(s.last())
}

func TestEnrolByKeys(t *testing.T) {
	for name, c := range map[string]struct {
		play func(*stand)
		want stage
		busy bool
	}{
		"code and address":     {func(s *stand) { s.press("k7p3-qx9a-2m4b").enter().press("tonprobe.musterstadt.de").enter() }, welcoming, false},
		"link":                 {func(s *stand) { s.paste(invitationLink).enter() }, welcoming, false},
		"wrapped link":         {func(s *stand) { s.paste(invitationLink[:70] + "\r\n  " + invitationLink[70:]).enter() }, welcoming, false},
		"link line by line":    {func(s *stand) { s.press(invitationLink[:70]).enter().press(invitationLink[70:]).enter() }, welcoming, false},
		"letters of all keys":  {func(s *stand) { s.press("qQcCdDrRwWlL") }, enrolling, false},
		"wrong, then right":    {func(s *stand) { s.press("k7p3").enter().press("-qx9a-2m4b").enter().press("a.de").enter() }, welcoming, false},
		"mistyped and erased":  {func(s *stand) { s.press("k7p3-qx9a-2m4c", "backspace", "b").enter().press("a.de").enter() }, welcoming, false},
		"skipped":              {func(s *stand) { s.press("esc") }, welcoming, false},
		"skipped and back":     {func(s *stand) { s.press("esc", "c") }, enrolling, false},
		"nothing typed":        {func(s *stand) { s.enter() }, enrolling, false},
		"no key but quit ends": {func(s *stand) { s.press("k7p3", "enter", "enter", "esc") }, enrolling, true},
		"address, then back":   {func(s *stand) { s.press("k7p3-qx9a-2m4b").enter().press("esc") }, enrolling, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, phrase.DE, false, offersEnrolment)
			c.play(s)
			if s.stage != c.want || s.enrol.Busy != c.busy {
				t.Errorf("got stage %d, busy %v; want %d, %v:\n%s", s.stage, s.enrol.Busy, c.want, c.busy, s.View())
			}
			if c.want == welcoming && !strings.HasPrefix(name, "skipped") && !strings.Contains(s.View(), "Anna Beispiel") {
				t.Errorf("the computer was not enrolled:\n%s", s.View())
			}
		})
	}
}

func TestEnrolledComputerIsNotAsked(t *testing.T) {
	if s := newStand(t, phrase.DE, false, nil); s.stage != welcoming || strings.Contains(s.View(), "Code eingeben") {
		t.Errorf("an enrolled computer was asked:\n%s", s.View())
	}
	s := newStand(t, phrase.DE, false, func(o *Options) { offersEnrolment(o); o.Agreed = true })
	if s.stage == enrolling {
		t.Error("got a question for a code with --yes")
	}
}

func TestEnrolInPlainMode(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		said []string
		not  string
	}{
		"skipped":      {"\nnein\n", []string{"ohne Code weiter", "niemand bekommt einen Bericht", "Hört man mich?"}, "Anna"},
		"code":         {"k7p3-qx9a-2m4b\na.de\nnein\n", []string{"Adresse des Prüf-Servers", "für Anna Beispiel eingerichtet", "tonprobe.musterstadt.de"}, "noch einmal ein"},
		"link":         {invitationLink + "\nnein\n", []string{"für Anna Beispiel eingerichtet"}, "Adresse des"},
		"wrapped link": {invitationLink[:70] + "\n" + invitationLink[70:] + "\nnein\n", []string{"für Anna Beispiel eingerichtet"}, "Adresse des"},
		"wrong":        {"abc\nk7p3-qx9a-2m4b\na.de\nnein\n", []string{"Der Code ist falsch", "noch einmal ein", "für Anna Beispiel eingerichtet"}, ""},
		"end of input": {"", []string{"ohne Code weiter"}, "Anna"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := recital(t, phrase.DE, c.in, offersEnrolment, nil, nil)
			if !errors.Is(err, ErrQuit) {
				t.Errorf("got error %v, want %v", err, ErrQuit)
			}
			if c.not != "" && strings.Contains(out, c.not) || slices.ContainsFunc(c.said, func(s string) bool { return !strings.Contains(out, s) }) {
				t.Errorf("got output\n%s\nwant it to contain %q, and not %q", out, c.said, c.not)
			}
		})
	}
}
