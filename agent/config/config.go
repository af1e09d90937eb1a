// Package config contains the settings of the agent: a TOML file, then TONPROBE_*
// variables, then the command line, each overriding the previous one.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/tonprobe/tonprobe/agent/check"
	"github.com/tonprobe/tonprobe/agent/collector"
	"github.com/tonprobe/tonprobe/probe/diagnose"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// Config contains all settings. Default returns the default values.
type Config struct {
	Server       string `toml:"server"`        // address of the collector; after enrolment that of the identity is used
	CA           string `toml:"ca"`            // PEM file of a certificate authority to trust in addition to the system's
	Data         string `toml:"data"`          // folder for identity and spool
	Socket       string `toml:"socket"`        // address of the service's local socket; "" is the default one, for the default data folder only
	Profile      string `toml:"profile"`       // profile with the limits of the diagnosis
	Target       string `toml:"target"`        // name or address of the conference system
	Device       string `toml:"device"`        // microphone; "" is the default one
	Lang         string `toml:"lang"`          // de or en; "" is the system's
	SpeakSeconds int    `toml:"speak_seconds"` // length of the recording; 0 = until enough speech was heard
	NoAudio      bool   `toml:"no_audio"`
	NoUpload     bool   `toml:"no_upload"`
	// Load also measures the bandwidth, in checks that a person starts. The service never
	// does: nobody asked for it, and a session may be in progress.
	Load bool `toml:"load"`
	// AllowNetworkRetest lets phone support start a check without the microphone without asking.
	AllowNetworkRetest bool `toml:"allow_network_retest"`

	Service Service `toml:"service"`
	Spool   Spool   `toml:"spool"`
}

// Service configures the background service.
type Service struct {
	// Interval is the mean time between two checks, each with a jitter of ± 20 %.
	Interval Duration `toml:"interval"`
}

// Spool limits what waits on disk. The oldest reports are dropped first.
type Spool struct {
	MaxReports int      `toml:"max_reports"`
	MaxBytes   int64    `toml:"max_bytes"`
	MaxAge     Duration `toml:"max_age"`
}

// Duration is a time.Duration written as "15m".
type Duration time.Duration

// UnmarshalText parses durations such as "15m" and "1h30m".
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return &valueError{FaultDuration, string(b)}
	}
	*d = Duration(v)
	return nil
}

// String formats d as UnmarshalText parses it.
func (d Duration) String() string { return time.Duration(d).String() }

// DefaultInterval is the mean time between two checks of the background service. With it,
// checks, channel and flight recorder together stay below 1 MB a day on the line
// (docs/measured.md). The time of the check before a session does not depend on it.
const DefaultInterval = 2 * time.Hour

// Default returns the default settings.
func Default(data string) Config {
	return Config{
		Data: data, Profile: diagnose.DefaultProfile,
		Service: Service{Interval: Duration(DefaultInterval)},
		// Two weeks offline yield 170 reports of about 5 kB, or 1,344 with a check every 15 minutes.
		Spool: Spool{MaxReports: 1500, MaxBytes: 32 << 20, MaxAge: Duration(14 * 24 * time.Hour)},
	}
}

// ReadFile applies the file at path to c. A missing file is an error only if required,
// that is, if a person named it. An unknown key is an error: a misspelt setting that is
// ignored would look like one that does not work.
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
	// Notepad of Windows writes a byte order mark, which TOML does not allow.
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if err := withoutUnit(b); err != nil {
		return err
	}
	err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(c)
	if e, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(e.Errors) > 0 {
		return tomlError(&e.Errors[0], FaultUnknownKey)
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok && strings.Contains(e.Error(), " into ") {
		// The message of the library contains Go types here.
		return tomlError(e, FaultType)
	} else if ok {
		return tomlError(e, FaultSyntax)
	}
	return err
}

// withoutUnit rejects a duration without a unit: the library would interpret it as
// nanoseconds.
func withoutUnit(b []byte) error {
	var times struct {
		Service struct {
			Interval any `toml:"interval"`
		} `toml:"service"`
		Spool struct {
			MaxAge any `toml:"max_age"`
		} `toml:"spool"`
	}
	if toml.Unmarshal(b, &times) != nil {
		return nil // reported with more detail when the whole file is parsed
	}
	for key, value := range map[string]any{"service.interval": times.Service.Interval, "spool.max_age": times.Spool.MaxAge} {
		switch value.(type) {
		case int64, float64:
			return &Error{Key: key, Fault: FaultDuration, Value: fmt.Sprint(value)}
		}
	}
	return nil
}

func tomlError(e *toml.DecodeError, fault Fault) *Error {
	line, _ := e.Position()
	key := strings.Join(e.Key(), ".")
	made := &Error{Where: strconv.Itoa(line), Key: key, Fault: fault}
	if fault != FaultSyntax {
		return made
	}
	made.Value = strings.TrimPrefix(e.Error(), "toml: ")
	// The library keeps only the text of the error of UnmarshalText.
	if quoted, ok := strings.CutSuffix(made.Value, (&valueError{fault: FaultDuration}).trouble()); ok {
		made.Fault = FaultDuration
		made.Value, _ = strconv.Unquote(quoted)
	}
	return made
}

// Validate returns an error for a value that cannot be used: an *Error, an *origin.Error
// or a *diagnose.UnknownProfileError. It reduces Target to what a check uses, so that the
// command line of a service does not contain a link to a meeting.
func (c *Config) Validate() error {
	bad := func(key string, fault Fault, value any, want string) error {
		return &Error{Key: key, Fault: fault, Value: fmt.Sprint(value), Want: want}
	}
	if c.Server != "" {
		if _, err := collector.ParseURL(c.Server); err != nil {
			return err
		}
	}
	target, err := check.Target(c.Target)
	if err != nil {
		return err
	}
	c.Target = target
	if c.Data == "" {
		return bad("data", FaultEmpty, "", "")
	}
	if _, err := diagnose.LoadProfile(c.Profile); err != nil {
		return err
	}
	if _, ok := phrase.ParseLang(c.Lang); c.Lang != "" && !ok {
		return bad("lang", FaultRange, c.Lang, "de, en")
	}
	if s := time.Duration(c.SpeakSeconds) * time.Second; s != 0 && s < check.MinSpeakFor || s > check.MaxSpeakFor {
		return bad("speak_seconds", FaultRange, c.SpeakSeconds, fmt.Sprintf("0, %.0f – %.0f", check.MinSpeakFor.Seconds(), check.MaxSpeakFor.Seconds()))
	}
	if d := time.Duration(c.Service.Interval); d < time.Minute || d > 24*time.Hour {
		return bad("service.interval", FaultRange, d, "1m – 24h")
	}
	if c.Spool.MaxReports < 1 || c.Spool.MaxReports > 100_000 {
		return bad("spool.max_reports", FaultRange, c.Spool.MaxReports, "1 – 100000")
	}
	if c.Spool.MaxBytes < 1<<20 {
		return bad("spool.max_bytes", FaultRange, c.Spool.MaxBytes, "≥ 1048576")
	}
	if time.Duration(c.Spool.MaxAge) < time.Hour {
		return bad("spool.max_age", FaultRange, c.Spool.MaxAge, "≥ 1h")
	}
	return nil
}
