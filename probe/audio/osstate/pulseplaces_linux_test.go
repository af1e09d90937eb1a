package osstate

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// in returns the places for a program with a home directory, files and environment.
func in(t *testing.T, env map[string]string, files map[string]string) (pulsePlaces, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "$DIR", dir)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	getenv := func(key string) string {
		value, set := env[key]
		if !set && key == "HOME" {
			value = "$DIR/home"
		}
		return strings.ReplaceAll(value, "$DIR", dir)
	}
	return pulsePlaces{getenv: getenv, etc: filepath.Join(dir, "etc"), systemSocket: "/system", machineID: "0123"}, dir
}

// TestPulseAddresses: the expected values were observed with strace of pactl 16.1.
func TestPulseAddresses(t *testing.T) {
	session := map[string]string{"XDG_RUNTIME_DIR": "/r"}
	for _, c := range []struct {
		name  string
		env   map[string]string
		files map[string]string
		want  []string
	}{
		{"session", session, nil, []string{"unix /r/pulse/native", "unix /system"}},
		{"runtime path", map[string]string{"PULSE_RUNTIME_PATH": "/p", "XDG_RUNTIME_DIR": "/r"}, nil, []string{"unix /p/native", "unix /system"}},
		{"no session", nil, nil, []string{"unix $DIR/home/.config/pulse/0123-runtime/native", "unix /system"}},
		{"no session, configuration elsewhere", map[string]string{"XDG_CONFIG_HOME": "/c"}, nil, []string{"unix /c/pulse/0123-runtime/native", "unix /system"}},
		{"no session, old directory", map[string]string{"XDG_CONFIG_HOME": "/c"}, map[string]string{"home/.pulse/x": ""}, []string{"unix $DIR/home/.pulse/0123-runtime/native", "unix /system"}},
		{"list", map[string]string{"PULSE_SERVER": "{other}unix:/a {0123}unix:/b /c tcp:example.org tcp6:[::1]:99 host"}, nil,
			[]string{"unix /b", "unix /c", "tcp4 example.org:4713", "tcp6 [::1]:99", "tcp host:4713"}},
		{"another machine's", map[string]string{"PULSE_SERVER": "{other}/a"}, nil, nil},
		{"machine's file", session, map[string]string{"etc/client.conf": "; c\ndefault-server = unix:/etc-server # why\n"}, []string{"unix /etc-server"}},
		{"drop-ins in order", session, map[string]string{
			"etc/client.conf": "default-server=/a\n", "etc/client.conf.d/20.conf": "default-server = /c", "etc/client.conf.d/10.conf": "default-server = /b", "etc/client.conf.d/30.other": "default-server = /d",
		}, []string{"unix /c"}},
		{"the user's before the machine's", session, map[string]string{
			"etc/client.conf": "default-server = /a", "home/.config/pulse/client.conf": "default-server = /b",
		}, []string{"unix /b"}},
		{"not where XDG_CONFIG_HOME points", map[string]string{"XDG_CONFIG_HOME": "$DIR/cfg", "XDG_RUNTIME_DIR": "/r"}, map[string]string{
			"cfg/pulse/client.conf": "default-server = /a",
		}, []string{"unix /r/pulse/native", "unix /system"}},
		{"file by variable", map[string]string{"PULSE_CLIENTCONFIG": "$DIR/my.conf"}, map[string]string{
			"my.conf": ".include $DIR/more.conf\n", "more.conf": "default-server = /m", "home/.config/pulse/client.conf": "default-server = /b",
		}, []string{"unix /m"}},
		{"variable before file", map[string]string{"PULSE_SERVER": "/v"}, map[string]string{"etc/client.conf": "default-server = /a"}, []string{"unix /v"}},
		{"localhost", session, map[string]string{"etc/client.conf": "auto-connect-localhost = yes"},
			[]string{"unix /r/pulse/native", "unix /system", "tcp4 127.0.0.1:4713", "tcp6 [::1]:4713"}},
	} {
		p, dir := in(t, c.env, c.files)
		var got []string
		for _, a := range p.addresses() {
			got = append(got, a.network+" "+strings.ReplaceAll(a.addr, dir, "$DIR"))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestPulseCookie(t *testing.T) {
	whole := func(mark string) string { return strings.Repeat(mark, cookieBytes) }
	for _, c := range []struct {
		name  string
		env   map[string]string
		files map[string]string
		want  string // "" means the secret of zeros
	}{
		{"none", nil, nil, ""},
		{"home", nil, map[string]string{"home/.config/pulse/cookie": whole("a")}, "a"},
		{"old home", nil, map[string]string{"home/.pulse-cookie": whole("b")}, "b"},
		{"configuration elsewhere", map[string]string{"XDG_CONFIG_HOME": "$DIR/cfg"}, map[string]string{
			"cfg/pulse/cookie": whole("c"), "home/.config/pulse/cookie": whole("a"), "home/.pulse-cookie": whole("b"),
		}, "c"},
		{"variable", map[string]string{"PULSE_COOKIE": "$DIR/v"}, map[string]string{"v": whole("v"), "home/.config/pulse/cookie": whole("a")}, "v"},
		{"relative variable", map[string]string{"PULSE_COOKIE": "v"}, map[string]string{"home/.config/pulse/v": whole("v")}, "v"},
		{"variable without a file", map[string]string{"PULSE_COOKIE": "$DIR/v"}, map[string]string{"home/.config/pulse/cookie": whole("a")}, "a"},
		{"client.conf", nil, map[string]string{"etc/client.conf": "cookie-file = $DIR/k", "k": whole("k"), "home/.config/pulse/cookie": whole("a")}, "k"},
		{"too short", nil, map[string]string{"home/.config/pulse/cookie": "a", "home/.pulse-cookie": whole("b")}, "b"},
	} {
		p, _ := in(t, c.env, c.files)
		want := make([]byte, cookieBytes)
		if c.want != "" {
			want = bytes.Repeat([]byte(c.want), cookieBytes)
		}
		if got, err := p.cookie(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %.4q…, %v; want %.4q…", c.name, got, err, want)
		}
	}
}

// TestPulseCookieUnreadable: a directory instead of the cookie represents any file that cannot
// be read, because root ignores file permissions.
func TestPulseCookieUnreadable(t *testing.T) {
	p, dir := in(t, nil, map[string]string{"home/.config/pulse/cookie/x": ""})
	if _, err := p.cookie(); err == nil {
		t.Error("no error for a cookie that cannot be read")
	}
	if err := os.WriteFile(filepath.Join(dir, "home", ".pulse-cookie"), bytes.Repeat([]byte("b"), cookieBytes), fs.FileMode(0o600)); err != nil {
		t.Fatal(err)
	}
	if got, err := p.cookie(); err != nil || got[0] != 'b' {
		t.Errorf("got %.4q…, error %v after a cookie that cannot be read, want the second cookie", got, err)
	}
}

func FuzzClientConf(f *testing.F) {
	f.Add("default-server = unix:/a\n.include /nowhere\n[x]\ncookie-file=;\nauto-connect-localhost = on")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, ".include") {
			return // would read files of this machine
		}
		var c clientConf
		c.parse(text, 0)
		if strings.ContainsAny(c.defaultServer+c.cookieFile, "#;\n") {
			t.Errorf("%q gives %+v", text, c)
		}
		for _, s := range strings.Fields(c.defaultServer) {
			if a, ok := (pulsePlaces{machineID: "0"}).parse(s); ok && a.addr == "" {
				t.Errorf("%q has no address", s)
			}
		}
	})
}
