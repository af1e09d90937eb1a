package target

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Lifetimes of a test meeting. All checks within two minutes share one, so that 30
// councillors before a session cause only one meeting on the server. The collector ends
// it after meetingLife. If the collector stops before that, the server ends it after
// meetingMinutes.
const (
	meetingReuse   = 2 * time.Minute
	meetingLife    = 4 * time.Minute
	meetingMinutes = 6
	// createTime limits an API call: an agent waits 3 s for the targets.
	createTime = 2500 * time.Millisecond
	// retryAfter is the pause after the server has refused a meeting.
	retryAfter = 15 * time.Second
	// doubtfulAfter is the pause before the end of a meeting whose creation was not answered: a server
	// that is still creating it does not know it yet.
	doubtfulAfter = 5 * time.Second
)

// Meetings manages the test meetings at BigBlueButton servers.
type Meetings struct {
	Client *http.Client
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger

	mu  sync.Mutex
	all map[string]*place // by the name of the target

	doubtful sync.WaitGroup // requests to end meetings that may exist
	closing  chan struct{}  // closed by Close
	close    sync.Once
}

// NewMeetings returns Meetings that does not follow redirects: a target's address is that
// of the system itself.
func NewMeetings(now func() time.Time, random io.Reader, log *slog.Logger) *Meetings {
	return &Meetings{Now: now, Random: random, Log: log, all: map[string]*place{}, closing: make(chan struct{}), Client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// place contains the meetings of one target. Its lock is held during requests to the
// server.
type place struct {
	mu      sync.Mutex
	current *meeting
	earlier []*meeting // those that have not ended, as far as known
	failed  time.Time  // time of the last refusal
}

// replace sets the current meeting and forgets those that have ended.
func (p *place) replace(made *meeting, now time.Time) {
	p.earlier = slices.DeleteFunc(p.earlier, func(m *meeting) bool { return now.Sub(m.since) > meetingLife })
	if p.current != nil {
		p.earlier = append(p.earlier, p.current)
	}
	p.current = made
}

// meeting is one test meeting.
type meeting struct {
	target  Target
	id      string
	created string // createTime of the server: a link is valid for this meeting only, not for a later one
	hash    string // accepted by the server
	since   time.Time
	end     *time.Timer
}

// Link returns a signed link that admits one viewer to a test meeting. Nobody else knows
// of the meeting, and it is ended within minutes. The meeting serves others too, so that a
// cancelled ctx does not stop its creation; it takes 2.5 s at most.
func (m *Meetings) Link(ctx context.Context, t Target) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTime)
	defer cancel()
	p := m.place(t.Name)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := m.Now()
	if now.Sub(p.failed) < retryAfter {
		return "", errors.New("create a test meeting: the server refused one recently")
	}
	if p.current == nil || p.current.target != t || now.Sub(p.current.since) >= meetingReuse {
		made, err := m.create(ctx, t)
		if err != nil {
			p.failed = now
			return "", err
		}
		p.replace(made, now)
	}
	return m.join(p.current)
}

func (m *Meetings) place(name string) *place {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.all[name]
	if p == nil {
		p = &place{}
		m.all[name] = p
	}
	return p
}

