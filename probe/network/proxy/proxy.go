// Package proxy determines the proxy by which this computer reaches an address:
// from the environment, from the system's settings, or from the script (PAC) that
// these refer to. The result is for connecting only: the name of a proxy must not
// appear in a report or a log.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Resolver looks up names, as *net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Config contains the dependencies of a Finder. Zero fields mean the system's own.
type Config struct {
	// Getenv returns environment variables.
	Getenv func(string) string
	// System returns the system's settings.
	System func(context.Context) (Settings, error)
	// Dial is used to fetch the script, and to determine this computer's own
	// address.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Resolver resolves names for the script.
	Resolver Resolver
	// Now returns the time for the script.
	Now func() time.Time
	// Child returns the command that evaluates a script; nil starts this program
	// with [ChildArg].
	Child func(context.Context) (*exec.Cmd, error)
}

// keepFor is how long the settings are cached. On some systems reading them starts
// a program, and they rarely change.
const keepFor = time.Minute

// readTime limits reading the settings.
const readTime = 2 * time.Second

// ErrScript means that the script that selects the proxy does not work.
var ErrScript = errors.New("the proxy script does not work")

// ErrScriptUnreached is an [ErrScript]: there was no response at the script's
// address.
var ErrScriptUnreached = errors.New("its server cannot be reached")

// ErrScriptMissing is an [ErrScript]: the server or the folder exists, but not the
// script.
var ErrScriptMissing = errors.New("it was not found at its address")

// Finder selects proxies. It is safe for concurrent use.
type Finder struct {
	Config

	mu     sync.Mutex
	known  *known
	readAt time.Time
	// accepted contains the time of the last accepted connection by address.
	accepted map[string]time.Time
}

// known contains the settings that were read.
type known struct {
	settings  Settings
	script    *script
	scriptErr error
}

// NewFinder returns a Finder.
func NewFinder(c Config) *Finder {
	if c.Getenv == nil {
		c.Getenv = os.Getenv
	}
	if c.System == nil {
		c.System = readSystem
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Child == nil {
		c.Child = ownProgram
	}
	return &Finder{Config: c}
}

// Find returns the proxies for u in the order in which to try them; nil means a
// direct connection. There is at least one entry. The error is an [ErrScript].
func (f *Finder) Find(ctx context.Context, u *url.URL) ([]*url.URL, error) {
	direct := []*url.URL{nil}
	if isLoopback(u.Hostname()) {
		return direct, nil // a proxy cannot lead back to this computer
	}
	if env := fromEnvironment(f.Getenv); env.set() {
		return env.choose(u)
	}
	k := f.read(ctx)
	switch {
	case k.scriptErr != nil:
		return nil, fmt.Errorf("%w: %w", ErrScript, k.scriptErr)
	case k.script != nil:
		return k.script.find(ctx, u, f.Config)
	}
	return k.settings.choose(u), nil
}

// read returns the system's settings and their script, from the cache if it is
// fresh.
func (f *Finder) read(ctx context.Context) *known {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.Now(); f.known == nil || now.Sub(f.readAt).Abs() > keepFor {
		k := f.load(ctx)
		if ctx.Err() != nil {
			return k // cancelled: nothing to cache
		}
		f.known, f.readAt = k, now
	}
	return f.known
}

// load treats settings that cannot be read as empty: most systems have none.
func (f *Finder) load(ctx context.Context) *known {
	readCtx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	s, err := f.System(readCtx)
	if err != nil {
		return &known{}
	}
	k := &known{settings: s}
	if s.ScriptURL != "" {
		k.script, k.scriptErr = f.fetch(ctx, s.ScriptURL)
	}
	return k
}

func isLoopback(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") // RFC 6761 §6.3
}
