// Package server is the collector: it enrols agents, stores their reports, reflects their test
// streams and presents the results to support.
package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report/origin"
	"github.com/tonprobe/tonprobe/server/observe"
)

// ErrConfig means that a Config is contradictory; its text states what to do.
var ErrConfig = errors.New("wrong configuration")

// FirstUser is the initial member of staff of a new collector.
const FirstUser = "support"

// DefaultTimeZone is the name of the zone of a collector whose configuration names none.
const DefaultTimeZone = "Europe/Berlin"

// Config configures the collector. Only DataDir is required.
type Config struct {
	DataDir string
	// Version is the version of the program, for the reports of the browser check; "" if unknown.
	Version string
	// ProfilesDir contains the town's own limits, NAME.toml; default profiles in DataDir, which
	// may be missing.
	ProfilesDir string
	// Land is the name of the rules for disturbance records (disturbance.LoadRules); "" for none.
	Land string
	// RulesDir contains a town's own rules, NAME.toml; default rules in DataDir, which may be
	// missing.
	RulesDir string
	// ProvidersFile maps addresses to providers (fleet.ReadProviders). Without it, which is the
	// default, the first half of an address represents its provider.
	ProvidersFile string
	// DatabaseURL is a PostgreSQL database (postgres://user@host:5432/database) for all data but keys
	// and certificates. Without it the data is in a SQLite file in DataDir. It may contain a
	// password.
	DatabaseURL string
	// Listen is host:port for pages and API; default ":8443", and "127.0.0.1:8443" behind a
	// proxy on this machine, where the unencrypted port is for the proxy only.
	Listen string
	// PublicURL is the address that people and agents use (scheme and host), if it differs from
	// Listen, such as that of a proxy.
	PublicURL string
	// MediaHost is the host name or address at which agents reach this collector's STUN and TURN, if it
	// differs from the host of PublicURL: several collectors have a common PublicURL, that of a load
	// balancer.
	MediaHost string
	// TLSCert and TLSKey are PEM files. Without them, and without BehindProxy, the collector
	// creates its own certificate.
	TLSCert, TLSKey string
	// BehindProxy contains the networks of the proxies that terminate TLS. The collector then
	// serves plain HTTP, and trusts their forwarding headers.
	BehindProxy []netip.Prefix

	// The reflector; see reflector.Config.
	STUNListen, MediaListen string
	MediaIPs                []netip.Addr
	STUNAlternate           netip.Addr
	// TURNTLSListen is host:port of TURN over TLS; empty disables it.
	TURNTLSListen string
	TURNSecret    []byte

	// ICEServers are external STUN and TURN servers for agents, in addition to the collector's own
	// or instead of them.
	ICEServers ICEServers

	// MetricsListen is host:port of /metrics; empty disables it. With MetricsOptional the
	// collector starts even if that address is in use.
	MetricsListen   string
	MetricsOptional bool

	// AlertsFile contains the rules and channels of alerts (package alert); empty for none.
	AlertsFile string

	// SignIn is the sign-in of staff with OpenID Connect.
	SignIn SignIn

	// KeepReports is the retention period of reports; 0 means unlimited. The newest report of a
	// participant is always kept.
	KeepReports time.Duration

	// KeepAudit is the retention period of the audit log; 0 means unlimited.
	KeepAudit time.Duration
	// KeepRecords is the retention period of disturbance records; 0 means unlimited.
	KeepRecords time.Duration
	// KeepSessions is the retention period of council sessions, KeepPeople that of people without a council, from the
	// last time that they used a computer; 0 means unlimited.
	KeepSessions, KeepPeople time.Duration
	// KeepErasedNames is the retention period of the tombstones of names, which prevent an import from
	// adding an erased person again; 0 means unlimited.
	KeepErasedNames time.Duration

	// CodeTTL is the lifetime of enrolment codes from the dashboard; 0 means enroll.CodeTTL.
	CodeTTL time.Duration

	// FreshFor is the time for which the dashboard counts a check; 0 means 24 hours.
	FreshFor time.Duration

	// TimeZone is the zone of the times on the pages and of sessions; nil means time.Local.
	TimeZone *time.Location

	// KeepFullAddresses stores public addresses without truncation.
	KeepFullAddresses bool

	// Contact is where people report accessibility problems of the pages: an e-mail or a web
	// address. Without it the pages refer to the office that gave access.
	Contact string

	// Arbitration is the arbitration body that the statement of accessibility names: its web address
	// or its name and address.
	Arbitration string

	// SupportPhone is the phone number of support, which agents show with a result.
	SupportPhone string

	// FirstPassword receives the password of FirstUser at the first start.
	FirstPassword func(name, password string)

	// Glossary describes the probes whose data is stored and shown; default those of this
	// version.
	Glossary diagnose.Glossary

	Log  *slog.Logger     // default: discards
	Now  func() time.Time // default time.Now; must carry a monotonic reading
	Rand io.Reader        // default crypto/rand
}

