// Package config says how the agent is to behave: a TOML file, then
// TONPROBE_* variables, then the command line, each over the one before.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// Config is everything that can be set. Default gives the values that hold
// where nothing is set.
type Config struct {
	Server       string `toml:"server"`        // the collector's address; after enrolment that of the identity is used
	CA           string `toml:"ca"`            // PEM file of a certificate authority to trust beside the system's
	Data         string `toml:"data"`          // folder for identity and spool
	Profile      string `toml:"profile"`       // limits to judge by
	Target       string `toml:"target"`        // the conference system's address
	Device       string `toml:"device"`        // microphone; "" is the default one
	Lang         string `toml:"lang"`          // de or en; "" is the system's
	SpeakSeconds int    `toml:"speak_seconds"` // how long to speak
	NoAudio      bool   `toml:"no_audio"`
	NoUpload     bool   `toml:"no_upload"`

	Service Service `toml:"service"`
	Spool   Spool   `toml:"spool"`
}

// Service is how the background service behaves.
type Service struct {
	// Interval is the mean time between two checks; each is jittered by ± 20 %.
	Interval Duration `toml:"interval"`
}

// Spool bounds what waits on disk. The oldest reports go first.
type Spool struct {
	MaxReports int      `toml:"max_reports"`
	MaxBytes   int64    `toml:"max_bytes"`
	MaxAge     Duration `toml:"max_age"`
}

// Duration is a time.Duration written as "15m".
type Duration time.Duration

// UnmarshalText reads "15m", "1h30m".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is no duration, write it like \"15m\" or \"2h\"", b)
	}
	*d = Duration(v)
	return nil
}

// String writes d as UnmarshalText reads it.
func (d Duration) String() string { return time.Duration(d).String() }

// Default is the configuration where nothing is set.
func Default(data string) Config {
	return Config{
		Data: data, Profile: diagnose.DefaultProfile,
		SpeakSeconds: int(check.DefaultSpeakFor / time.Second),
		Service:      Service{Interval: Duration(15 * time.Minute)},
		// Two weeks offline at a check every 15 minutes are 1,344 reports of
		// some 5 kB.
		Spool: Spool{MaxReports: 1500, MaxBytes: 32 << 20, MaxAge: Duration(14 * 24 * time.Hour)},
	}
}

// Error says what is wrong with which key. Where names the file and line, the
// variable or the flag.
type Error struct {
	Where   string
	Key     string
	Problem string
}

func (e *Error) Error() string {
	where := e.Where
	if where != "" {
		where += ": "
	}
	return fmt.Sprintf("%s%s %s", where, e.Key, e.Problem)
}

// ReadFile lays the file at path over c. A missing file is an error only when
// required, that is when a person named it. An unknown key is an error: a
// misspelt setting that is ignored looks like one that does not work.
func (c *Config) ReadFile(path string, required bool) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !required {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if err := c.decode(b); err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			e.Where = strings.TrimSuffix(path+":"+e.Where, ":")
		}
		return err
	}
	return nil
}

func (c *Config) decode(b []byte) error {
	err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(c)
	if e, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(e.Errors) > 0 {
		return tomlError(&e.Errors[0], "is not a setting of Tonprobe")
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		return tomlError(e, strings.TrimPrefix(e.Error(), "toml: "))
	}
	return err
}

func tomlError(e *toml.DecodeError, problem string) *Error {
	line, _ := e.Position()
	key := strings.Join(e.Key(), ".")
	if key == "" {
		key = "file"
	}
	return &Error{Where: fmt.Sprintf("line %d", line), Key: key, Problem: problem}
}

// Validate says which value cannot be used: an *Error, a *collector.URLError or
// a *diagnose.UnknownProfileError.
func (c *Config) Validate() error {
	bad := func(key, problem string) error { return &Error{Key: key, Problem: problem} }
	if c.Server != "" {
		if _, err := collector.ParseURL(c.Server); err != nil {
			return err
		}
	}
	if c.Data == "" {
		return bad("data", "is empty: name a folder with --data")
	}
	if _, err := diagnose.LoadProfile(c.Profile); err != nil {
		return err
	}
	if _, ok := phrase.ParseLang(c.Lang); c.Lang != "" && !ok {
		return bad("lang", fmt.Sprintf("%q: there is de and en", c.Lang))
	}
	if s := time.Duration(c.SpeakSeconds) * time.Second; s < check.MinSpeakFor || s > check.MaxSpeakFor {
		return bad("speak_seconds", fmt.Sprintf("%d: want %.0f to %.0f", c.SpeakSeconds, check.MinSpeakFor.Seconds(), check.MaxSpeakFor.Seconds()))
	}
	if d := time.Duration(c.Service.Interval); d < time.Minute || d > 24*time.Hour {
		return bad("service.interval", fmt.Sprintf("%v: want 1m to 24h", d))
	}
	if c.Spool.MaxReports < 1 || c.Spool.MaxReports > 100_000 {
		return bad("spool.max_reports", fmt.Sprintf("%d: want 1 to 100000", c.Spool.MaxReports))
	}
	if c.Spool.MaxBytes < 1<<20 {
		return bad("spool.max_bytes", fmt.Sprintf("%d: want at least 1048576", c.Spool.MaxBytes))
	}
	if time.Duration(c.Spool.MaxAge) < time.Hour {
		return bad("spool.max_age", fmt.Sprintf("%v: want at least 1h", c.Spool.MaxAge))
	}
	return nil
}
