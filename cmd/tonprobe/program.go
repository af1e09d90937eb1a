package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/tonprobe/tonprobe/agent/resident"
	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
)

// status is the exit status of the program.
type status int

// Exit statuses. 64, 70 and 78 are those of BSD's sysexits.h.
const (
	exitReady    status = 0
	exitLimited  status = 1
	exitNotReady status = 2
	exitUnknown  status = 3
	exitUsage    status = 64
	exitSoftware status = 70
	exitUnusable status = resident.ExitUnusable
)

const exitOK = exitReady

func statusOf(v report.Verdict) status {
	switch v {
	case report.Ready:
		return exitReady
	case report.Limited:
		return exitLimited
	case report.NotReady:
		return exitNotReady
	}
	return exitUnknown
}

// program is one run of the command with its environment.
type program struct {
	in       *os.File
	out, err *output
	getenv   func(string) string
	version  string
	// releaseKey is the public key for announcements of new versions; "" for none.
	releaseKey string

	// invitation is the link that opened the program; nil for none.
	invitation *invitation
	// closed means that the person ended the screens, so that nothing remains to be read.
	closed bool
	// unattended means that possibly no person is present to close the window; see
	// command.unattended.
	unattended bool

	lang  phrase.Lang
	texts *phrase.Book
}

// command is one subcommand.
type command struct {
	name string
	run  func(p *program, ctx context.Context, args []string) error
	// unattended is true for the subcommands that installers and service managers run, possibly
	// in a window without a person in front of it.
	unattended bool
}

// commands returns the subcommands in the order of the usage text.
func commands() []command {
	return []command{
		{name: "check", run: (*program).check},
		{name: "devices", run: (*program).devices},
		{name: "analyze", run: (*program).analyze},
		{name: "enroll", run: (*program).enroll, unattended: true},
		{name: "service", run: (*program).service, unattended: true},
		{name: "report", run: (*program).report},
		{name: "events", run: (*program).events},
		{name: "permission", run: (*program).permission},
		{name: "open", run: (*program).open},
		{name: "explain", run: (*program).explain},
		{name: "version", run: (*program).showVersion},
		{name: "help", run: (*program).help},
	}
}

// main runs the command named by args and prints errors.
func (p *program) main(args []string) (s status) {
	if err := p.speak(args); err != nil {
		fmt.Fprintln(p.err, "tonprobe:", err)
		return exitSoftware
	}
	defer func() {
		if v := recover(); v != nil {
			p.printFault(v, debug.Stack())
			s = exitSoftware
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// After Ctrl+C a line may still be requested, and the window would need the Enter key twice.
	defer func() { p.closed = p.closed || ctx.Err() != nil }()
	c, rest, err := choose(args)
	p.unattended = c.unattended
	if err == nil {
		err = c.run(p, ctx, rest)
	}
	lost := p.out.close()
	if lost == nil {
		return p.finish(err)
	}
	if err != nil && !errors.Is(err, lost) {
		p.finish(err)
	}
	fmt.Fprintln(p.err, "tonprobe:", p.t("error.output", "problem", p.problem(lost)))
	return exitSoftware
}

// choose finds the subcommand; the default is check.
func choose(args []string) (command, []string, error) {
	all := commands()
	name, rest := "check", args
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, rest = args[0], args[1:]
	}
	if len(args) > 0 && slices.Contains([]string{"-h", "-help", "--help"}, args[0]) {
		name, rest = "help", args[1:]
	}
	if i := slices.IndexFunc(all, func(c command) bool { return c.name == name }); i >= 0 {
		return all[i], rest, nil
	}
	return command{}, nil, &usageError{key: "usage.unknown_command", args: []any{"command", name}}
}

func isCommand(name string) bool {
	return slices.ContainsFunc(commands(), func(c command) bool { return c.name == name })
}

// speak sets the language before anything can fail: from --lang, then TONPROBE_LANG, then
// the system.
func (p *program) speak(args []string) error {
	p.lang = p.systemLang()
	for _, s := range []string{p.getenv("TONPROBE_LANG"), langFlag(args)} {
		if l, ok := phrase.ParseLang(s); ok {
			p.lang = l
		}
	}
	var err error
	p.texts, err = loadTexts(p.lang)
	return err
}

// langFlag finds --lang without parsing the rest of the line.
func langFlag(args []string) string {
	for i, a := range args {
		name, value, joined := strings.Cut(strings.TrimLeft(a, "-"), "=")
		switch {
		case !strings.HasPrefix(a, "-") || name != "lang":
		case joined:
			return value
		case i+1 < len(args):
			return args[i+1]
		}
	}
	return ""
}

// t returns the text of key in the person's language.
func (p *program) t(key string, args ...any) string { return p.texts.T(key, args...) }

func (p *program) say(key string, args ...any) { fmt.Fprintln(p.out, p.t(key, args...)) }

// warn prints a message to standard error.
func (p *program) warn(key string, args ...any) { fmt.Fprintln(p.err, p.t(key, args...)) }

// printFault reports an internal error. The stack is printed only on request.
func (p *program) printFault(v any, stack []byte) {
	p.warn("error.internal")
	if p.getenv("TONPROBE_DEBUG") != "" {
		fmt.Fprintf(p.err, "%v\n%s", v, stack)
	}
}
