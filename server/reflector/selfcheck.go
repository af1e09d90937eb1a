package reflector

import (
	"context"
	"crypto/rand"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/stun/v4"
)

// selfCheck sends a request to each of the reflector's own UDP addresses, like an agent.
// It tells an agent that receives no answer whether the reflector is running, and the
// operator which address is silent ([Reflector.Check]). It cannot tell whether others can
// reach it; see [heard].
type selfCheck struct {
	ask func() survey
	now func() time.Time

	mu    sync.Mutex
	under chan struct{} // closed when the current check ends; nil if none is running
	tried time.Time     // start time of the last completed check; zero if there was none
	found survey        // result of the last completed check
}

// survey is the result of one check.
type survey struct {
	// far and near report whether both ports answer at an address that other machines can
	// use, and at a loopback one. A reflector that has only loopback addresses so far must
	// not tell participants that it is reachable.
	far, near bool
	// silent are the addresses that did not answer.
	silent []netip.AddrPort
}

// answersTo reports whether both ports answer at an address that the client can use: loopback means that this may
// be a loopback one.
func (s survey) answersTo(loopback bool) bool { return s.far || loopback && s.near }

const (
	// selfCheckEvery limits the rate of checks when many agents ask at the same time.
	selfCheckEvery = 2 * time.Second
	// selfCheckStale is the maximum age of a result that is used while the next check is
	// running. The age is part of the answer.
	selfCheckStale = 4 * time.Second
	// selfCheckWait is thousands of times the round trip within a machine. A busy reflector
	// that answers late is running all the same. A closed port is detected at once.
	selfCheckWait = time.Second
)

// ago returns the time in ms since both ports last answered; nil if they do not. loopback
// means that the client can use a loopback address.
func (c *selfCheck) ago(loopback bool) *int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := c.age()
	if age < 0 || age >= selfCheckEvery {
		under := c.begin()
		if age < 0 || age >= selfCheckStale || !c.found.answersTo(loopback) {
			c.mu.Unlock() // a check takes up to selfCheckWait
			<-under
			c.mu.Lock()
			age = max(0, c.age())
		}
	}
	if !c.found.answersTo(loopback) {
		return nil
	}
	return new(age.Milliseconds())
}

// latest returns a result that is at most selfCheckEvery old. The error is that of ctx.
func (c *selfCheck) latest(ctx context.Context) (survey, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := c.age(); age < 0 || age >= selfCheckEvery {
		under := c.begin()
		c.mu.Unlock()
		select {
		case <-under:
		case <-ctx.Done():
		}
		c.mu.Lock()
		if err := ctx.Err(); err != nil {
			return survey{}, err
		}
	}
	return c.found, nil
}

// age returns the age of the last result; negative if there is none, or if the clock was
// set back.
func (c *selfCheck) age() time.Duration {
	if c.tried.IsZero() {
		return -1
	}
	return c.now().Sub(c.tried)
}

// begin starts a check unless one is running. The caller holds mu.
func (c *selfCheck) begin() (under <-chan struct{}) {
	if c.under == nil {
		done := make(chan struct{})
		c.under = done
		go func() {
			began, found := c.now(), c.ask()
			c.mu.Lock()
			defer c.mu.Unlock()
			c.tried, c.found, c.under = began, found, nil
			close(done)
		}()
	}
	return c.under
}

// isLoopbackHost reports whether a client that uses this name is on this machine.
func isLoopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

// survey asks every address of the STUN port and of the media port at once. It excludes
// addresses that are translated outside (Config.MediaIPs), which may not answer from inside.
func (r *Reflector) survey() survey {
	ctx, cancel := context.WithTimeout(context.Background(), selfCheckWait)
	defer cancel()
	mediaQuestion, end := r.mediaQuestion()
	defer end()
	var all sync.WaitGroup
	ask := func(addrs []netip.AddrPort, question []stun.Setter) []bool {
		answered := make([]bool, len(addrs))
		for i, a := range addrs {
			all.Go(func() { answered[i] = answers(ctx, a, question) })
		}
		return answered
	}
	stunAddrs, mediaAddrs := r.relay.ports.addresses(), r.media.addresses()
	stunAnswered, mediaAnswered := ask(stunAddrs, bindingQuestion), ask(mediaAddrs, mediaQuestion)
	all.Wait()
	var found survey
	stunFar, stunNear := found.take(stunAddrs, stunAnswered)
	mediaFar, mediaNear := found.take(mediaAddrs, mediaAnswered)
	found.far, found.near = stunFar && mediaFar, stunNear && mediaNear
	return found
}

// take notes the silent addresses of a port, and reports where the port answers.
func (s *survey) take(addrs []netip.AddrPort, answered []bool) (far, near bool) {
	for i, a := range addrs {
		switch {
		case !answered[i]:
			s.silent = append(s.silent, a)
		case a.Addr().IsLoopback():
			near = true
		default:
			far = true
		}
	}
	return far, near
}

var bindingQuestion = []stun.Setter{stun.BindingRequest, stun.Fingerprint}

// mediaQuestion registers a session for the duration of a connectivity check, because the
// media port answers nobody else (RFC 8445 §7.3), and returns the request to send.
func (r *Reflector) mediaQuestion() (question []stun.Setter, end func()) {
	s := newSession(r, "", "")
	s.ufrag, s.pwd, s.offer.ufrag = rand.Text(), rand.Text(), rand.Text()
	r.media.enter(s)
	return []stun.Setter{stun.BindingRequest,
		stun.NewUsername(s.ufrag + ":" + s.offer.ufrag), stun.NewShortTermIntegrity(s.pwd), stun.Fingerprint}, s.closeUnregistered
}

// closeUnregistered ends a session that was never registered among the others.
func (s *session) closeUnregistered() {
	s.stop()
	s.r.media.leave(s)
	s.mu.Lock()
	paths := s.paths
	s.ended, s.paths = true, nil
	s.mu.Unlock()
	_ = s.keying.Close()
	for _, p := range paths {
		p.close()
	}
}

// answers sends a single request to one address: within a machine nothing is lost.
func answers(ctx context.Context, at netip.AddrPort, message []stun.Setter) bool {
	request, err := stun.Build(append([]stun.Setter{stun.TransactionID}, message...)...)
	if err != nil {
		return false
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return false
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(request.Raw); err != nil {
		return false
	}
	b := make([]byte, 1500)
	for {
		n, err := conn.Read(b)
		if err != nil {
			return false
		}
		answer := stun.Message{Raw: b[:n]}
		if answer.Decode() == nil && answer.TransactionID == request.TransactionID {
			return answer.Type == stun.BindingSuccess
		}
	}
}
