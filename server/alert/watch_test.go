package alert

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/store"
)

// councils is a database with a session in half an hour for each council, of one member who is not
// ready. Reads of a council in faults fail.
type councils struct {
	ids    []string
	later  []string         // councils with a session in two hours
	faults map[string]error // by council; "" for the sessions
	rolls  []string         // councils whose members were read
}

func (c *councils) CouncilSessions(_ context.Context, q store.SessionQuery) (page store.SessionPage, err error) {
	var all []store.CouncilSession
	for i, id := range slices.Concat(c.ids, c.later) {
		at := evening.Add(30 * time.Minute)
		if i >= len(c.ids) {
			at = evening.Add(2 * time.Hour)
		}
		all = append(all, store.CouncilSession{ID: "session " + id, CouncilID: id, StartsAt: at})
	}
	from, _ := strconv.Atoi(q.After)
	to := min(from+q.Limit, len(all))
	if page.Sessions = all[from:to]; to < len(all) {
		page.Next = strconv.Itoa(to)
	}
	return page, c.faults[""]
}

func (c *councils) Council(_ context.Context, id string) (store.Council, error) {
	return store.Council{ID: id, Name: id}, c.faults[id]
}

func (c *councils) CouncilMembers(_ context.Context, id string) ([]store.ParticipantState, int64, error) {
	c.rolls = append(c.rolls, id)
	return []store.ParticipantState{{Verdict: report.NotReady, Last: &store.ReportSummary{CheckedAt: evening}}}, 0, c.faults[id]
}

// watch returns a watch without participants and faults; queue contains the messages.
func watch(s Store, rules ...Rule) (w *Watch, queue chan Message) {
	queue = make(chan Message, 10)
	for i := range rules {
		rules[i].To = []string{"hook"}
	}
	return &Watch{
		Settings: &Settings{Language: "en", Rules: rules}, Store: s, Common: func() []fleet.Finding { return nil },
		Sender: Sender{Now: func() time.Time { return evening }}, Zone: time.UTC, Log: slog.New(slog.DiscardHandler), Leads: func() bool { return true },
		queues: map[string]chan Message{"hook": queue},
	}, queue
}

// titles returns the titles of the messages in a queue.
func titles(queue chan Message) (all []string) {
	for len(queue) > 0 {
		all = append(all, (<-queue).Title)
	}
	return all
}

// TestOneOfSeveralCollectorsReports: of several collectors, the leading one reports about participants,
// and each about itself.
func TestOneOfSeveralCollectorsReports(t *testing.T) {
	for leads, want := range map[bool]int{true: 2, false: 1} {
		w, queue := watch(&councils{}, Rule{Name: "common", When: CommonCause}, Rule{Name: "own", When: Collector})
		w.Common = func() []fleet.Finding {
			return []fleet.Finding{{Code: fleet.CodeProvider, Key: "AS64498", Affected: []string{"a", "b"}, Members: 3}}
		}
		w.Ready = map[string]func(context.Context) error{"store": func(context.Context) error { return errors.New("away") }}
		w.Leads = func() bool { return leads }
		if err := w.Evaluate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := len(titles(queue)); got != want {
			t.Errorf("leads %v: got %d messages, want %d", leads, got, want)
		}
		// A collector that takes over reports each condition that lasts and that it has not reported itself.
		w.Leads = func() bool { return true }
		if err := w.Evaluate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := len(titles(queue)); got != 2-want {
			t.Errorf("led %v, then takes over: got %d messages, want %d", leads, got, 2-want)
		}
	}
}

// TestNoRecoveryWithoutTheDatabase: sessions that cannot be read are no evidence about their members,
// and the fault is reported although no session is known.
func TestNoRecoveryWithoutTheDatabase(t *testing.T) {
	for _, broken := range []string{"", "Rat", "Ausschuss"} {
		var away error
		s := &councils{ids: []string{"Rat", "Ausschuss"}}
		w, queue := watch(s, Rule{Name: "red", When: ManyRed, AtLeast: 1}, Rule{Name: "own", When: Collector, Before: Duration(time.Hour)})
		w.Ready = map[string]func(context.Context) error{"store": func(context.Context) error { return away }}
		if err := w.Evaluate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := titles(queue); len(got) != 2 {
			t.Fatalf("got %q, want one title for each council", got)
		}
		away = errors.New("away")
		s.faults = map[string]error{broken: away}
		if err := w.Evaluate(t.Context()); !errors.Is(err, away) {
			t.Errorf("got error %v, want %v", err, away)
		}
		if got := titles(queue); len(got) != 1 || got[0] != "The check server has a problem: database" {
			t.Errorf("%q cannot be read: got %q, want only the trouble of the database", broken, got)
		}
	}
}

