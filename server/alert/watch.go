package alert

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/store"
)

//go:embed texts/*.toml
var textFiles embed.FS

// Texts returns the texts in a language.
func Texts(lang phrase.Lang) (*phrase.Book, error) {
	sub, err := fs.Sub(textFiles, "texts")
	if err != nil {
		return nil, err
	}
	return phrase.Load(sub, lang)
}

const (
	// evaluateEvery is the interval at which the rules are evaluated.
	evaluateEvery = 10 * time.Second
	// evaluateTimeout limits one evaluation: a database that does not respond is a fault of the collector.
	evaluateTimeout = 8 * time.Second
	// maxWaiting limits the messages that wait for one channel.
	maxWaiting = 100
	// sessionsWithin is the time within which sessions are read, unless a rule needs later ones.
	sessionsWithin = 24 * time.Hour
)

// Store is the storage that this package needs.
type Store interface {
	CouncilSessions(ctx context.Context, q store.SessionQuery) (store.SessionPage, error)
	Council(ctx context.Context, id string) (store.Council, error)
	CouncilMembers(ctx context.Context, councilID string) (members []store.ParticipantState, revision int64, err error)
}

// Watch evaluates the rules of Settings and sends the messages.
type Watch struct {
	Settings *Settings
	Store    Store
	Common   func() []fleet.Finding
	// Ready contains the readiness checks by the name of the part.
	Ready    map[string]func(context.Context) error
	Sender   Sender
	Zone     *time.Location
	Link     string // address of the dashboard
	Log      *slog.Logger
	Registry prometheus.Registerer
	// Leads reports whether this collector is the one that sends messages about participants, if
	// several use the same database.
	Leads func() bool

	tracker Tracker
	count   *prometheus.CounterVec
	queues  map[string]chan Message

	mu          sync.Mutex
	undelivered map[string]Undelivered
}

// Run evaluates the rules and sends messages until ctx is done. Messages that are waiting then are
// discarded.
func (w *Watch) Run(ctx context.Context) {
	w.count = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "tonprobe_alerts_total", Help: "Alerts by kind of channel and result: sent, failed, dropped."}, []string{"kind", "result"})
	w.Registry.MustRegister(w.count)
	var sending sync.WaitGroup
	w.queues = map[string]chan Message{}
	for _, c := range w.Settings.Channels {
		queue := make(chan Message, maxWaiting)
		w.queues[c.Name] = queue
		for _, result := range []string{"sent", "failed", "dropped"} {
			w.count.WithLabelValues(c.Kind, result)
		}
		sending.Go(func() { w.send(ctx, c, queue) })
	}
	tick := time.NewTicker(evaluateEvery)
	defer tick.Stop()
	for {
		if err := w.Evaluate(ctx); err != nil && ctx.Err() == nil {
			w.Log.Warn("alerts were not determined", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			sending.Wait()
			return
		}
	}
}

// send sends the messages of one channel in order, so that a slow one delays no other.
func (w *Watch) send(ctx context.Context, c Channel, queue <-chan Message) {
	for {
		select {
		case m := <-queue:
			result := "sent"
			if err := w.deliver(ctx, c, m); err != nil {
				result = "failed"
				w.Log.Error("an alert was not delivered", "channel", c.Name, "rule", m.Rule, "err", err)
			}
			w.count.WithLabelValues(c.Kind, result).Inc()
		case <-ctx.Done():
			return
		}
	}
}

// loginPause is the time without attempts after ErrLoginRefused. A fault with many alerts would otherwise
// send a wrong password often enough to have the account locked.
const loginPause = 15 * time.Minute

// errPaused is the reason why a message was not sent within loginPause.
var errPaused = errors.New("no attempt, so that the account is not locked")

// deliver sends a message through a channel, unless its mail server has just refused the collector.
func (w *Watch) deliver(ctx context.Context, c Channel, m Message) error {
	w.mu.Lock()
	last := w.undelivered[c.Name]
	w.mu.Unlock()
	if last.pausedUntil.After(w.Sender.Now()) {
		return fmt.Errorf("%w: %w", errPaused, last.Err)
	}
	err := w.Sender.Send(ctx, c, m)
	if ctx.Err() == nil {
		w.note(c, err)
	}
	return err
}

// Once sends a message at once with one attempt, also after ErrLoginRefused.
func (w *Watch) Once(ctx context.Context, c Channel, m Message) error {
	err := w.Sender.Once(ctx, c, m)
	if ctx.Err() == nil {
		w.note(c, err)
	}
	return err
}

