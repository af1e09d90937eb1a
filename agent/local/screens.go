package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/tonprobe/tonprobe/agent/channel"
	"github.com/tonprobe/tonprobe/probe"
)

// Screens are the open programs of signed-in people, which have registered to show the requests of
// phone support and to run the checks in the person's session. It implements channel.Screen.
type Screens struct {
	log *slog.Logger

	mu      sync.Mutex
	open    []*screen     // the oldest first
	changed chan struct{} // closed when the first one registers or the last one leaves
}

var _ channel.Screen = (*Screens)(nil)

// NewScreens returns Screens without a program.
func NewScreens(log *slog.Logger) *Screens {
	return &Screens{log: log, changed: make(chan struct{})}
}

// Limits of the screens of one machine and of one account.
const (
	maxScreens        = 8
	maxScreensAccount = 2
)

// maxEvents limits the events of one check other than levels, of which a check has about 50. The
// collector closes the channel of an agent that sends too many.
const maxEvents = 200

// Time limits of a screen.
const (
	screenWriteTime = 2 * time.Second
	// screenPingEvery is how often a screen is pinged, to detect a program that hangs or
	// was stopped. The person is then asked through another program, or support learns
	// that nobody can be asked.
	screenPingEvery = 15 * time.Second
	screenPingTime  = 10 * time.Second
)

// screen is one registered program.
type screen struct {
	account string
	conn    *websocket.Conn
	left    chan struct{} // closed when the program is gone

	mu     sync.Mutex
	asking *asking // the request that is shown or whose check runs
}

// asking is the request that a screen shows.
type asking struct {
	id       string
	messages chan screenMessage
}

// Present reports whether a program is open, and returns a channel that is closed when that changes.
func (s *Screens) Present() (now bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open) > 0, s.changed
}

func (s *Screens) add(n *screen) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ofAccount := 0
	for _, other := range s.open {
		if other.account == n.account {
			ofAccount++
		}
	}
	if len(s.open) >= maxScreens || ofAccount >= maxScreensAccount {
		return fmt.Errorf("%w: %d programs are open", ErrBusy, len(s.open))
	}
	s.open = append(s.open, n)
	if len(s.open) == 1 {
		s.notify()
	}
	return nil
}

func (s *Screens) remove(n *screen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(other *screen) bool { return other == n })
	if len(s.open) == 0 {
		s.notify()
	}
	close(n.left)
}

func (s *Screens) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// serve keeps a program registered until its connection ends.
func (s *Screens) serve(w http.ResponseWriter, r *http.Request, peer Peer) error {
	n := &screen{account: peer.Account, left: make(chan struct{})}
	// Registered first, so that a refusal is a response like any other.
	if err := s.add(n); err != nil {
		return err
	}
	defer s.remove(n)
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		s.log.Debug("a program could not register", "err", err)
		return nil // Accept has responded
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxScreenBytes)
	n.mu.Lock()
	n.conn = conn
	n.mu.Unlock()
	s.log.Info("a program of a signed-in person is open", "account", peer.Account)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go n.ping(ctx, cancel)
	err = n.receive(ctx)
	if errors.Is(err, ErrScreenMessage) {
		s.log.Warn("a program was disconnected", "account", peer.Account, "err", err)
		_ = conn.Close(websocket.StatusPolicyViolation, "invalid message")
	}
	s.log.Info("a program of a signed-in person is closed", "account", peer.Account)
	return nil
}

func (n *screen) ping(ctx context.Context, gone context.CancelFunc) {
	every := time.NewTicker(screenPingEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
		wait, cancel := context.WithTimeout(ctx, screenPingTime)
		err := n.conn.Ping(wait)
		cancel()
		if err != nil {
			gone()
			return
		}
	}
}

func (n *screen) receive(ctx context.Context) error {
	for {
		_, b, err := n.conn.Read(ctx)
		if err != nil {
			return err
		}
		m, err := parseFromScreen(b)
		if err != nil {
			return err
		}
		n.mu.Lock()
		// A message for another request is late, or was never asked for. It has no effect.
		if a := n.asking; a != nil && a.id == m.ID {
			select {
			case a.messages <- m:
			default: // more than a check sends
			}
		}
		n.mu.Unlock()
	}
}

