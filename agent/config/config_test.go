package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/report/origin"
)

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEachSourceOverridesThePrevious(t *testing.T) {
	c := Default("/data")
	err := c.ReadFile(file(t, `
server = "https://file.example.org"
profile = "zoom"
speak_seconds = 8
[service]
interval = "30m"
[spool]
max_age = "48h"
`), true)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"TONPROBE_SERVER": "https://variable.example.org", "TONPROBE_NO_AUDIO": "true", "TONPROBE_LOAD": "1", "TONPROBE_TEST_ALL": "1"}
	if err := c.ReadVariables(func(k string) string { return env[k] }); err != nil {
		t.Fatal(err)
	}
	want := Default("/data")
	want.Server, want.Profile, want.SpeakSeconds, want.NoAudio = "https://variable.example.org", "zoom", 8, true
	want.Load = true
	want.Service.Interval, want.Spool.MaxAge = Duration(30*time.Minute), Duration(48*time.Hour)
	if c != want {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestFaultsNameKeyAndLine(t *testing.T) {
	for name, c := range map[string]struct{ content, key, line string }{
		"unknown key":   {"profile = \"bbb\"\nsever = \"x\"", "sever", ":2"},
		"unknown table": {"[spool]\nmax_agee = \"1h\"", "spool.max_agee", ":2"},
		"wrong type":    {"\n\nspeak_seconds = \"six\"", "speak_seconds", ":3"},
		"duration":      {"[service]\ninterval = \"soon\"", "service.interval", ":2"},
		"cut off":       {"server = \"https://", "", ":1"},
		"binary":        {"\x00\x01\x02", "", ":1"},
	} {
		t.Run(name, func(t *testing.T) {
			conf := Default("/data")
			err := conf.ReadFile(file(t, c.content), true)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Key != c.key || !strings.HasSuffix(e.Where, FileName+c.line) {
				t.Errorf("got error %v (%#v); want Key %s, Where ending with %s", err, e, c.key, FileName+c.line)
			}
		})
	}
}

func TestFaultMessages(t *testing.T) {
	for content, want := range map[string]Fault{
		"server = ": FaultSyntax, "sever = 1": FaultUnknownKey, "server = 5": FaultType, "speak_seconds = \"six\"": FaultType,
		"[service]\ninterval = \"soon\"": FaultDuration, "[service]\ninterval = 5": FaultDuration, "[service]\ninterval = 900000000000": FaultDuration,
		"[spool]\nmax_age = 14.5": FaultDuration,
	} {
		conf := Default("/data")
		if e, ok := errors.AsType[*Error](conf.ReadFile(file(t, content), true)); !ok || e.Fault != want {
			t.Errorf("%q: got %#v, want %s", content, e, want)
		}
	}
}

func TestByteOrderMark(t *testing.T) {
	c := Default("/data")
	if err := c.ReadFile(file(t, "\ufeffprofile = \"zoom\""), true); err != nil || c.Profile != "zoom" {
		t.Errorf("got %q, error %v; want %q", c.Profile, err, "zoom")
	}
}

func TestMissingFile(t *testing.T) {
	c := Default("/data")
	path := filepath.Join(t.TempDir(), "nothing.toml")
	if err := c.ReadFile(path, false); err != nil {
		t.Error(err)
	}
	if err := c.ReadFile(path, true); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file that was specified: got error %v, want %v", err, os.ErrNotExist)
	}
}

func TestValuesOutOfRange(t *testing.T) {
	for key, spoil := range map[string]func(*Config){
		"data":              func(c *Config) { c.Data = "" },
		"lang":              func(c *Config) { c.Lang = "fr" },
		"speak_seconds":     func(c *Config) { c.SpeakSeconds = 1 },
		"service.interval":  func(c *Config) { c.Service.Interval = Duration(time.Second) },
		"spool.max_reports": func(c *Config) { c.Spool.MaxReports = 0 },
		"spool.max_bytes":   func(c *Config) { c.Spool.MaxBytes = 1 },
		"spool.max_age":     func(c *Config) { c.Spool.MaxAge = -1 },
	} {
		c := Default("/data")
		spoil(&c)
		if e, ok := errors.AsType[*Error](c.Validate()); !ok || e.Key != key {
			t.Errorf("Validate with a wrong %[1]s = %[2]v, want an error with Key %[1]s", key, c.Validate())
		}
	}
}