// note stores the result of a delivery.
func (w *Watch) note(c Channel, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		delete(w.undelivered, c.Name)
		return
	}
	u := Undelivered{Channel: c.Name, At: w.Sender.Now(), Err: err}
	if errors.Is(err, ErrLoginRefused) {
		u.pausedUntil = u.At.Add(loginPause)
	}
	if w.undelivered == nil {
		w.undelivered = map[string]Undelivered{}
	}
	w.undelivered[c.Name] = u
}

// Undelivered is a failed delivery through a channel.
type Undelivered struct {
	Channel string
	At      time.Time
	Err     error

	pausedUntil time.Time
}

// Undelivered returns the last delivery of each channel where it failed, in the order of the channels.
func (w *Watch) Undelivered() (all []Undelivered) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.Settings.Channels {
		if u, ok := w.undelivered[c.Name]; ok {
			all = append(all, u)
		}
	}
	return all
}

// Evaluate evaluates the rules once, and passes the messages to the queues of their channels.
func (w *Watch) Evaluate(ctx context.Context) error {
	lang, _ := phrase.ParseLang(w.Settings.Language)
	book, err := Texts(lang)
	if err != nil {
		return err
	}
	s, err := w.situation(ctx)
	leads := w.Leads()
	may := func(r Rule) bool { return leads || r.When == Collector } // each collector reports its own trouble
	for _, e := range w.tracker.Update(w.Settings.Rules, s, may) {
		m := Write(book, e, w.Zone, s.Now, w.Link)
		w.Log.Info("alert", "rule", m.Rule, "over", m.Over)
		for _, name := range e.Rule.To {
			select {
			case w.queues[name] <- m:
			default:
				w.count.WithLabelValues(w.kindOf(name), "dropped").Inc()
				w.Log.Error("too many alerts wait for this channel", "channel", name, "rule", m.Rule)
			}
		}
	}
	return err
}

func (w *Watch) kindOf(channel string) string {
	for _, c := range w.Settings.Channels {
		if c.Name == channel {
			return c.Kind
		}
	}
	return ""
}

// situation returns the present situation. With an error it contains what could be determined, because
// a database that does not respond has to be reported as well. The sessions are unknown then.
func (w *Watch) situation(ctx context.Context) (Situation, error) {
	ctx, cancel := context.WithTimeout(ctx, evaluateTimeout)
	defer cancel()
	s := Situation{Now: w.Sender.Now()}
	for _, f := range w.Common() {
		s.Common = append(s.Common, Common{Kind: f.Kind(), Key: f.Key, Affected: len(f.Affected), Members: f.Members})
	}
	for _, part := range slices.Sorted(maps.Keys(w.Ready)) {
		if w.Ready[part](ctx) != nil {
			s.Failed = append(s.Failed, part)
		}
	}
	var err error
	s.Sessions, err = w.sessions(ctx, s.Now)
	s.SessionsKnown = err == nil
	return s, err
}

// sessions returns the sessions that are not over and begin within the time of the rules. It counts the
// members of those that a rule about members covers now.
func (w *Watch) sessions(ctx context.Context, now time.Time) ([]Session, error) {
	within := sessionsWithin
	for _, r := range w.Settings.Rules {
		within = max(within, time.Duration(r.Before))
	}
	var all []Session
	q := store.SessionQuery{From: now, Limit: store.MaxPage}
	for {
		page, err := w.Store.CouncilSessions(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, one := range page.Sessions {
			if one.StartsAt.Sub(now) > within { // the later ones follow
				return all, nil
			}
			if one.Cancelled {
				continue
			}
			n := Session{ID: one.ID, Starts: one.StartsAt, Closes: one.Closes()}
			if slices.ContainsFunc(w.Settings.Rules, func(r Rule) bool { return r.When == ManyRed && r.covers(n, now) }) {
				err := w.callRoll(ctx, one, &n)
				if errors.Is(err, store.ErrNotFound) { // the council was deleted in the meantime, with its sessions
					continue
				}
				if err != nil {
					return nil, err
				}
			}
			all = append(all, n)
		}
		if page.Next == "" {
			return all, nil
		}
		q.After = page.Next
	}
}

// callRoll counts the members of a session's council.
func (w *Watch) callRoll(ctx context.Context, s store.CouncilSession, n *Session) error {
	c, err := w.Store.Council(ctx, s.CouncilID)
	if err != nil {
		return err
	}
	members, _, err := w.Store.CouncilMembers(ctx, s.CouncilID)
	if err != nil {
		return err
	}
	roll := store.CallRoll(members, store.RollSince(s.StartsAt, w.Zone))
	n.Council, n.Red, n.Members = c.Name, roll.Counts[store.RollRed], len(members)
	return nil
}

// Test returns a message that is only a test of a channel.
func Test(b *phrase.Book, now time.Time, link string) Message {
	return Message{Title: b.T("test"), Text: b.T("test_text"), At: now, Rule: "test", When: "test", Link: link}
}
