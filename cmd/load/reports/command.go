// Package reports delivers reports to a collector in a separate process, and opens
// the pages of its dashboard with a large database.
package reports

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/cmd/load/rig"
)

var (
	// ErrUsage means that the arguments are invalid.
	ErrUsage = errors.New("wrong usage")
	// ErrLost means that a delivery failed, or that an acknowledged report is not
	// in the database.
	ErrLost = errors.New("deliveries failed or reports were lost")
)

// perAgent is the number of reports that the collector accepts from one agent at
// once (api.agentBurst).
const perAgent = 60

// options are the options of the command line.
type options struct {
	participants, reports  int
	senders, batch         int
	batched, single, pages int
	dir, collector         string
	postgresFile           string // file with the URL of a PostgreSQL database; "" for SQLite
}

func (o *options) parse(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("reports", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.IntVar(&o.participants, "participants", 1000, "participants in the database, each with one agent")
	flags.IntVar(&o.reports, "reports", 10_000, "reports in the database before the measurement")
	flags.IntVar(&o.senders, "senders", 64, "senders at once")
	flags.IntVar(&o.batch, "batch", 50, "reports in a batch, 1 to 100")
	flags.IntVar(&o.batched, "batched", 50_000, "reports to deliver in batches")
	flags.IntVar(&o.single, "single", 20_000, "reports to deliver one by one")
	flags.IntVar(&o.pages, "pages", 100, "how often to open each kind of page")
	flags.StringVar(&o.dir, "keep", "", "`directory` of the database; a filled one is used again (default: a new one, removed afterwards)")
	flags.StringVar(&o.postgresFile, "database-url-file", "", "`file` with the URL of an empty PostgreSQL database (default: SQLite)")
	flags.StringVar(&o.collector, "collector", "", "the collector's program `file` (default: built from this repository)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case o.participants < 1 || o.reports < 0 || o.senders < 1 || o.batch < 1 || o.batch > 100 || o.batched < 0 || o.single < 0 || o.pages < 0:
		return fmt.Errorf("%w: a number is too small or too large", ErrUsage)
	case o.deliveries() > perAgent*o.participants:
		return fmt.Errorf("%w: %d deliveries from %d agents: the collector accepts %d from one at once", ErrUsage, o.deliveries(), o.participants, perAgent)
	}
	return nil
}

func (o *options) deliveries() int { return o.batched/o.batch + o.single }

// Command runs one measurement and writes its results to out.
func Command(ctx context.Context, args []string, out io.Writer) error {
	var o options
	if err := o.parse(args, out); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "tonprobe-load-*")
	if err != nil {
		return fmt.Errorf("create a working directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }()
	if o.dir == "" {
		o.dir = filepath.Join(work, "database")
	}
	if o.collector == "" {
		if o.collector, err = rig.Build(ctx, work, "tonprobe-collector"); err != nil {
			return err
		}
	}
	return measure(ctx, o, out)
}

func measure(ctx context.Context, o options, out io.Writer) error {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return fmt.Errorf("create the directory of the database: %w", err)
	}
	d := &database{dir: o.dir}
	var flags []string
	if o.postgresFile != "" {
		address, err := os.ReadFile(o.postgresFile)
		if err != nil {
			return fmt.Errorf("read the address of the database: %w", err)
		}
		d.postgres = strings.TrimSpace(string(address))
		flags = []string{"--database-url-file", o.postgresFile}
	}
	err := d.open(ctx, o.participants, o.reports, func(line string) { _, _ = fmt.Fprintln(out, line) })
	if err != nil {
		return err
	}
	c, err := rig.Serve(ctx, o.collector, d.data(), flags...)
	if err != nil {
		return err
	}
	ids, faults, err := run(ctx, o, d, c, out)
	if err := errors.Join(err, c.Stop()); err != nil {
		return err
	}
	return verify(ctx, d, ids, faults, out)
}

// run measures a running collector. ids are those of all acknowledged reports.
func run(ctx context.Context, o options, d *database, c *rig.Collector, out io.Writer) (ids []string, faults []error, err error) {
	if c.Password != "" {
		d.Password = c.Password
		if err := d.save(); err != nil {
			return nil, nil, err
		}
	}
	line(out, "database", "%d participants, %d reports", len(d.Agents), d.Reports)
	if o.pages > 0 {
		all, err := browse(ctx, c, d, o.pages)
		if err != nil {
			return nil, nil, err
		}
		for _, p := range all {
			line(out, p.name+": p50, p95, max; CPU", "%s; %.1f ms; %d kB", spread(p.took), float64(p.cpu.Microseconds())/1e3, (p.bytes+500)/1000)
		}
	}
	for _, round := range []struct {
		name           string
		reports, batch int
	}{{fmt.Sprintf("in batches of %d", o.batch), o.batched, o.batch}, {"one by one", o.single, 1}} {
		if round.reports == 0 {
			continue
		}
		all, err := prepare(d.Agents, (round.reports+round.batch-1)/round.batch, round.batch)
		if err != nil {
			return nil, nil, err
		}
		before, _ := rig.UsageOf(c.PID())
		got := deliver(ctx, c.URL, all, o.senders)
		after, known := rig.UsageOf(c.PID())
		line(out, round.name, "%.0f reports/s (%d in %.1f s from %d senders)", float64(got.reports)/got.took.Seconds(), got.reports, got.took.Seconds(), o.senders)
		line(out, "  answer p50, p95, max", "%s", spread(got.answers))
		if known {
			used := after.CPU - before.CPU
			line(out, "  collector: cores, CPU per report", "%.2f, %.0f us", used.Seconds()/got.took.Seconds(), float64(used.Microseconds())/float64(max(1, got.reports)))
			line(out, "  collector: memory, peak", "%.0f MB, %.0f MB", after.MemoryMB, after.PeakMB)
		}
		ids, faults = append(ids, got.ids...), append(faults, got.faults...)
	}
	return ids, faults, ctx.Err()
}

// verify looks for each acknowledged report in the database.
func verify(ctx context.Context, d *database, ids []string, faults []error, out io.Writer) error {
	f, err := d.filler(ctx)
	if err != nil {
		return err
	}
	missing, err := f.Missing(ctx, ids)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	line(out, "acknowledged, of these lost", "%d, %d", len(ids), missing)
	line(out, "deliveries that failed", "%d", len(faults))
	if missing > 0 || len(faults) > 0 {
		return fmt.Errorf("%w: %w", ErrLost, errors.Join(faults[:min(3, len(faults))]...))
	}
	return nil
}

func line(w io.Writer, name, format string, args ...any) {
	_, _ = fmt.Fprintf(w, "%-38s %s\n", name, fmt.Sprintf(format, args...))
}

func spread(sorted []time.Duration) string {
	if len(sorted) == 0 {
		return "unknown"
	}
	at := func(p int) float64 { return float64(sorted[(len(sorted)-1)*p/100].Microseconds()) / 1e3 }
	return fmt.Sprintf("%.1f, %.1f, %.1f ms", at(50), at(95), at(100))
}
