package main

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/local"
)

// settings collects the configuration of a subcommand: file, variables, flags. Flags are
// parsed first and applied last.
type settings struct {
	file string
	// machine means that the program works for the machine, whoever runs it.
	machine bool
	flags   []func(*config.Config)
}

// bindSettings adds the flags of every subcommand that uses the data folder.
func bindSettings(f *flag.FlagSet) *settings {
	s := &settings{}
	f.StringVar(&s.file, "config", "", "")
	s.text(f, "data", func(c *config.Config) *string { return &c.Data })
	s.text(f, "ca", func(c *config.Config) *string { return &c.CA })
	return s
}

// bindCheck adds the flags of a check.
func (s *settings) bindCheck(f *flag.FlagSet) {
	s.text(f, "server", func(c *config.Config) *string { return &c.Server })
	s.text(f, "profile", func(c *config.Config) *string { return &c.Profile })
	s.text(f, "target", func(c *config.Config) *string { return &c.Target })
	s.text(f, "device", func(c *config.Config) *string { return &c.Device })
	s.truth(f, "no-audio", func(c *config.Config) *bool { return &c.NoAudio })
	s.truth(f, "no-upload", func(c *config.Config) *bool { return &c.NoUpload })
	s.truth(f, "load", func(c *config.Config) *bool { return &c.Load })
	f.Func("speak-seconds", "", func(v string) error {
		n, err := strconv.Atoi(v)
		s.flags = append(s.flags, func(c *config.Config) { c.SpeakSeconds = n })
		return err
	})
}

func (s *settings) text(f *flag.FlagSet, name string, field func(*config.Config) *string) {
	f.Func(name, "", func(v string) error {
		s.flags = append(s.flags, func(c *config.Config) { *field(c) = v })
		return nil
	})
}

func (s *settings) truth(f *flag.FlagSet, name string, field func(*config.Config) *bool) {
	f.BoolFunc(name, "", func(v string) error {
		b, err := strconv.ParseBool(v)
		s.flags = append(s.flags, func(c *config.Config) { *field(c) = b })
		return err
	})
}

// loadForPerson is load for a program that uses the machine's service if there is one.
func (s *settings) loadForPerson(getenv func(string) string) (config.Config, error) {
	c, err := s.load(getenv)
	// If a person names a folder, the identity in it is used and not the machine's.
	if err == nil && c.Socket == "" && c.Data == s.places(getenv).DataDir() {
		c.Socket = local.Address(runtime.GOOS)
	}
	return c, err
}

func (s *settings) places(getenv func(string) string) config.Places {
	home, _ := os.UserHomeDir() // without one the folder must be given
	return config.Places{GOOS: runtime.GOOS, Getenv: getenv, Home: home, System: s.machine || isSystem()}
}

// load merges the configuration. Call it after the flags were parsed.
func (s *settings) load(getenv func(string) string) (config.Config, error) {
	places := s.places(getenv)
	c := config.Default(places.DataDir())
	file, required := s.file, true
	if file == "" {
		file = getenv("TONPROBE_CONFIG")
	}
	if file == "" {
		file, required = places.ConfigFile(), false
	}
	if file != "" {
		if err := c.ReadFile(file, required); err != nil {
			return c, err
		}
	}
	if err := c.ReadVariables(getenv); err != nil {
		return c, err
	}
	for _, set := range s.flags {
		set(&c)
	}
	if err := c.Validate(); err != nil {
		return c, err
	}
	if abs, err := filepath.Abs(c.Data); err == nil {
		c.Data = abs
	}
	return c, nil
}
