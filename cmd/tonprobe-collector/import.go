package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/intake"
	"github.com/tonprobe/tonprobe/server/roster"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

// importOptions are the options of the commands that import.
type importOptions struct {
	council      string
	organization string
	zone         string
	days         int
	dryRun       bool
	private      bool
	again        bool
}

// Limits of an import.
const (
	importTimeout = 10 * time.Minute
	maxImportDays = 730
)

func importFlags(in *invocation) {
	in.flags.BoolVar(&in.importing.dryRun, "dry-run", false, "only show what would change")
	in.flags.BoolVar(&in.importing.private, "allow-private", false, "permit a server in a private network or on this machine")
	in.flags.IntVar(&in.importing.days, "days", 365, "import the sessions of the next `days`, at most 730")
	in.flags.StringVar(&in.importing.zone, "zone", "", "time `zone` of times without one (default: that of the configuration)")
	jsonFlag(in)
}

// againFlag defines --again.
func againFlag(in *invocation) {
	in.flags.BoolVar(&in.importing.again, "again", false, "also add people who were erased; for one of them use 'participant add'")
}

func importOParlFlags(in *invocation) {
	againFlag(in)
	in.flags.StringVar(&in.importing.organization, "organization", "", "only the organization with this `name or URL`")
	in.flags.StringVar(&in.importing.council, "council", "", "`name` of the council here (default: that of the organization)")
	importFlags(in)
}

func importCalendarFlags(in *invocation) {
	in.flags.StringVar(&in.importing.council, "council", "", "`name` of the council")
	importFlags(in)
}

// window returns the time in which sessions are imported, and the zone of times without one. Those
// of the last day are included, so that a session that is in progress remains.
func (in *invocation) window(t terminal, now time.Time) (roster.Window, *time.Location, error) {
	o := in.importing
	if o.days < 1 || o.days > maxImportDays {
		return roster.Window{}, nil, usagef("the number of days is 1 to %d: --days=%d", maxImportDays, o.days)
	}
	c, err := in.settings(t)
	if err != nil {
		return roster.Window{}, nil, err
	}
	zone := c.TimeZone
	if o.zone != "" {
		if zone, err = time.LoadLocation(o.zone); err != nil {
			return roster.Window{}, nil, usagef("there is no time zone %.60q: one is Europe/Berlin", o.zone)
		}
	}
	return roster.Window{From: now.Add(-24 * time.Hour), Until: now.AddDate(0, 0, o.days)}, zone, nil
}

func importOParl(ctx context.Context, t terminal, in *invocation) error {
	o := in.importing
	now := time.Now()
	window, zone, err := in.window(t, now)
	if err != nil {
		return err
	}
	if o.council != "" && o.organization == "" {
		return usagef("--council needs --organization, which chooses the organization that becomes %q", o.council)
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		reading, cancel := context.WithTimeout(ctx, importTimeout)
		defer cancel()
		r, err := roster.OParl{URL: in.args[0], Access: roster.Access{AllowPrivate: o.private}, Organization: o.organization, Window: window, Now: now, Local: zone}.Read(reading)
		if err != nil {
			return nothingChanged(err)
		}
		return in.importPlan(ctx, t, s, func(d intake.Importer) (*intake.Plan, error) { return d.OParl(ctx, r, strings.TrimSpace(o.council)) })
	})
}

func importCalendar(ctx context.Context, t terminal, in *invocation) error {
	o := in.importing
	window, zone, err := in.window(t, time.Now())
	if err != nil {
		return err
	}
	council := strings.TrimSpace(o.council)
	if council == "" {
		return usagef("a calendar does not say whose sessions it has: name the council with --council")
	}
	return in.withStored(ctx, t, func(s *sqlstore.Store) error {
		r, source, err := readCalendar(ctx, in.args[0], roster.Calendar{Window: window, Local: zone}, o.private)
		if err != nil {
			return nothingChanged(err)
		}
		return in.importPlan(ctx, t, s, func(d intake.Importer) (*intake.Plan, error) { return d.Calendar(ctx, r, council, source) })
	})
}

// readCalendar reads a calendar from an address or a file, and returns the name of the source.
// Files are one source, whatever their names: a calendar is downloaded again under another one.
// The query of an address is often a secret, and only its hash is stored.
func readCalendar(ctx context.Context, from string, c roster.Calendar, private bool) (*roster.Roster, string, error) {
	if u, err := url.Parse(from); err == nil && strings.Contains(from, "://") && u.Host != "" {
		r, err := c.ReadURL(ctx, from, roster.Access{AllowPrivate: private})
		sum := sha256.Sum256([]byte(from))
		return r, u.Host + "#" + hex.EncodeToString(sum[:8]), err
	}
	f, err := os.Open(from)
	if err != nil {
		return nil, "", usagef("%v", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, roster.MaxDocumentBytes+1))
	if err != nil {
		return nil, "", usagef("read the calendar: %v", err)
	}
	r, err := c.Read(b)
	return r, "file", err
}

func nothingChanged(err error) error {
	return fmt.Errorf("nothing was changed: %w", err)
}

