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
func (p plain) goOn(ctx context.Context, last plainResult, t *take) bool {
	defer p.erase()
	r, other := last.shown, offered(last.shown, last.heard)
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
	o := offers{change: other.Found(), replay: !last.erased && p.replays(r), choose: p.choice(), settings: p.offersSettings(r), own: p.offersOwn(), disturbance: p.offersDisturbance()}
	answer, request := p.offer(ctx, r, o)
	t.request = request
	switch answer {
	case "w":
		t.choices.Device, t.chosen = other.Device, other.Name
	case "m":
		if p.choose(ctx, t) != nil {
			return false
		}
	case "r", "":
		if t.request == nil && answer == "" {
			return false
		}
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
type offers struct{ change, replay, choose, settings, disturbance, own bool }

// offer asks until the answer or a request of phone support leads to another check, which
// it returns, or to the end. The kept recording is erased in time.
func (p plain) offer(ctx context.Context, r *report.Report, o offers) (string, *Request) {
	kept, cancel := context.WithTimeout(ctx, keepFor)
	defer cancel()
	for {
		p.sayOffers(o)
		waiting := ctx
		if o.replay {
			waiting = kept
		}
		answer, request, err := p.answers.nextOr(waiting, p.Requests)
		if request != nil {
			if p.accept(ctx, *request) {
				return "", request
			}
			continue
		}
		switch answer = strings.ToLower(answer); {
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			p.erase()
			o.replay = false
			p.say(page.ReplayErased.Sentence(p.words))
		case err != nil, answer == "", answer == "q":
			return "", nil
		case answer == "r", answer == "w" && o.change, answer == "m" && o.choose:
			return answer, nil
		case answer == "d":
			p.details(r)
		case answer == "t" && o.settings:
			p.openSettings(ctx)
		case answer == "s" && o.disturbance:
			p.say(page.Disturbance{State: page.DisturbanceSending}.Sentence(p.words))
			p.say(p.disturbance(ctx).Sentence(p.words))
		case answer == "e" && o.own:
			p.say("")
			p.say(p.words.T("own.asking"))
			for _, line := range p.ownPage(ctx, p.words).Lines(p.words) {
				p.say(line)
			}
		case answer == "p" && o.replay:
			p.play(kept)
		}
	}
}

// accept shows a request of phone support and waits for the answer.
func (p plain) accept(ctx context.Context, r Request) bool {
	if r.Agreed {
		r.Answer(AnswerYes)
		return true
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-r.Over:
			cancel()
		case <-ctx.Done():
		}
	}()
	audio := r.Audio && !p.Consent.NoAudio
	p.answers.discard() // a late answer to another question is no consent
	p.say("")
	for _, line := range (page.Request{By: words.Clean(r.By, maxName), Audio: audio, Others: p.Consent.Others}).Lines(p.words) {
		p.say(line)
	}
	for {
		p.say(p.words.T("plain.tone"))
		answer, err := p.answers.next(ctx)
		switch strings.ToLower(answer) {
		case "j", "ja", "y", "yes":
			r.Answer(AnswerYes)
			return true
		case "n", "nein", "no":
			r.Answer(AnswerNo)
			return false
		}
		if err != nil {
			if ctx.Err() != nil {
				p.say(p.words.T("request.over"))
			}
			r.Answer(AnswerNo)
			return false
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
		{o.disturbance, "plain.disturbance"}, {o.own, "plain.own"}, {o.replay, "plain.replay"}, {true, "plain.end"},
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
