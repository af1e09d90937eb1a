// Package rounds kills, starves and floods the real programs, and looks whether
// anything that they have promised to keep is lost or kept twice.
package rounds

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

var (
	// ErrUsage says that the arguments are wrong.
	ErrUsage = errors.New("wrong usage")
	// ErrBroken says that something did not hold.
	ErrBroken = errors.New("something did not hold")
)

// figures writes what came out, a line each, and remembers what did not hold.
type figures struct {
	out    io.Writer
	broken []string
}

func (f *figures) line(name, format string, args ...any) {
	_, _ = fmt.Fprintf(f.out, "%-46s %s\n", name, fmt.Sprintf(format, args...))
}

// none writes a line that has to say none.
func (f *figures) none(name string, n int) {
	f.line(name, "%d", n)
	if n != 0 {
		f.broken = append(f.broken, fmt.Sprintf("%s: %d", name, n))
	}
}

// hold writes a line that says whether something held.
func (f *figures) hold(name string, held bool, detail string) {
	if held {
		f.line(name, "yes")
		return
	}
	f.line(name, "no: %s", detail)
	f.broken = append(f.broken, name+": "+detail)
}

func (f *figures) err() error {
	if len(f.broken) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %q", ErrBroken, f.broken)
}

// parse returns help where only the usage was asked for.
func parse(flags *flag.FlagSet, args []string, out io.Writer) (help bool, err error) {
	flags.SetOutput(out)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if flags.NArg() > 0 {
		return false, fmt.Errorf("%w: %q is no option", ErrUsage, flags.Arg(0))
	}
	return false, nil
}

// inDirectory runs a round in a directory that is removed afterwards.
func inDirectory(run func(dir string) error) error {
	dir, err := os.MkdirTemp("", "tonprobe-load-*")
	if err != nil {
		return fmt.Errorf("make a directory to work in: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	return run(dir)
}
