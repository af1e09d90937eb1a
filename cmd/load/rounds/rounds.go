// Package rounds kills the real programs and fills their disks, and checks that
// nothing they have acknowledged is lost or stored twice.
package rounds

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

var (
	// ErrUsage means that the arguments are invalid.
	ErrUsage = errors.New("wrong usage")
	// ErrBroken means that a check failed.
	ErrBroken = errors.New("a check failed")
)

// figures writes the results, one per line, and records failed checks.
type figures struct {
	out    io.Writer
	broken []string
}

func (f *figures) line(name, format string, args ...any) {
	_, _ = fmt.Fprintf(f.out, "%-46s %s\n", name, fmt.Sprintf(format, args...))
}

// none writes a count that must be zero.
func (f *figures) none(name string, n int) {
	f.line(name, "%d", n)
	if n != 0 {
		f.broken = append(f.broken, fmt.Sprintf("%s: %d", name, n))
	}
}

// hold records whether a check passed.
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

// parse returns help if only the usage was requested.
func parse(flags *flag.FlagSet, args []string, out io.Writer) (help bool, err error) {
	flags.SetOutput(out)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if flags.NArg() > 0 {
		return false, fmt.Errorf("%w: %q is not an option", ErrUsage, flags.Arg(0))
	}
	return false, nil
}

// inDirectory runs a measurement in a directory that is removed afterwards.
func inDirectory(run func(dir string) error) error {
	dir, err := os.MkdirTemp("", "tonprobe-load-*")
	if err != nil {
		return fmt.Errorf("create a working directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	return run(dir)
}
