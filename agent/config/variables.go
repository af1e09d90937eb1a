package config

import (
	"errors"
	"strconv"
)

// prefix is the prefix of all environment variables.
const prefix = "TONPROBE_"

// setters returns a function for each field that parses its value. The key
// "spool.max_age" is the variable TONPROBE_SPOOL_MAX_AGE.
func (c *Config) setters() map[string]func(string) error {
	return map[string]func(string) error{
		"SERVER":               text(&c.Server),
		"CA":                   text(&c.CA),
		"DATA":                 text(&c.Data),
		"SOCKET":               text(&c.Socket),
		"PROFILE":              text(&c.Profile),
		"TARGET":               text(&c.Target),
		"DEVICE":               text(&c.Device),
		"LANG":                 text(&c.Lang),
		"SPEAK_SECONDS":        whole(&c.SpeakSeconds),
		"NO_AUDIO":             truth(&c.NoAudio),
		"NO_UPLOAD":            truth(&c.NoUpload),
		"LOAD":                 truth(&c.Load),
		"ALLOW_NETWORK_RETEST": truth(&c.AllowNetworkRetest),
		"SERVICE_INTERVAL":     func(s string) error { return c.Service.Interval.UnmarshalText([]byte(s)) },
		"SPOOL_MAX_REPORTS":    whole(&c.Spool.MaxReports),
		"SPOOL_MAX_BYTES":      whole(&c.Spool.MaxBytes),
		"SPOOL_MAX_AGE":        func(s string) error { return c.Spool.MaxAge.UnmarshalText([]byte(s)) },
	}
}

// ReadVariables applies the TONPROBE_* variables to c. An empty variable counts as
// unset.
func (c *Config) ReadVariables(getenv func(string) string) error {
	for name, set := range c.setters() {
		v := getenv(prefix + name)
		if v == "" {
			continue
		}
		if err := set(v); err != nil {
			e := &Error{Key: prefix + name, Fault: FaultType, Value: v}
			if bad, ok := errors.AsType[*valueError](err); ok {
				e.Fault = bad.fault
			}
			return e
		}
	}
	return nil
}

func text(to *string) func(string) error {
	return func(s string) error { *to = s; return nil }
}

func whole[T int | int64](to *T) func(string) error {
	return func(s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || int64(T(n)) != n {
			return &valueError{FaultNumber, s}
		}
		*to = T(n)
		return nil
	}
}

func truth(to *bool) func(string) error {
	return func(s string) error {
		b, err := strconv.ParseBool(s)
		if err != nil {
			return &valueError{FaultTruth, s}
		}
		*to = b
		return nil
	}
}