func (c Config) withDefaults() Config {
	if c.Listen == "" {
		c.Listen = ":8443"
		if c.plainHTTP() && !slices.ContainsFunc(c.BehindProxy, func(p netip.Prefix) bool { return !p.Addr().IsLoopback() }) {
			c.Listen = "127.0.0.1:8443"
		}
	}
	if c.TURNTLSListen == c.Listen && !c.plainHTTP() {
		c.TURNTLSListen = "" // that port already serves it
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Log = slog.New(observe.LogRequests(c.Log.Handler()))
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.FirstPassword == nil {
		c.FirstPassword = func(string, string) {}
	}
	return c
}

// Validate returns ErrConfig, with what to do about it.
func (c Config) Validate() error {
	if c.DataDir == "" {
		return fmt.Errorf("%w: no data directory is given", ErrConfig)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return fmt.Errorf("%w: a TLS certificate and its key go together: give both files or neither", ErrConfig)
	}
	for _, listen := range []string{c.Listen, c.STUNListen, c.MediaListen, c.TURNTLSListen, c.MetricsListen} {
		if listen == "" {
			continue
		}
		_, port, err := net.SplitHostPort(listen)
		if err != nil {
			return fmt.Errorf("%w: %q is not an address to listen on: write host:port or :port", ErrConfig, listen)
		}
		if n, err := strconv.Atoi(port); err == nil && (n < 0 || n > 65535) {
			return fmt.Errorf("%w: %q is not an address to listen on: the highest port is 65535", ErrConfig, listen)
		}
	}
	if c.SupportPhone != "" && !wire.IsPhone(c.SupportPhone) {
		return fmt.Errorf("%w: %.60q is not a telephone number: write it like 0228 5550100", ErrConfig, c.SupportPhone)
	}
	if c.MediaHost != "" && (strings.ContainsAny(c.MediaHost, "/@ ") || strings.Contains(c.MediaHost, ":") && net.ParseIP(c.MediaHost) == nil) {
		return fmt.Errorf("%w: %.60q is not a host: write a name or an address, without scheme and port", ErrConfig, c.MediaHost)
	}
	if err := c.ICEServers.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := c.validateSignIn(); err != nil {
		return err
	}
	if c.PublicURL == "" {
		return nil
	}
	u, err := origin.ParseSecure(c.PublicURL) // agents send their token to no other
	if err != nil {
		return fmt.Errorf("%w: the public %w", ErrConfig, err)
	}
	if (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("%w: the public address must contain only a server: write %s", ErrConfig, origin.Of(u))
	}
	return nil
}

// publicOrigin returns PublicURL as browsers write an origin: in ASCII, without path
// and default port; "" for none. The Config must be valid.
func (c Config) publicOrigin() string {
	u, err := origin.Parse(c.PublicURL)
	if err != nil {
		return ""
	}
	return origin.Of(u)
}

// publicHost returns the host of PublicURL; "" for none.
func (c Config) publicHost() string {
	u, err := origin.Parse(c.PublicURL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// mediaHost returns the host of STUN and TURN; "" for the host that agents use for the API.
func (c Config) mediaHost() string {
	if c.MediaHost != "" {
		return c.MediaHost
	}
	return c.publicHost()
}

func (c Config) plainHTTP() bool { return len(c.BehindProxy) > 0 && c.TLSCert == "" }