func (n *screen) send(ctx context.Context, m screenMessage) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	n.mu.Lock()
	conn := n.conn
	n.mu.Unlock()
	if conn == nil {
		return channel.ErrNoPerson // it is just registering
	}
	ctx, cancel := context.WithTimeout(ctx, screenWriteTime)
	defer cancel()
	return conn.Write(ctx, websocket.MessageText, b)
}

// Ask implements channel.Screen. It asks one person at a time: the one whose program was opened
// last, and the next one only if that program is occupied or gone. A "no" is final.
func (s *Screens) Ask(ctx context.Context, r channel.Retest) (channel.Consent, error) {
	s.mu.Lock()
	candidates := slices.Clone(s.open)
	s.mu.Unlock()
	result := channel.ErrNoPerson
	for _, n := range slices.Backward(candidates) {
		c, err := n.ask(ctx, r)
		switch {
		case errors.Is(err, channel.ErrBusy):
			result = err
		case !errors.Is(err, channel.ErrNoPerson):
			return c, err
		}
	}
	return channel.Consent{}, result
}

// ask asks one person. The error is channel.ErrNoPerson if the program is gone.
func (n *screen) ask(ctx context.Context, r channel.Retest) (channel.Consent, error) {
	a := &asking{id: r.ID, messages: make(chan screenMessage, maxEvents)}
	n.mu.Lock()
	if n.asking != nil {
		n.mu.Unlock()
		return channel.Consent{}, channel.ErrBusy
	}
	n.asking = a
	n.mu.Unlock()
	end := func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.asking = nil
	}
	question := screenMessage{Type: screenAsk, ID: r.ID, What: r.What, By: r.By, LeftMS: max(time.Until(r.Ends).Milliseconds(), 1), Agreed: r.Agreed}
	if n.send(ctx, question) != nil {
		end()
		return channel.Consent{}, errors.Join(channel.ErrNoPerson, ctx.Err())
	}
	m, err := n.next(ctx, a)
	if err == nil && m.Type != screenAnswer {
		err = fmt.Errorf("%w: %s before the answer", ErrScreenMessage, m.Type)
	}
	switch {
	case err != nil:
		end()
		if errors.Is(err, channel.ErrEnded) {
			err = channel.ErrNoPerson
		}
		return channel.Consent{}, err
	case m.Answer == answerBusy:
		end()
		return channel.Consent{}, channel.ErrBusy
	case m.Answer == answerNo:
		end()
		return channel.Consent{}, nil
	}
	return channel.Consent{
		Given: true, Always: m.Answer == answerAlways,
		Run: func(ctx context.Context, tell func(probe.Event)) (string, error) {
			defer end()
			return n.follow(ctx, a, tell)
		},
	}, nil
}

// next returns the next message about a request. When ctx is done, the person is told that it is
// over. The error is channel.ErrEnded if the program is gone.
func (n *screen) next(ctx context.Context, a *asking) (screenMessage, error) {
	select {
	case m := <-a.messages:
		return m, nil
	case <-ctx.Done():
		_ = n.send(context.WithoutCancel(ctx), screenMessage{Type: screenOver, ID: a.id})
		return screenMessage{}, ctx.Err()
	case <-n.left:
		return screenMessage{}, channel.ErrEnded
	}
}

// follow passes on the events of the check that runs in the person's program.
func (n *screen) follow(ctx context.Context, a *asking, tell func(probe.Event)) (reportID string, err error) {
	for events := 0; ; {
		m, err := n.next(ctx, a)
		switch {
		case err != nil:
			return "", err
		case m.Type == screenEvent:
			if m.Status != "" {
				events++
			}
			if events <= maxEvents {
				tell(m.event())
			}
		case m.Type == screenDone && m.ReportID == "":
			return "", channel.ErrEnded
		case m.Type == screenDone:
			return m.ReportID, nil
		}
	}
}