func TestTypedFaults(t *testing.T) {
	c := Default("/data")
	c.Server = "http://collector.example.org"
	if e, ok := errors.AsType[*origin.Error](c.Validate()); !ok || e.Fault != origin.FaultPlain {
		t.Errorf("server: got error %v, want Fault %v", c.Validate(), origin.FaultPlain)
	}
	c = Default("/data")
	c.Target = "https://bbb.example.org:65536/b/abc"
	if e, ok := errors.AsType[*origin.Error](c.Validate()); !ok || e.Fault != origin.FaultPort {
		t.Errorf("target: got error %v, want Fault %v", c.Validate(), origin.FaultPort)
	}
	c = Default("/data")
	c.Profile = "teams"
	if e, ok := errors.AsType[*diagnose.UnknownProfileError](c.Validate()); !ok || e.Name != "teams" {
		t.Errorf("profile: got error %v, want teams to be unknown", c.Validate())
	}
}

// TestTargetIsReduced: the settings of a service are readable by every user of the
// machine.
func TestTargetIsReduced(t *testing.T) {
	for raw, want := range map[string]string{
		" https://Bücher.example:443/raum?token=geheim ":   "https://xn--bcher-kva.example",
		" https://Bücher.example:443/b/raum?token=geheim ": "https://xn--bcher-kva.example/bigbluebutton",
	} {
		c := Default("/data")
		c.Target = raw
		if err := c.Validate(); err != nil || c.Target != want {
			t.Errorf("target %q: got %q, error %v; want %q", raw, c.Target, err, want)
		}
	}
}

func TestBadVariable(t *testing.T) {
	for _, name := range []string{"TONPROBE_SPEAK_SECONDS", "TONPROBE_NO_UPLOAD", "TONPROBE_SPOOL_MAX_AGE"} {
		c := Default("/data")
		err := c.ReadVariables(func(k string) string {
			if k == name {
				return "<script>"
			}
			return ""
		})
		if e, ok := errors.AsType[*Error](err); !ok || e.Key != name {
			t.Errorf("%s: got error %v, want an *Error with this key", name, err)
		}
	}
}

// TestEveryKeyHasAVariable walks the struct, so that a new setting cannot be
// forgotten.
func TestEveryKeyHasAVariable(t *testing.T) {
	c := Default("/data")
	have := c.setters()
	var walk func(string, reflect.Type)
	walk = func(prefix string, typ reflect.Type) {
		for f := range typ.Fields() {
			name := prefix + strings.ToUpper(f.Tag.Get("toml"))
			if f.Type.Kind() == reflect.Struct {
				walk(name+"_", f.Type)
			} else if have[name] == nil {
				t.Errorf("there is no variable TONPROBE_%s", name)
			}
		}
	}
	walk("", reflect.TypeFor[Config]())
}

func TestPlaces(t *testing.T) {
	env := map[string]string{"LocalAppData": "/L", "ProgramData": "/P"}
	get := func(k string) string { return env[k] }
	for _, c := range []struct {
		p            Places
		data, config string
	}{
		{Places{GOOS: "linux", Getenv: get, Home: "/h"}, "/h/.local/state/tonprobe", "/h/.config/tonprobe/tonprobe.toml"},
		{Places{GOOS: "linux", Getenv: get, System: true}, "/var/lib/tonprobe", "/etc/tonprobe/tonprobe.toml"},
		{Places{GOOS: "linux", Getenv: get}, "", ""},
		{Places{GOOS: "windows", Getenv: get}, "/L/Tonprobe", "/L/Tonprobe/tonprobe.toml"},
		{Places{GOOS: "windows", Getenv: get, System: true}, "/P/Tonprobe", "/P/Tonprobe/tonprobe.toml"},
		{Places{GOOS: "darwin", Getenv: get, Home: "/h"}, "/h/Library/Application Support/Tonprobe", "/h/Library/Application Support/Tonprobe/tonprobe.toml"},
	} {
		if d, f := filepath.ToSlash(c.p.DataDir()), filepath.ToSlash(c.p.ConfigFile()); d != c.data || f != c.config {
			t.Errorf("%+v: got %q, %q; want %q, %q", c.p, d, f, c.data, c.config)
		}
	}
}