// importPlan makes a plan, carries it out and prints it.
func (in *invocation) importPlan(ctx context.Context, t terminal, s *sqlstore.Store, plan func(intake.Importer) (*intake.Plan, error)) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	desk := intake.Importer{Store: s, Enroll: enroll.Enroller{Store: s, Now: time.Now, Random: rand.Reader}, Again: in.importing.again}
	p, err := plan(desk)
	if err != nil {
		return nothingChanged(err)
	}
	if err := desk.Apply(ctx, p, in.importing.dryRun); err != nil {
		return nothingChanged(err)
	}
	if in.json {
		return printJSON(t.out, importedOf(p, in.importing.dryRun))
	}
	return printImport(t.out, p, c.TimeZone, in.importing.dryRun)
}

// imported is an import as JSON.
type imported struct {
	DryRun   bool              `json:"dry_run"`
	Complete bool              `json:"complete"`
	Added    []string          `json:"participants_added"` // names
	Erased   []erasedPerson    `json:"erased_left_out"`
	Councils []importedCouncil `json:"councils"`
	Notes    []string          `json:"notes"`
}

// erasedPerson is somebody whom an import leaves out as JSON.
type erasedPerson struct {
	Line     int       `json:"line,omitempty"`
	Name     string    `json:"name"`
	ErasedAt time.Time `json:"erased_at"`
}

func erasedOf(p *intake.Plan) []erasedPerson {
	list := []erasedPerson{}
	for _, e := range p.Erased {
		list = append(list, erasedPerson{e.Line, e.Name, e.ErasedAt})
	}
	return list
}

// noteErased prints whom an import leaves out because they were erased.
func noteErased(w io.Writer, erased []intake.Erased, zone *time.Location) {
	if len(erased) == 0 {
		return
	}
	if len(erased) == 1 {
		_, _ = fmt.Fprintln(w, "Not added again, because a person with this name was erased:")
	} else {
		_, _ = fmt.Fprintf(w, "Not added again, because people with these names were erased: %d\n", len(erased))
	}
	for _, e := range erased {
		line := ""
		if e.Line > 0 {
			line = fmt.Sprintf("line %d: ", e.Line)
		}
		_, _ = fmt.Fprintf(w, "  %s%s, erased on %s\n", line, e.Name, e.ErasedAt.In(zone).Format("2 January 2006"))
	}
	_, _ = fmt.Fprintln(w, "If one of them shall take part again, or is somebody else with the same name: 'participant add NAME'.\nTo add all of them: the same import with --again.")
}

type importedCouncil struct {
	Name     string             `json:"name"`
	New      bool               `json:"new"`
	Joined   []string           `json:"joined"`
	Left     []string           `json:"left"`
	Sessions store.ImportResult `json:"sessions"`
}

func importedOf(p *intake.Plan, dryRun bool) imported {
	i := imported{DryRun: dryRun, Complete: p.Complete, Added: []string{}, Erased: erasedOf(p), Councils: []importedCouncil{}, Notes: append([]string{}, p.Notes...)}
	for _, one := range newPeople(p.People) {
		i.Added = append(i.Added, one.Invitation.Participant.Name)
	}
	for _, c := range p.Councils {
		i.Councils = append(i.Councils, importedCouncil{c.Name, c.New, append([]string{}, c.Joined...), append([]string{}, c.Left...), c.Result})
	}
	return i
}

func printImport(w io.Writer, p *intake.Plan, zone *time.Location, dryRun bool) error {
	var b strings.Builder
	if dryRun {
		b.WriteString("This is what the import would change. Nothing was changed.\n\n")
	}
	if slices.ContainsFunc(p.Councils, func(c intake.Council) bool { return len(c.Sessions) > 0 }) {
		fmt.Fprintf(&b, "The times of the sessions are in the time zone %s.\n\n", zone)
	}
	for _, c := range p.Councils {
		b.WriteString(c.Name)
		if c.New {
			b.WriteString(" (new)")
		}
		fmt.Fprintf(&b, "\n  sessions: %d added, %d changed, %d cancelled, %d unchanged\n", c.Result.Added, c.Result.Changed, c.Result.Cancelled, c.Result.Unchanged)
		for _, s := range c.Sessions {
			state := ""
			if s.Cancelled {
				state = " (cancelled)"
			}
			fmt.Fprintf(&b, "    %s  %s%s\n", s.StartsAt.In(zone).Format(localMinute), s.Title, state)
		}
		for _, name := range c.Joined {
			fmt.Fprintf(&b, "  joins: %s\n", name)
		}
		for _, name := range c.Left {
			fmt.Fprintf(&b, "  leaves: %s (remains a participant)\n", name)
		}
	}
	if n := len(newPeople(p.People)); n > 0 {
		fmt.Fprintf(&b, "%d participants are new. They have no codes yet: 'tonprobe-collector participant code NAME' prints one.\n", n)
	}
	noteErased(&b, p.Erased, zone)
	if len(p.Councils) == 0 {
		b.WriteString("The source has no sessions in this time.\n")
	}
	if !p.Complete {
		b.WriteString("The source could not be read completely. Therefore nobody was removed and no session cancelled because it is missing.\n")
	}
	if p.Complete && p.Unread {
		b.WriteString("Some events could not be read. Their sessions from earlier imports remain as they are.\n")
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "Note: %s\n", note)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print the import: %w", err)
	}
	return nil
}
