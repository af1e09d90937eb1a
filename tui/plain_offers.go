package tui

import (
	"context"
	"errors"
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/tui/page"
	"github.com/tonprobe/tonprobe/tui/words"
)

// goOn says what can be done after a check and does it. It reports whether
// there is another check to make; t is then what that is to be.
func (p plain) goOn(ctx context.Context, r *report.Report, other page.Elsewhere, t *take) bool {
	defer p.erase()
	asks := p.Interactive && !p.Agreed
	if other.Found() {
		p.say("")
		p.say(other.Sentence(p.words))
		if !asks {
			p.say(p.words.T("plain.switch_flag", "name", words.Clean(other.Name, maxName)))
		}
	}
	o := offers{change: other.Found(), replay: p.replays(r)}
	if !asks || o == (offers{}) || !p.offer(ctx, o) {
		return false
	}
	t.choices.Device, t.chosen = other.Device, other.Name
	t.round++
	return true
}

// offers are what a person may ask for after a check.
type offers struct{ change, replay bool }

// offer asks until the answer is to change the microphone (true) or to end, or
// until the kept voice has to be erased.
func (p plain) offer(ctx context.Context, o offers) (change bool) {
	ctx, cancel := context.WithTimeout(ctx, keepFor)
	defer cancel()
	for {
		p.sayOffers(o)
		answer, err := p.answers.next(ctx)
		switch answer = strings.ToLower(answer); {
		case errors.Is(err, context.DeadlineExceeded) && o.replay:
			p.say(page.ReplayErased.Sentence(p.words))
			return false
		case err != nil, answer == "", answer == "q":
			return false
		case answer == "w" && o.change:
			return true
		case answer == "p" && o.replay:
			p.play(ctx)
		}
	}
}

func (p plain) sayOffers(o offers) {
	p.say("")
	if o.change {
		p.say(p.words.T("plain.switch"))
	}
	if o.replay {
		p.say(p.words.T("plain.replay"))
	}
	p.say(p.words.T("plain.end"))
}

// play plays the kept voice and waits for its end.
func (p plain) play(ctx context.Context) {
	p.say(page.ReplayPlaying.Sentence(p.words))
	if err := guarded(p.Log, func() error { return p.PlayBack(ctx) }); err != nil && ctx.Err() == nil {
		p.Log.Warn("play back", "err", err)
		p.say(page.ReplayFailed.Sentence(p.words))
	}
}
