package target

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tonprobe/tonprobe/probe/media/wire"
)

// fakeBBB simulates the API of a BigBlueButton that accepts one hash.
type fakeBBB struct {
	hash, secret, answer string // answer replaces the response to a signed create
	mu                   sync.Mutex
	created, ended       []string
	refused              int
	*httptest.Server
}

func newInterface(t *testing.T, hash, answer string) *fakeBBB {
	s := &fakeBBB{hash: hash, secret: "geheim", answer: answer}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *fakeBBB) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call := strings.TrimPrefix(r.URL.Path, "/bigbluebutton/api/")
	query, sum, _ := strings.Cut(r.URL.RawQuery, "&checksum=")
	id := r.URL.Query().Get("meetingID")
	switch {
	case sum != checksum(s.hash, call, query, s.secret):
		s.refused++
		_, _ = io.WriteString(w, `<response><returncode>FAILED</returncode><messageKey>checksumError</messageKey></response>`)
	case call == "create" && s.answer != "":
		_, _ = io.WriteString(w, s.answer)
	case call == "create":
		s.created = append(s.created, id)
		_, _ = io.WriteString(w, `<response><returncode>SUCCESS</returncode><createTime>1764400000000</createTime></response>`)
	case call == "end":
		s.ended = append(s.ended, id)
		_, _ = io.WriteString(w, `<response><returncode>SUCCESS</returncode></response>`)
	}
}

