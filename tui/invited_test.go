package tui

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// invites simulates a program that was opened with a link.
func invites(present string) func(*Options) {
	return func(o *Options) {
		offersEnrolment(o)
		o.Invitation = Invitation{Link: invitationLink, Host: "tonprobe.musterstadt.de:8443", Present: present}
	}
}

func TestInvitationByKeys(t *testing.T) {
	refuse := func(o *Options) {
		o.Enrol = func(context.Context, string, string) (Enrolled, error) { return Enrolled{}, errWrongCode }
	}
	for name, c := range map[string]struct {
		present string
		also    func(*Options)
		play    func(*stand)
		want    stage
		shows   []string
		not     string
	}{
		"asked":            {"", nil, func(*stand) {}, inviting, []string{"Diesen Computer anmelden?", "tonprobe.musterstadt.de:8443", "Computer anmelden"}, "Bisher"},
		"accepted":         {"", nil, func(s *stand) { s.enter() }, welcoming, []string{"Anna Beispiel"}, "c Code eingeben"},
		"declined":         {"", nil, func(s *stand) { s.press("esc") }, welcoming, []string{"Code eingeben"}, "Anna"},
		"then a code":      {"", nil, func(s *stand) { s.press("esc", "c") }, enrolling, nil, "Anna"},
		"refused":          {"", refuse, func(s *stand) { s.enter() }, inviting, []string{"✗", "Der Code ist falsch"}, "Anna"},
		"refused, skipped": {"", refuse, func(s *stand) { s.enter().press("esc") }, welcoming, []string{"Code eingeben"}, "Anna"},
		"another one":      {"alt.example", nil, func(*stand) {}, inviting, []string{"Bisher ist er für alt.example eingerichtet"}, ""},
		"replaced":         {"alt.example", nil, func(s *stand) { s.enter() }, welcoming, []string{"Anna Beispiel"}, ""},
		"not replaced":     {"alt.example", nil, func(s *stand) { s.press("esc") }, welcoming, nil, "Code eingeben"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t, phrase.DE, false, func(o *Options) {
				invites(c.present)(o)
				if c.also != nil {
					c.also(o)
				}
			})
			c.play(s)
			view := strings.Join(strings.Fields(s.View()), " ")
			if s.stage != c.want {
				t.Errorf("stage = %d, want %d:\n%s", s.stage, c.want, s.View())
			}
			if c.not != "" && strings.Contains(view, c.not) || slices.ContainsFunc(c.shows, func(text string) bool { return !strings.Contains(view, text) }) {
				t.Errorf("view = %s\nwant %q and not %q", s.View(), c.shows, c.not)
			}
		})
	}
}

func TestInvitationInPlainMode(t *testing.T) {
	for name, c := range map[string]struct {
		present, in string
		said        []string
		not         string
	}{
		"accepted":     {"", "ja\nnein\n", []string{"Diesen Computer anmelden?", "tonprobe.musterstadt.de:8443", "für Anna Beispiel eingerichtet"}, "aus Ihrem Brief"},
		"declined":     {"", "nein\n\nnein\n", []string{"nichts geändert", "aus Ihrem Brief"}, "Anna"},
		"empty":        {"", "\n\nnein\n", []string{"nichts geändert"}, "Anna"},
		"end of input": {"", "", []string{"nichts geändert"}, "Anna"},
		"not replaced": {"alt.example", "nein\nnein\n", []string{"Bisher ist er für alt.example eingerichtet", "nichts geändert"}, "aus Ihrem Brief"},
	} {
		t.Run(name, func(t *testing.T) {
			out, _, err := recital(t, phrase.DE, c.in, invites(c.present), nil, nil)
			if !errors.Is(err, ErrQuit) {
				t.Errorf("error = %v, want %v", err, ErrQuit)
			}
			if strings.Contains(out, c.not) || slices.ContainsFunc(c.said, func(s string) bool { return !strings.Contains(out, s) }) {
				t.Errorf("output = %s\nwant %q and not %q", out, c.said, c.not)
			}
		})
	}
}
