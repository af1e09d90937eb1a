package proxy

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"time"
)

const (
	maxLookups    = 30
	lookupTime    = time.Second
	maxWordsBytes = 256 << 10 // total output of a child
	maxRemembered = 64
)

// script is a PAC file with its cached results.
type script struct {
	source string

	mu     sync.Mutex
	chosen map[string][]*url.URL
	failed map[string]error // each failure of a looping script takes its whole time
}

// find evaluates the script for u.
func (s *script) find(ctx context.Context, u *url.URL, c Config) ([]*url.URL, error) {
	at := shown(u)
	s.mu.Lock()
	proxies, ok := s.chosen[at]
	failed := s.failed[at]
	s.mu.Unlock()
	if ok || failed != nil {
		return proxies, failed
	}
	// Without the lock: a caller that waits for the evaluation for another one would use up its
	// own time, and blame the script.
	asked := ctx
	ctx, cancel := context.WithTimeout(ctx, scriptTime+lookupTime)
	defer cancel()
	text, err := askChild(ctx, c, task{Source: s.source, URL: at, Host: u.Hostname(), Own: ownAddress(ctx, c), Now: c.Now()})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrScript, err)
		if asked.Err() == nil && len(s.failed) < maxRemembered { // otherwise the caller cancelled it
			s.failed[at] = err
		}
		return nil, err
	}
	proxies = parseResult(text)
	if len(s.chosen) < maxRemembered {
		s.chosen[at] = proxies
	}
	return proxies, nil
}

// shown returns the address as passed to the script: for https only the server, as
// in browsers since scripts were found to leak the rest.
func shown(u *url.URL) string {
	v := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
	if u.Scheme == "http" {
		v.Path, v.RawQuery = u.Path, u.RawQuery
	}
	return v.String()
}

// ownProgram returns the command that starts this program to evaluate a script.
func ownProgram(ctx context.Context) (*exec.Cmd, error) {
	if err := notInChild(ctx); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	return exec.CommandContext(ctx, self, ChildArg), nil
}

// askChild passes a task to a child and answers its questions.
func askChild(ctx context.Context, c Config, t task) (string, error) {
	ctx, cancel := context.WithCancel(ctx) // kills a child that continues after its result
	defer cancel()
	cmd, err := c.Child(ctx)
	if err != nil {
		return "", err
	}
	cmd.Env = append(os.Environ(), childMark+"=1")
	cmd.WaitDelay = time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", fmt.Errorf("open a pipe to the child: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("open a pipe from the child: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start the child: %w", err)
	}
	text, err := converse(ctx, c, t, in, out)
	cancel()
	ended := cmd.Wait()
	if err != nil && ended != nil {
		return "", fmt.Errorf("%w (%w)", err, ended)
	}
	return text, err
}

func converse(ctx context.Context, c Config, t task, in io.Writer, out io.Reader) (string, error) {
	say := json.NewEncoder(in)
	if err := say.Encode(t); err != nil {
		return "", fmt.Errorf("send the task to the child: %w", err)
	}
	hear := json.NewDecoder(bufio.NewReader(io.LimitReader(out, maxWordsBytes)))
	for range maxLookups + 1 {
		var w word
		if err := hear.Decode(&w); err != nil {
			return "", fmt.Errorf("it exited without a result: %w", err)
		}
		switch {
		case w.Error != "":
			return "", errors.New(w.Error)
		case w.Result != nil:
			return *w.Result, nil
		}
		if err := say.Encode(addresses{lookUp(ctx, c.Resolver, w.LookUp)}); err != nil {
			return "", fmt.Errorf("answer the child: %w", err)
		}
	}
	return "", errors.New("it resolves too many names")
}

func lookUp(ctx context.Context, r Resolver, host string) []netip.Addr {
	if host == "" || len(host) > 253 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	addrs, err := r.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs
}

// ownAddress returns this computer's address on the default route. Connecting a UDP
// socket sends nothing; the destination is reserved for documentation (RFC 5737).
func ownAddress(ctx context.Context, c Config) string {
	const none = "127.0.0.1"
	conn, err := c.Dial(ctx, "udp4", "192.0.2.1:9")
	if err != nil {
		return none
	}
	defer func() { _ = conn.Close() }()
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	if err != nil {
		return none
	}
	return host
}