// TestManySessions: an alert does not depend on the number of sessions before it, and only members of
// the sessions that a rule covers are read.
func TestManySessions(t *testing.T) {
	s := &councils{later: []string{"Beirat"}}
	for n := range 2*store.MaxPage + 1 {
		s.ids = append(s.ids, fmt.Sprint("Rat ", n))
	}
	w, _ := watch(s, Rule{Name: "red", When: ManyRed, AtLeast: 1, Before: Duration(time.Hour)})
	queue := make(chan Message, len(s.ids))
	w.queues = map[string]chan Message{"hook": queue}
	if err := w.Evaluate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := titles(queue); len(got) != len(s.ids) || !slices.ContainsFunc(got, func(title string) bool { return strings.HasPrefix(title, s.ids[len(s.ids)-1]+",") }) {
		t.Errorf("got %d alerts, want one for each of %d sessions, also the last", len(got), len(s.ids))
	}
	if !slices.Equal(s.rolls, s.ids) {
		t.Errorf("got the members of %d councils read, want those of %d", len(s.rolls), len(s.ids))
	}
}

// TestADeletedCouncilHidesNoOther: a council that is deleted between two reads is left out.
func TestADeletedCouncilHidesNoOther(t *testing.T) {
	s := &councils{ids: []string{"Rat", "Ausschuss"}, faults: map[string]error{"Rat": store.ErrNotFound}}
	w, queue := watch(s, Rule{Name: "red", When: ManyRed, AtLeast: 1})
	if err := w.Evaluate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := titles(queue); len(got) != 1 || got[0] != "Ausschuss, 17:30: 1 of 1 are not ready" {
		t.Errorf("got %q, want that of the other council", got)
	}
}

// TestAChannelPausesAfterAWrongPassword: many alerts at a time do not lock the account, and a delivery ends the
// pause and the note about it.
func TestAChannelPausesAfterAWrongPassword(t *testing.T) {
	r := receive(t, http.StatusOK)
	var accepts atomic.Bool
	mails := serveMail(t, &tls.Config{Certificates: r.TLS.Certificates}, func(command string) string {
		if strings.HasPrefix(command, "AUTH") && !accepts.Load() {
			return "535 5.7.8 no"
		}
		return ""
	})
	now := evening
	var waits []time.Duration
	c := Channel{Name: "desk", Kind: KindEmail, Host: mails.address, From: "tonprobe@example.org", To: []string{"it@example.org"}, User: "tonprobe", secret: "x"}
	w := &Watch{Settings: &Settings{Channels: []Channel{{Name: "phone"}, c}}, Sender: sender(r.trusted(), &waits)}
	w.Sender.Now = func() time.Time { return now }
	for _, step := range []struct {
		after    time.Duration
		test     bool // by a person
		accepts  bool
		sessions int
		want     error
	}{
		{0, false, false, 1, ErrLoginRefused},
		{time.Second, false, true, 0, errPaused},
		{loginPause - time.Second, false, false, 0, errPaused},
		{loginPause, false, false, 1, ErrLoginRefused},
		{2*loginPause - time.Second, false, true, 0, errPaused},
		{2 * loginPause, false, true, 1, nil},
		{2 * loginPause, false, false, 1, ErrLoginRefused},
		{2*loginPause + time.Second, true, true, 1, nil},
		{2*loginPause + 2*time.Second, false, true, 1, nil},
	} {
		now = evening.Add(step.after)
		accepts.Store(step.accepts)
		send := w.deliver
		if step.test {
			send = w.Once
		}
		if err := send(t.Context(), c, message); !errors.Is(err, step.want) {
			t.Errorf("after %v: got error %v, want %v", step.after, err, step.want)
		}
		for range step.sessions {
			<-mails.got
		}
		if len(mails.got) > 0 {
			t.Errorf("after %v: got %d further sessions", step.after, len(mails.got))
		}
		all := w.Undelivered()
		if step.want == nil && len(all) > 0 {
			t.Errorf("after %v: got %+v, want nothing undelivered", step.after, all)
		}
		if step.want != nil && (len(all) != 1 || all[0].Channel != "desk" || !errors.Is(all[0].Err, ErrLoginRefused) || all[0].At.Before(evening)) {
			t.Errorf("after %v: got %+v, want the refusal by the mail server", step.after, all)
		}
	}
}
