package tui

import (
	"context"
	"errors"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/page"
	"github.com/tonprobe/tonprobe/tui/words"
)

// goOn offers the actions after a check and performs them. It reports whether another check
// follows; t is then updated for it.
func (p plain) goOn(ctx context.Context, r *report.Report, other page.Elsewhere, t *take) bool {
	defer p.erase()
	if other.Found() {
		p.say("")
		p.say(other.Sentence(p.words))
		if !p.asks() {
			p.say(p.words.T("plain.switch_flag", "name", words.Clean(other.Name, maxName)))
		}
	}
	if !p.asks() {
		return false
	}
	o := offers{change: other.Found(), replay: p.replays(r), choose: p.choice(), settings: p.offersSettings(r)}
	switch p.offer(ctx, r, o) {
	case "w":
		t.choices.Device, t.chosen = other.Device, other.Name
	case "m":
		if p.choose(ctx, t) != nil {
			return false
		}
	case "r":
	default:
		return false
	}
	t.round++
	return true
}

// asks reports whether a person can answer questions.
func (p plain) asks() bool { return p.Interactive && !p.Agreed }

// offers are the actions that a person may choose after a check, in addition to repeating it
// and its details. They correspond to the keys of the screen.
type offers struct{ change, replay, choose, settings bool }

// offer asks until the answer leads to another check, which it returns, or to the end. The
// kept recording is erased in time.
func (p plain) offer(ctx context.Context, r *report.Report, o offers) string {
	kept, cancel := context.WithTimeout(ctx, keepFor)
	defer cancel()
	for {
		p.sayOffers(o)
		waiting := ctx
		if o.replay {
			waiting = kept
		}
		answer, err := p.answers.next(waiting)
		switch answer = strings.ToLower(answer); {
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			p.erase()
			o.replay = false
			p.say(page.ReplayErased.Sentence(p.words))
		case err != nil, answer == "", answer == "q":
			return ""
		case answer == "r", answer == "w" && o.change, answer == "m" && o.choose:
			return answer
		case answer == "d":
			p.details(r)
		case answer == "t" && o.settings:
			p.openSettings(ctx)
		case answer == "p" && o.replay:
			p.play(kept)
		}
	}
}

func (p plain) sayOffers(o offers) {
	p.say("")
	for _, offer := range []struct {
		made bool
		key  string
	}{
		{o.change, "plain.switch"}, {true, "plain.repeat"}, {true, "plain.details"}, {o.choose, "plain.other"}, {o.settings, "plain.settings"},
		{o.replay, "plain.replay"}, {true, "plain.end"},
	} {
		if offer.made {
			p.say(p.words.T(offer.key))
		}
	}
}

// details prints the content of the details page.
func (p plain) details(r *report.Report) {
	w := p.words
	lines := append([]string{""}, w.About(r)...)
	for _, s := range append(w.Found(r), w.Measured(r)...) {
		title := s.Title
		if s.State != "" {
			title = w.T("plain.done", "probe", title, "state", w.State(s.State))
		}
		lines = append(append(lines, "", title), s.Lines...)
	}
	for _, line := range lines {
		p.say(w.Aloud(strings.TrimSpace(line)))
	}
}

// play plays the kept recording and waits for its end.
func (p plain) play(ctx context.Context) {
	p.say(page.ReplayPlaying.Sentence(p.words))
	if err := guarded(p.Log, func() error { return p.PlayBack(ctx) }); err != nil && ctx.Err() == nil {
		p.Log.Warn("play back", "err", err)
		p.say(page.ReplayFailed.Sentence(p.words))
	}
}