func (m *Meetings) randomName(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(m.Random, b); err != nil {
		return "", fmt.Errorf("generate the name of a test meeting: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// create creates a meeting (docs.bigbluebutton.org/development/api, create). The server
// determines which hashes it accepts: if it rejects the checksum, the others are tried,
// once each.
func (m *Meetings) create(ctx context.Context, t Target) (*meeting, error) {
	word, err := m.randomName(12)
	if err != nil {
		return nil, err
	}
	made := &meeting{target: t, id: "tonprobe-" + word, since: m.Now()}
	query := url.Values{
		"name": {"Tonprobe"}, "meetingID": {made.id}, "record": {"false"}, "duration": {strconv.Itoa(meetingMinutes)},
		// The server's presets are intended for real sessions: in a test meeting nobody
		// could admit a guest, or unmute anybody.
		"guestPolicy": {"ALWAYS_ACCEPT"}, "muteOnStart": {"false"}, "lockSettingsDisableMic": {"false"},
		"meetingExpireIfNoUserJoinedInMinutes": {strconv.Itoa(meetingMinutes)}, "meetingExpireWhenLastUserLeftInMinutes": {strconv.Itoa(meetingMinutes)},
	}
	others := slices.DeleteFunc(hashNames(), func(name string) bool { return name == t.Hash })
	for _, hash := range append([]string{t.Hash}, others...) {
		a, err := m.call(ctx, t, hash, "create", query)
		switch {
		case err != nil:
			// A slow server may have created it nevertheless.
			made.hash = hash
			_, unanswered := errors.AsType[*unansweredError](err)
			m.doubtful.Go(func() {
				if unanswered {
					select {
					case <-time.After(doubtfulAfter):
					case <-m.closing:
					}
				}
				if err := m.end(context.WithoutCancel(ctx), made); err != nil {
					m.Log.Debug("a test meeting that may exist was not ended", "target", t.Name, "err", err)
				}
			})
			return nil, fmt.Errorf("create a test meeting: %w", err)
		case a.MessageKey == "checksumError":
			continue
		case a.ReturnCode != "SUCCESS":
			return nil, fmt.Errorf("create a test meeting: the server rejected the request (%.40q)", a.MessageKey)
		}
		if a.CreateTime == "" {
			// Another address of the API answers with SUCCESS too: no meeting exists that
			// could be joined or ended.
			return nil, errors.New("create a test meeting: the response names no meeting")
		}
		made.hash, made.created = hash, string(a.CreateTime)
		made.end = time.AfterFunc(meetingLife, func() { m.finish(context.Background(), made) })
		return made, nil
	}
	return nil, errors.New("create a test meeting: the server rejected the secret")
}

// join returns a signed link for one participant. The name consists of letters, digits
// and spaces only: other characters break the sound of some versions.
func (m *Meetings) join(made *meeting) (string, error) {
	word, err := m.randomName(4)
	if err != nil {
		return "", err
	}
	query := url.Values{"fullName": {"Tonprobe " + word}, "meetingID": {made.id}, "role": {"VIEWER"}, "redirect": {"false"}, "createTime": {made.created}}
	at, err := address(made.target, made.hash, "join", query)
	if err != nil {
		return "", err
	}
	return at.String(), nil
}

// End ends the current test meeting of the named target, even if ctx is done.
func (m *Meetings) End(ctx context.Context, name string) error {
	p := m.place(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	open := p.current
	if open == nil || !open.end.Stop() {
		return nil
	}
	p.current = nil
	return m.end(context.WithoutCancel(ctx), open)
}

// end ends a meeting. A meeting that the server no longer has is not an error.
func (m *Meetings) end(ctx context.Context, made *meeting) error {
	ctx, cancel := context.WithTimeout(ctx, createTime)
	defer cancel()
	a, err := m.call(ctx, made.target, made.hash, "end", url.Values{"meetingID": {made.id}})
	switch {
	case err != nil:
		return fmt.Errorf("end a test meeting: %w", err)
	case a.ReturnCode != "SUCCESS" && a.MessageKey != "notFound" && a.MessageKey != "invalidMeetingIdentifier":
		return fmt.Errorf("end a test meeting: the server rejected the request (%.40q)", a.MessageKey)
	}
	return nil
}

// finish ends a meeting and logs a failure, because no caller waits for the result.
func (m *Meetings) finish(ctx context.Context, made *meeting) {
	if err := m.end(ctx, made); err != nil {
		m.Log.Warn("a test meeting was not ended; the server ends it within minutes", "target", made.target.Name, "err", err)
	}
}

// Close ends all meetings.
func (m *Meetings) Close() {
	m.close.Do(func() { close(m.closing) })
	m.mu.Lock()
	defer m.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range m.all {
		wg.Go(func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.replace(nil, m.Now())
			for _, open := range p.earlier {
				if open.end.Stop() {
					m.finish(context.Background(), open)
				}
			}
			p.earlier = nil
		})
	}
	wg.Wait()
	m.doubtful.Wait()
	m.Client.CloseIdleConnections()
}

// address returns the signed URL of an API call.
func address(t Target, hash, call string, query url.Values) (*url.URL, error) {
	u, err := url.Parse(t.URL)
	if err != nil {
		return nil, fmt.Errorf("read the address of the target: %w", err)
	}
	at := apiOf(u).JoinPath(call)
	raw := query.Encode()
	at.RawQuery = raw + "&checksum=" + checksum(hash, call, raw, t.Secret)
	return at, nil
}

// created is the response of create; createTime is a number in JSON.
type created struct {
	ReturnCode string      `xml:"returncode" json:"returncode"`
	MessageKey string      `xml:"messageKey" json:"messageKey"`
	CreateTime json.Number `xml:"createTime" json:"createTime"`
}

// unansweredError means that a call had no answer. It does not contain the signed URL.
type unansweredError struct{ problem string }

func (e *unansweredError) Error() string { return e.problem }

func (m *Meetings) call(ctx context.Context, t Target, hash, call string, query url.Values) (created, error) {
	at, err := address(t, hash, call, query)
	if err != nil {
		return created{}, err
	}
	x := Tester{Client: m.Client}
	status, body, err := x.do(ctx, request{http.MethodGet, at, ""})
	if err != nil {
		return created{}, &unansweredError{problemOf(err, createTime)}
	}
	a, ok := parseCreated(body)
	if status != http.StatusOK || !ok {
		return created{}, fmt.Errorf("this is not the API of a BigBlueButton (status %d)", status)
	}
	return a, nil
}

func parseCreated(body []byte) (created, bool) {
	var a created
	if xml.Unmarshal(body, &a) == nil && a.ReturnCode != "" {
		return a, a.valid()
	}
	var j struct {
		Response created `json:"response"`
	}
	if json.Unmarshal(body, &j) == nil && j.Response.ReturnCode != "" {
		return j.Response, j.Response.valid()
	}
	return created{}, false
}

func (a created) valid() bool {
	_, err := strconv.ParseInt(string(a.CreateTime), 10, 64)
	return a.CreateTime == "" || err == nil
}
