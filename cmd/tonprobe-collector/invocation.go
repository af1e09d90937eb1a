package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

var errHelp = flag.ErrHelp

// invocation is a parsed command line.
type invocation struct {
	command command
	flags   *flag.FlagSet
	args    []string

	configFile string
	given      []setting // in order
	json       bool
	phone      string
	name       string
	search     string
	validDays  int
	yes        bool
	force      bool
	passwordIn bool
	role       string
	verbose    bool
	scopes     string
	channel    string
	overwrite  bool
	erased     string
	output     string
	noCall     bool
	target     targetOptions
	session    sessionOptions
	importing  importOptions
}

// setting is an option as text, with its origin for messages.
type setting struct{ key, value, from string }

// parse reads options before, between and after the arguments.
func parse(c command, args []string) (*invocation, error) {
	in := &invocation{command: c, flags: flag.NewFlagSet(c.name, flag.ContinueOnError)}
	in.flags.SetOutput(io.Discard)
	in.flags.Usage = func() {}
	if c.name != "version" {
		in.flags.StringVar(&in.configFile, "config", "", "TOML `file` with the settings")
	}
	if c.name != "version" && c.name != "reflect" {
		for _, key := range dataKeys() {
			in.setting(key)
		}
	}
	if c.flags != nil {
		c.flags(in)
	}
	for {
		if err := in.flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			return in, errHelp
		} else if err != nil {
			return in, flagError(c, err)
		}
		rest := in.flags.Args()
		if len(rest) == 0 {
			break
		}
		// After "--" everything is an argument, even a name such as "-x".
		if i := len(args) - len(rest); i > 0 && args[i-1] == "--" {
			in.args = append(in.args, rest...)
			break
		}
		in.args, args = append(in.args, rest[0]), rest[1:]
	}
	return in, in.checkArgs()
}

// setting adds the option with that name.
func (in *invocation) setting(key string) {
	o := optionOf(key)
	set := func(value string) error {
		in.given = append(in.given, setting{key: key, value: value, from: "--" + o.flag()})
		return nil
	}
	if o.optional {
		in.flags.BoolFunc(o.flag(), o.about, set)
	} else {
		in.flags.Func(o.flag(), o.about, set)
	}
}

// dataKeys are the settings for the location of the data and the zone of printed times. Every command
// that reads the data has them.
func dataKeys() []string {
	return []string{"data", "profiles", "database_url", "database_url_file", "time_zone"}
}

func jsonFlag(in *invocation) { in.flags.BoolVar(&in.json, "json", false, "print JSON") }

func (in *invocation) checkArgs() error {
	want := len(strings.Fields(in.command.args))
	switch {
	case len(in.args) < want:
		return usagef("'%s' needs %s: tonprobe-collector %s %s", in.command.name, in.command.args, in.command.name, in.command.args)
	case len(in.args) > want && want == 1:
		return usagef("'%s' takes one %s, but %.60q follows: put quotes around a text with spaces", in.command.name, in.command.args, in.args[want])
	case len(in.args) > want && want > 1:
		return usagef("'%s' takes %s, but %.60q follows: put quotes around a text with spaces", in.command.name, in.command.args, in.args[want])
	case len(in.args) > want:
		return usagef("'%s' takes no argument, but there is %.60q: a value of an option is written --option=value", in.command.name, in.args[want])
	}
	return nil
}

// flagError converts an error of package flag to this program's wording.
func flagError(c command, err error) error {
	text := err.Error()
	help := fmt.Sprintf("'tonprobe-collector %s --help' lists the options", c.name)
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return usagef("there is no option --%.60s: %s", strings.TrimPrefix(name, "-"), help)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return usagef("option --%s needs a value: %s", name, help)
	}
	return usagef("%.200s: %s", text, help)
}

func printCommandUsage(w io.Writer, c command, in *invocation) {
	_, _ = fmt.Fprintf(w, "Usage: tonprobe-collector %s\n\n%s\n\n", strings.Join(strings.Fields(c.name+" "+c.args+" [OPTIONS]"), " "), c.about)
	in.flags.VisitAll(func(f *flag.Flag) {
		value, about := flag.UnquoteUsage(f)
		_, _ = fmt.Fprintf(w, "  %-28s %s\n", strings.TrimSpace("--"+f.Name+" "+value), about)
	})
	if c.name == "serve" {
		_, _ = fmt.Fprint(w, "\nEvery option can be set in the --config file (public-url as public_url) or in a variable\n(TONPROBE_PUBLIC_URL). A variable overrides the file, an option overrides both.\n")
	}
}
