package main

import (
	"errors"
	"flag"
	"io"
	"regexp"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// newFlags returns a flag set that prints nothing.
func newFlags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.String("lang", "", "") // evaluated by speak
	return f
}

// parse parses flags and arguments in any order, because package flag alone stops at the
// first argument. The error is a *usageError, or a printedError after --help.
func (p *program) parse(f *flag.FlagSet, args []string, most int) (positional []string, err error) {
	for {
		if err := f.Parse(args); err != nil {
			return nil, p.flagError(f, err)
		}
		// Parse has consumed "--", after which nothing is a flag.
		ended := len(args) > f.NArg() && args[len(args)-f.NArg()-1] == "--"
		args = f.Args()
		if len(args) == 0 {
			break
		}
		if ended {
			positional = append(positional, args...)
			break
		}
		positional, args = append(positional, args[0]), args[1:]
	}
	if lang := f.Lookup("lang").Value.String(); lang != "" {
		if _, ok := phrase.ParseLang(lang); !ok {
			return nil, &usageError{key: "usage.bad_value", args: []any{"value", lang, "flag", "lang"}}
		}
	}
	if len(positional) > most {
		if most == 0 && isCommand(positional[0]) {
			return nil, &usageError{key: "usage.command_first", args: []any{"command", positional[0]}}
		}
		return nil, &usageError{key: "usage.too_many", args: []any{"argument", positional[most]}}
	}
	return positional, nil
}

// Messages of package flag, which has no error types.
var (
	reUnknownFlag = regexp.MustCompile(`^flag provided but not defined: -(.*)$`)
	reNeedsValue  = regexp.MustCompile(`^flag needs an argument: -(.*)$`)
	reBadValue    = regexp.MustCompile(`(?s)^invalid (?:boolean )?value "(.*)" for (?:flag )?-([^:]+): `)
)

func (p *program) flagError(f *flag.FlagSet, err error) error {
	if errors.Is(err, flag.ErrHelp) {
		p.usage(strings.Fields(f.Name())[0])
		return &printedError{exitOK}
	}
	text := err.Error()
	if m := reUnknownFlag.FindStringSubmatch(text); m != nil {
		return &usageError{key: "usage.unknown_flag", args: []any{"flag", m[1]}}
	}
	if m := reNeedsValue.FindStringSubmatch(text); m != nil {
		return &usageError{key: "usage.needs_value", args: []any{"flag", m[1]}}
	}
	if m := reBadValue.FindStringSubmatch(text); m != nil {
		return &usageError{key: "usage.bad_value", args: []any{"value", m[1], "flag", m[2]}}
	}
	return &usageError{key: "usage.bad_line", args: []any{"detail", text}}
}

// join formats a list of names.
func join(names []string) string { return strings.Join(names, ", ") }
