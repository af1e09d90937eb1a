// Package proxy finds out by which proxy this computer reaches an address: from
// the environment, from the system's settings, or from the script (PAC) they
// name. What it returns is for connecting only: the name of a proxy belongs in
// no report and no log.
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

// Config is what a Finder uses of the world. Zero fields are the system's own.
type Config struct {
	// Getenv reads the environment.
	Getenv func(string) string
	// System reads the system's settings.
	System func(context.Context) (Settings, error)
	// Dial fetches the script and asks for this computer's own address.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Resolver answers the script's questions for addresses.
	Resolver Resolver
	// Now is the time the script sees.
	Now func() time.Time
	// Child makes the command that evaluates a script; nil starts this program
	// with [ChildArg].
	Child func(context.Context) (*exec.Cmd, error)
}

// keepFor is how long what was read stays good. Reading starts a program on
// some systems, and settings hardly ever change.
const keepFor = time.Minute

// readTime bounds reading the settings.
const readTime = 2 * time.Second

// ErrScript says that the script which is to choose the proxy does not work.
var ErrScript = errors.New("the proxy script does not work")

// ErrScriptUnreached is an [ErrScript] where nothing answered at its address.
var ErrScriptUnreached = errors.New("its server is not reached")

// ErrScriptMissing is an [ErrScript] where its server, or its folder, is there and the
// script is not.
var ErrScriptMissing = errors.New("it is not at its address")

// Finder chooses proxies. It may be used by several at once.
type Finder struct {
	Config

	mu     sync.Mutex
	known  *known
	readAt time.Time
	// accepted is when a machine last took a connection, by its address.
	accepted map[string]time.Time
}

// known is what was read of the settings.
type known struct {
	settings  Settings
	script    *script
	scriptErr error
}

// NewFinder makes a Finder.
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

// Find returns the ways to u in the order to try them; nil stands for a direct
// connection. There is always at least one. The error is [ErrScript].
func (f *Finder) Find(ctx context.Context, u *url.URL) ([]*url.URL, error) {
	direct := []*url.URL{nil}
	if isLoopback(u.Hostname()) {
		return direct, nil // no proxy leads back to this computer
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

// read gives the system's settings and their script, from memory while that is
// fresh.
func (f *Finder) read(ctx context.Context) *known {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.Now(); f.known == nil || now.Sub(f.readAt).Abs() > keepFor {
		k := f.load(ctx)
		if ctx.Err() != nil {
			return k // broken off: nothing to remember
		}
		f.known, f.readAt = k, now
	}
	return f.known
}

// load takes settings that cannot be read for none: most systems have none.
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