// newProvider returns a provider with one target at the server, and its clock.
func newProvider(t *testing.T, s *fakeBBB) (Provider, *time.Time) {
	t.Helper()
	now := time.Unix(1764400000, 0)
	clock := func() time.Time { return now }
	log := slog.New(slog.DiscardHandler)
	d := Provider{File: In(t.TempDir()), Now: clock, Random: rand.Reader, Log: log, Meetings: NewMeetings(clock, rand.Reader, log)}
	t.Cleanup(d.Meetings.Close)
	target, err := Target{Name: "Rat", System: "bbb", URL: s.URL, Secret: "geheim"}.Normalize()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.File.Add(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	return d, &now
}

// ask returns the join link for the named target.
func ask(t *testing.T, d Provider, name string) string {
	t.Helper()
	all, err := d.Targets(t.Context(), name)
	if err != nil || len(all.Targets) != 1 {
		t.Fatalf("got %+v, error %v; want Targets 1 entry", all, err)
	}
	return all.Targets[0].JoinLink
}

// TestTestMeeting: the checks within two minutes share a meeting, each with its own
// name, and no meeting is left after the collector has ended.
func TestTestMeeting(t *testing.T) {
	s := newInterface(t, "sha256", "")
	d, now := newProvider(t, s)
	if link := ask(t, d, ""); link != "" || len(s.created) != 0 {
		t.Errorf("without a request: got link %q, %d meetings; want none, 0", link, len(s.created))
	}
	if link := ask(t, d, "Dom"); link != "" {
		t.Errorf("another target: got link %q, want none", link)
	}
	first, second := ask(t, d, "rat"), ask(t, d, "Rat")
	*now = now.Add(meetingReuse)
	third := ask(t, d, "Rat")
	if len(s.created) != 2 {
		t.Fatalf("got %d meetings, want 2", len(s.created))
	}
	names := map[string]bool{}
	for link, id := range map[string]string{first: s.created[0], second: s.created[0], third: s.created[1]} {
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		query, sum, _ := strings.Cut(u.RawQuery, "&checksum=")
		q := u.Query()
		names[q.Get("fullName")] = true
		if u.Path != "/bigbluebutton/api/join" || sum != checksum("sha256", "join", query, "geheim") || q.Get("meetingID") != id ||
			q.Get("role") != "VIEWER" || q.Get("redirect") != "false" || q.Get("createTime") != "1764400000000" || q.Has("password") {
			t.Errorf("got link %s, want one to join meeting %s as a viewer, signed with sha256", u.Redacted(), id)
		}
		if strings.Contains(link, "geheim") {
			t.Error("the link contains the secret")
		}
	}
	if len(names) != 3 {
		t.Errorf("got names %v, want 3 entries", names)
	}
	d.Meetings.Close()
	if !slices.Equal(s.ended, s.created) {
		t.Errorf("got meetings %q created, %q ended; want %q", s.created, s.ended, s.created)
	}
}

// TestHashOfTheServersChoice: if the checksum is rejected, the other hashes are tried,
// once each, and the link is signed with the accepted one.
func TestHashOfTheServersChoice(t *testing.T) {
	s := newInterface(t, "sha1", "")
	d, _ := newProvider(t, s)
	u, err := url.Parse(ask(t, d, "Rat"))
	if err != nil {
		t.Fatal(err)
	}
	query, sum, _ := strings.Cut(u.RawQuery, "&checksum=")
	if sum != checksum("sha1", "join", query, "geheim") || s.refused != 1 {
		t.Errorf("got link %s, %d refusals; want a link signed with sha1 and 1 refusal", u.Path, s.refused)
	}
}

// TestNoTestMeeting: if the server creates no meeting, the list has no link, and no
// further requests are sent to the server for a while.
func TestNoTestMeeting(t *testing.T) {
	for name, answer := range map[string]string{
		"refused":         `<response><returncode>FAILED</returncode><messageKey>internalError</messageKey></response>`,
		"a page":          `<html>Wartung</html>`,
		"no end":          strings.Repeat(" ", maxAnswerBytes+1),
		"a hostile time":  `<response><returncode>SUCCESS</returncode><createTime>1&amp;role=MODERATOR</createTime></response>`,
		"nothing":         ` `,
		"another address": `<response><returncode>SUCCESS</returncode><version>2.0</version></response>`,
		"JSON of nothing": `{"response":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newInterface(t, "sha256", answer)
			d, now := newProvider(t, s)
			if link := ask(t, d, "Rat"); link != "" {
				t.Errorf("got link %q, want none", link)
			}
			s.answer = ""
			if link := ask(t, d, "Rat"); link != "" {
				t.Error("got another request immediately after a refusal")
			}
			*now = now.Add(retryAfter)
			if link := ask(t, d, "Rat"); link == "" {
				t.Error("got no link after a while")
			}
		})
	}
}

// silentServer does not answer a request.
type silentServer struct{}

func (silentServer) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestSilentServer: the error states the time limit of a call for a test meeting.
func TestSilentServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMeetings(time.Now, rand.Reader, slog.New(slog.DiscardHandler))
		defer m.Close()
		m.Client.Transport = silentServer{}
		_, err := m.Link(t.Context(), Target{Name: "Rat", System: "bbb", URL: "https://bbb.example.org/bigbluebutton", Secret: "geheim", Hash: "sha256"})
		if want := "create a test meeting: no answer within 2.5s"; err == nil || err.Error() != want {
			t.Errorf("got error %v, want %q", err, want)
		}
	})
}

// slowServer creates a meeting, but its response does not arrive in time.
type slowServer struct{ asked chan string }

func (s slowServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked <- path.Base(r.URL.Path) + " " + r.URL.Query().Get("meetingID")
	if path.Base(r.URL.Path) == "create" {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return nil, errors.New("no response is needed")
}

// TestSlowServer: no meeting is left that nobody can join.
func TestSlowServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMeetings(time.Now, rand.Reader, slog.New(slog.DiscardHandler))
		defer m.Close()
		asked := make(chan string, 2)
		m.Client.Transport = slowServer{asked}
		for _, c := range []struct {
			name    string
			closes  bool
			waiting time.Duration
		}{
			{"Rat", false, doubtfulAfter}, // the server may still be creating it
			{"Kreistag", true, 0},
		} {
			if link, err := m.Link(t.Context(), Target{Name: c.name, System: "bbb", URL: "https://bbb.example.org/bigbluebutton", Secret: "geheim", Hash: "sha256"}); err == nil {
				t.Errorf("got %q, want an error", link)
			}
			_, made, _ := strings.Cut(<-asked, " ")
			failed := time.Now()
			if c.closes {
				m.Close()
			}
			if end := <-asked; end != "end "+made || time.Since(failed) != c.waiting {
				t.Errorf("got the request %q after %v, want %q after %v", end, time.Since(failed), "end "+made, c.waiting)
			}
		}
	})
}

// brokenProxy answers for a server, which may have created the meeting.
type brokenProxy struct{ asked chan string }

func (s brokenProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked <- path.Base(r.URL.Path)
	return &http.Response{StatusCode: http.StatusBadGateway, Body: http.NoBody, Request: r}, nil
}

// TestAnsweredMeetingEndsAtOnce: only a request without an answer may still be in progress.
func TestAnsweredMeetingEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMeetings(time.Now, rand.Reader, slog.New(slog.DiscardHandler))
		defer m.Close()
		asked, before := make(chan string, 2), time.Now()
		m.Client.Transport = brokenProxy{asked}
		if link, err := m.Link(t.Context(), Target{Name: "Rat", System: "bbb", URL: "https://bbb.example.org/bigbluebutton", Secret: "geheim", Hash: "sha256"}); err == nil {
			t.Errorf("got %q, want an error", link)
		}
		if create, end := <-asked, <-asked; create != "create" || end != "end" || time.Since(before) != 0 {
			t.Errorf("got the requests %q, %q after %v; want create and end at once", create, end, time.Since(before))
		}
	})
}

// TestCallerLeaves: the meeting serves others too. It is created even if the agent that asked
// first does not wait.
func TestCallerLeaves(t *testing.T) {
	s := newInterface(t, "sha256", "")
	d, _ := newProvider(t, s)
	target, err := Target{Name: "Rat", System: "bbb", URL: s.URL, Secret: "geheim"}.Normalize()
	if err != nil {
		t.Fatal(err)
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	if _, err := d.Meetings.Link(left, target); err != nil {
		t.Errorf("got error %v, want none", err)
	}
	if _, err := d.Meetings.Link(t.Context(), target); err != nil || len(s.created) != 1 {
		t.Errorf("got error %v, %d meetings; want none, 1", err, len(s.created))
	}
}

// TestWrongSecret: each hash is tried once.
func TestWrongSecret(t *testing.T) {
	s := newInterface(t, "sha256", "")
	s.secret = "another"
	d, _ := newProvider(t, s)
	if link := ask(t, d, "Rat"); link != "" || s.refused != len(hashNames()) {
		t.Errorf("got link %q, %d refusals; want no link and %d refusals", link, s.refused, len(hashNames()))
	}
}

// TestManyAtOnce: 30 councillors before a session cause one meeting.
func TestManyAtOnce(t *testing.T) {
	s := newInterface(t, "sha256", "")
	d, _ := newProvider(t, s)
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			all, err := d.Targets(t.Context(), "Rat")
			if err != nil || all.Targets[0].JoinLink == "" {
				t.Errorf("got %+v, error %v; want a link", all, err)
			}
		})
	}
	wg.Wait()
	if len(s.created) != 1 {
		t.Errorf("got %d meetings, want 1", len(s.created))
	}
}

func FuzzParseCreated(f *testing.F) {
	f.Add([]byte(`<response><returncode>SUCCESS</returncode><createTime>1</createTime></response>`))
	f.Add([]byte(`{"response":{"returncode":"SUCCESS","createTime":1764400000000}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if a, ok := parseCreated(body); ok && strings.ContainsAny(string(a.CreateTime), "&=? ") {
			t.Errorf("got %+v, want no character of a query in CreateTime", a)
		}
	})
}

// TestLinkIsAccepted: agents must accept the link.
func TestLinkIsAccepted(t *testing.T) {
	s := newInterface(t, "sha256", "")
	d, _ := newProvider(t, s)
	list := `{"targets":[{"name":"Rat","system":"bbb","url":"` + s.URL + `","profile":"bbb","join_link":"` + ask(t, d, "Rat") + `"}]}`
	if _, err := wire.ParseTargets([]byte(list)); err != nil {
		t.Error(err)
	}
}

// TestEnd: a meeting is ended immediately and only once, and the next link opens another
// one. If the server refuses, the error says so.
func TestEnd(t *testing.T) {
	s := newInterface(t, "sha256", "")
	d, _ := newProvider(t, s)
	if err := d.Meetings.End(t.Context(), "Rat"); err != nil || len(s.ended) != 0 {
		t.Errorf("no meeting: got error %v, ended %q; want none", err, s.ended)
	}
	for n := range 2 {
		if ask(t, d, "Rat") == "" {
			t.Fatal("got no link")
		}
		for range 2 {
			if err := d.Meetings.End(t.Context(), "Rat"); err != nil {
				t.Error(err)
			}
		}
		if len(s.created) != n+1 || !slices.Equal(s.ended, s.created) {
			t.Errorf("got meetings %q created, %q ended; want %d created, and all of them ended", s.created, s.ended, n+1)
		}
	}
	ask(t, d, "Rat")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Meetings.End(cancelled, "Rat"); err != nil || !slices.Equal(s.ended, s.created) {
		t.Errorf("cancelled: got error %v, meetings %q created, %q ended; want all of them ended", err, s.created, s.ended)
	}
	ask(t, d, "Rat")
	s.secret = "another"
	if err := d.Meetings.End(t.Context(), "Rat"); err == nil || strings.Contains(err.Error(), "checksum=") {
		t.Errorf("a server that refuses: got error %v; want one without %q", err, "checksum=")
	}
}
