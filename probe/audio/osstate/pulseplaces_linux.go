package osstate

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pulsePlaces locates the sound server and its cookie in the places and the order of
// libpulse (PulseAudio 16: client-conf.c, context.c, authkey.c, core-util.c). A program
// that uses other places is refused by a server that libpulse reaches, or reaches another
// one. Properties of the X11 root window are omitted: they require a connection to the
// display.
type pulsePlaces struct {
	getenv func(string) string
	// etc is the directory of the system-wide client.conf.
	etc string
	// systemSocket is the socket of a system-wide server.
	systemSocket string
	// machineID is what may precede a server string in braces.
	machineID string
}

func ourPulsePlaces() pulsePlaces {
	return pulsePlaces{getenv: os.Getenv, etc: "/etc/pulse", systemSocket: "/var/run/pulse/native", machineID: machineID()}
}

func machineID() string {
	for _, path := range []string{"/etc/machine-id", "/var/lib/dbus/machine-id"} {
		if id, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(id))
		}
	}
	return ""
}

// pulseAddress is one server to try.
type pulseAddress struct{ network, addr string }

// addresses returns the servers in the order in which to try them.
func (p pulsePlaces) addresses() []pulseAddress {
	conf := p.clientConf()
	list := conf.defaultServer
	if env := p.getenv("PULSE_SERVER"); env != "" {
		list = env
	}
	if list != "" {
		var found []pulseAddress
		for _, s := range strings.Fields(list) {
			if a, ok := p.parse(s); ok {
				found = append(found, a)
			}
		}
		return found
	}
	var found []pulseAddress
	if dir, ok := p.runtimeDir(); ok {
		found = append(found, pulseAddress{"unix", filepath.Join(dir, "native")})
	}
	found = append(found, pulseAddress{"unix", p.systemSocket})
	if conf.localhost {
		found = append(found, pulseAddress{"tcp4", "127.0.0.1:4713"}, pulseAddress{"tcp6", "[::1]:4713"})
	}
	return found
}

// parse parses a server string. It returns false for one of another machine.
func (p pulsePlaces) parse(s string) (pulseAddress, bool) {
	if strings.HasPrefix(s, "{") {
		rest, ours := strings.CutPrefix(s, "{"+p.machineID+"}")
		if p.machineID == "" || !ours {
			return pulseAddress{}, false
		}
		s = rest
	}
	if path, ok := strings.CutPrefix(s, "unix:"); ok || strings.HasPrefix(s, "/") {
		return pulseAddress{"unix", path}, path != ""
	}
	// libpulse uses IPv4 only for "tcp:"; a bare name may resolve to either family.
	network := "tcp"
	for prefix, n := range map[string]string{"tcp:": "tcp4", "tcp4:": "tcp4", "tcp6:": "tcp6"} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			network, s = n, rest
			break
		}
	}
	if s == "" {
		return pulseAddress{}, false
	}
	if _, _, err := net.SplitHostPort(s); err == nil {
		return pulseAddress{network, s}, true
	}
	return pulseAddress{network, net.JoinHostPort(strings.Trim(s, "[]"), "4713")}, true
}

// runtimeDir returns the directory of the user server's socket. Without a session it
// is reached through a link in the configuration directory.
func (p pulsePlaces) runtimeDir() (string, bool) {
	if dir := p.getenv("PULSE_RUNTIME_PATH"); dir != "" {
		return dir, true
	}
	if dir := p.getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "pulse"), true
	}
	home, ok := p.home()
	if !ok || p.machineID == "" {
		return "", false
	}
	dir := filepath.Join(home, ".pulse")
	if _, err := os.Stat(dir); err != nil {
		if dir, ok = p.configHome(); !ok {
			return "", false
		}
	}
	return filepath.Join(dir, p.machineID+"-runtime"), true
}

func (p pulsePlaces) home() (string, bool) {
	if dir := p.getenv("HOME"); filepath.IsAbs(dir) {
		return dir, true
	}
	dir, err := os.UserHomeDir()
	return dir, err == nil && filepath.IsAbs(dir)
}

