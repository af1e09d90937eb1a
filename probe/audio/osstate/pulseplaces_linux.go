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

// pulsePlaces finds the sound server and its cookie where libpulse looks for
// them, in the same order (PulseAudio 16: client-conf.c, context.c, authkey.c,
// core-util.c). A program that looks elsewhere is refused by a server that
// libpulse reaches, or reaches another one. Properties of the X11 root window
// are left out: they need a connection to the display.
type pulsePlaces struct {
	getenv func(string) string
	// etc is the directory of the machine's client.conf.
	etc string
	// systemSocket is that of a server for the whole machine.
	systemSocket string
	// machineID is what a server string may begin with, in braces.
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

// addresses are the servers in the order to try them in.
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

// parse reads a server string. One for another machine is no server of ours.
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
	// "tcp:" is IPv4 for libpulse; a bare name is either family.
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

// runtimeDir holds the socket of the user's server. Without a session it is
// behind a link in the configuration directory.
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

// configHome is where the cookie is kept, and what a relative path of one is
// relative to. A relative XDG_CONFIG_HOME is void (XDG Base Directory
// Specification).
func (p pulsePlaces) configHome() (string, bool) {
	if dir := p.getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "pulse"), true
	}
	home, ok := p.home()
	return filepath.Join(home, ".config", "pulse"), ok
}

// cookieBytes is the length of the shared secret (PA_NATIVE_COOKIE_LENGTH).
const cookieBytes = 256

// cookie returns the shared secret: the first of the files that holds one. A
// server of the same account accepts any over its socket, so that none at all
// is no error; one that may not be read is.
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

// clientConf is what client.conf says of these matters.
type clientConf struct {
	defaultServer string
	cookieFile    string
	localhost     bool // auto-connect-localhost
}

// clientConf reads the first client.conf there is, then its drop-ins.
func (p pulsePlaces) clientConf() clientConf {
	var c clientConf
	for _, path := range p.clientConfFiles() {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		c.parse(string(text), 0)
		drops, _ := filepath.Glob(path + ".d/*.conf") // in the order of their names
		for _, drop := range drops {
			if text, err := os.ReadFile(drop); err == nil {
				c.parse(string(text), 0)
			}
		}
		break
	}
	return c
}

// clientConfFiles looks past XDG_CONFIG_HOME, as libpulse does for this file.
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

// maxIncludes bounds .include directives that include each other.
const maxIncludes = 8

// parse reads the lines of one file over what earlier files said. A later
// assignment without a value takes an earlier one back.
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
