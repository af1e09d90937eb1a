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
	maxWordsBytes = 256 << 10 // of all that a child says
	maxRemembered = 64
)

// script is a PAC file and what it chose before.
type script struct {
	source string

	mu     sync.Mutex
	chosen map[string][]*url.URL
	failed map[string]error // each failure of a loop takes its whole time
}

// find asks the script for the ways to u.
func (s *script) find(ctx context.Context, u *url.URL, c Config) ([]*url.URL, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := shown(u)
	if ways, ok := s.chosen[at]; ok {
		return ways, nil
	}
	if err, ok := s.failed[at]; ok {
		return nil, err
	}
	asked := ctx
	ctx, cancel := context.WithTimeout(ctx, scriptTime+lookupTime)
	defer cancel()
	text, err := askChild(ctx, c, task{Source: s.source, URL: at, Host: u.Hostname(), Own: ownAddress(ctx, c), Now: c.Now()})
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrScript, err)
		if asked.Err() == nil && len(s.failed) < maxRemembered { // else the caller broke it off
			s.failed[at] = err
		}
		return nil, err
	}
	ways := parseResult(text)
	if len(s.chosen) < maxRemembered {
		s.chosen[at] = ways
	}
	return ways, nil
}

// shown is the address as the script sees it: of an encrypted one, nothing but
// the server, as browsers have it since scripts were found to leak the rest.
func shown(u *url.URL) string {
	v := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}
	if u.Scheme == "http" {
		v.Path, v.RawQuery = u.Path, u.RawQuery
	}
	return v.String()
}

// ownProgram starts this program once more, to evaluate a script.
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

// askChild gives a task to a child and answers its questions.
func askChild(ctx context.Context, c Config, t task) (string, error) {
	ctx, cancel := context.WithCancel(ctx) // a child never outlives its answer
	defer cancel()
	cmd, err := c.Child(ctx)
	if err != nil {
		return "", err
	}
	cmd.Env = append(os.Environ(), childMark+"=1")
	cmd.WaitDelay = time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return "", fmt.Errorf("reach the child: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("hear the child: %w", err)
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
		return "", fmt.Errorf("give the child its task: %w", err)
	}
	hear := json.NewDecoder(bufio.NewReader(io.LimitReader(out, maxWordsBytes)))
	for range maxLookups + 1 {
		var w word
		if err := hear.Decode(&w); err != nil {
			return "", fmt.Errorf("it ended without a choice: %w", err)
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
	return "", errors.New("it asks for too many names")
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

// ownAddress is this computer's on the way out. Connecting a UDP socket sends
// nothing; the address is one for documentation (RFC 5737).
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