// configHome returns the directory of the cookie, to which a relative cookie path
// refers. A relative XDG_CONFIG_HOME is ignored (XDG Base Directory Specification).
func (p pulsePlaces) configHome() (string, bool) {
	if dir := p.getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "pulse"), true
	}
	home, ok := p.home()
	return filepath.Join(home, ".config", "pulse"), ok
}

// cookieBytes is the length of the shared secret (PA_NATIVE_COOKIE_LENGTH).
const cookieBytes = 256

// cookie returns the shared secret from the first file that contains one. A server of
// the same account accepts any secret over its socket, so a missing cookie is not an
// error. An unreadable one is.
func (p pulsePlaces) cookie() ([]byte, error) {
	paths := []string{p.getenv("PULSE_COOKIE"), p.clientConf().cookieFile}
	paths = slices.DeleteFunc(paths, func(path string) bool { return path == "" })
	if dir, ok := p.configHome(); ok {
		for i, path := range paths {
			if !filepath.IsAbs(path) {
				paths[i] = filepath.Join(dir, path)
			}
		}
		paths = append(paths, filepath.Join(dir, "cookie"))
	}
	if home, ok := p.home(); ok {
		paths = append(paths, filepath.Join(home, ".pulse-cookie"))
	}
	var refused error
	for _, path := range paths {
		secret, err := os.ReadFile(path)
		switch {
		case err == nil && len(secret) >= cookieBytes:
			return secret[:cookieBytes], nil
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			refused = fmt.Errorf("read the sound server's cookie: %w", err)
		}
	}
	return make([]byte, cookieBytes), refused
}

// clientConf contains the relevant settings of client.conf.
type clientConf struct {
	defaultServer string
	cookieFile    string
	localhost     bool // auto-connect-localhost
}

// clientConf reads the first client.conf that exists, then its drop-ins.
func (p pulsePlaces) clientConf() clientConf {
	var c clientConf
	for _, path := range p.clientConfFiles() {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		c.parse(string(text), 0)
		drops, _ := filepath.Glob(path + ".d/*.conf") // sorted by name
		for _, drop := range drops {
			if text, err := os.ReadFile(drop); err == nil {
				c.parse(string(text), 0)
			}
		}
		break
	}
	return c
}

// clientConfFiles returns the files to look for, in order. Like libpulse, it ignores
// XDG_CONFIG_HOME for them.
func (p pulsePlaces) clientConfFiles() []string {
	if path := p.getenv("PULSE_CLIENTCONFIG"); path != "" {
		return []string{path}
	}
	var paths []string
	if dir := p.getenv("PULSE_CONFIG_PATH"); dir != "" {
		paths = append(paths, filepath.Join(dir, "client.conf"))
	} else if home, ok := p.home(); ok {
		paths = append(paths, filepath.Join(home, ".pulse", "client.conf"), filepath.Join(home, ".config", "pulse", "client.conf"))
	}
	return append(paths, filepath.Join(p.etc, "client.conf"))
}

// maxIncludes limits .include directives that include each other.
const maxIncludes = 8

// parse applies the lines of one file on top of the earlier files. A later assignment
// without a value resets an earlier one.
func (c *clientConf) parse(text string, depth int) {
	for line := range strings.Lines(text) {
		if comment := strings.IndexAny(line, "#;"); comment >= 0 {
			line = line[:comment]
		}
		line = strings.TrimSpace(line)
		if file, ok := strings.CutPrefix(line, ".include "); ok && depth < maxIncludes {
			if included, err := os.ReadFile(strings.TrimSpace(file)); err == nil {
				c.parse(string(included), depth+1)
			}
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "default-server":
			c.defaultServer = value
		case "cookie-file":
			c.cookieFile = value
		case "auto-connect-localhost":
			c.localhost = slices.Contains([]string{"1", "y", "yes", "t", "true", "on"}, strings.ToLower(value))
		}
	}
}
