package tui

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tonprobe/tonprobe/probe"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

func TestToneAnswerByKey(t *testing.T) {
	for pressed, want := range map[string]bool{"j": true, "Y": true, "n": false, "N": false} {
		s := newStand(t, phrase.DE, false, func(o *Options) { o.OffersSpeaker, o.Speaker = true, true })
		s.press("enter").begun().send(toneMsg{0})
		if s.press("x", "enter", pressed); s.stage != checking {
			t.Errorf("%s: got stage %d, want %d", pressed, s.stage, checking)
		}
		select {
		case got := <-s.running.tone.answers:
			if *got != want {
				t.Errorf("%s: got answer %v, want %v", pressed, *got, want)
			}
		default:
			t.Errorf("%s: got no answer, want %v", pressed, want)
		}
	}
}

func TestToneWithoutAnswerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newToneQuestion()
		go func() { <-q.asks }()
		if got := q.heard(t.Context()); got != nil {
			t.Errorf("got answer %v, want nil", *got)
		}
	})
}

func TestToneInPlainMode(t *testing.T) {
	for in, want := range map[string]string{"l\n\nperhaps\nja\n\n": "yes", "l\n\nnein\n\n": "no", "l\n\n": "none"} {
		got := ""
		with := func(o *Options) {
			o.OffersSpeaker = true
			o.Check = func(ctx context.Context, c Choices, _ func(probe.Event)) (*report.Report, error) {
				switch answer := c.ToneHeard(ctx); {
				case answer == nil:
					got = "none"
				case *answer:
					got = "yes"
				default:
					got = "no"
				}
				return finished(t, nil), nil
			}
		}
		out, _, err := recital(t, phrase.DE, in, with, nil, nil)
		if err != nil || got != want || !strings.Contains(out, "Haben Sie den Ton gehört?") {
			t.Errorf("%q: got %q, error %v; want %q, nil:\n%s", in, got, err, want, out)
		}
	}
}
