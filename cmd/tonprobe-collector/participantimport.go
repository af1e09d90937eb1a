package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/intake"
	"github.com/tonprobe/tonprobe/server/roster"
	"github.com/tonprobe/tonprobe/server/store/sqlstore"
)

func participantImportFlags(in *invocation) {
	in.flags.StringVar(&in.importing.council, "council", "", "`name` of the council of those whose line names none")
	in.flags.BoolVar(&in.importing.dryRun, "dry-run", false, "only show what would change")
	againFlag(in)
	participantCodeFlags(in)
}

// participantImport adds the people of a table, all or none, and prints the codes of the new
// ones as CSV for a mail merge, or as JSON.
func participantImport(ctx context.Context, t terminal, in *invocation) error {
	c, err := in.settings(t)
	if err != nil {
		return err
	}
	entries, err := readTable(in.args[0])
	if err != nil {
		return printProblems(t.err, in.args[0], err)
	}
	return in.withStore(ctx, t, func(s *sqlstore.Store) error {
		d, err := in.enroller(s, c)
		if err != nil {
			return err
		}
		desk := intake.Importer{Store: s, Enroll: d, Again: in.importing.again}
		plan, err := desk.Table(ctx, entries, strings.TrimSpace(in.importing.council))
		if err != nil {
			return printProblems(t.err, in.args[0], err)
		}
		if err := desk.Apply(ctx, plan, in.importing.dryRun); err != nil {
			return err
		}
		notePeople(t.err, plan.People)
		noteErased(t.err, plan.Erased, c.TimeZone)
		if err := printPeople(t.out, plan, addressOf(c.DataDir), c.TimeZone, in.importing.dryRun, in.json); err != nil {
			return err
		}
		added := len(newPeople(plan.People))
		verb := "Added"
		if in.importing.dryRun {
			verb = "Would add"
		}
		_, _ = fmt.Fprintf(t.err, "%s %d participants; %d are participants already.\n", verb, added, len(plan.People)-added)
		return nil
	})
}

func readTable(file string) ([]roster.Entry, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, usagef("%v", err)
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, roster.MaxTableBytes+1))
	if err != nil {
		return nil, usagef("read the table: %v", err)
	}
	entries, err := roster.ReadPeople(b)
	if errors.Is(err, roster.ErrFormat) || errors.Is(err, roster.ErrTooLarge) {
		return nil, usagef("%s: %v", file, err)
	}
	return entries, err
}

// printProblems prints each line of a table that cannot be imported.
func printProblems(w io.Writer, file string, err error) error {
	wrong, ok := errors.AsType[*roster.TableError](err)
	if !ok {
		return err
	}
	for _, p := range wrong.Problems {
		_, _ = fmt.Fprintf(w, "%s:%d: %s\n", file, p.Line, p.Text)
	}
	return usagef("nobody was imported: %d lines of %s must be corrected", len(wrong.Problems), file)
}

func newPeople(people []intake.Person) []intake.Person {
	var added []intake.Person
	for _, p := range people {
		if !p.Known {
			added = append(added, p)
		}
	}
	return added
}

// notePeople prints what should be checked about the imported people.
func notePeople(w io.Writer, people []intake.Person) {
	for _, p := range people {
		where := ""
		if p.Line > 0 {
			where = fmt.Sprintf("line %d: ", p.Line)
		}
		who := p.Invitation.Participant
		if p.Known {
			_, _ = fmt.Fprintf(w, "Note: %s%s is a participant already (%s), and was not added again.\n", where, who.Name, who.ID)
			continue
		}
		for _, phone := range p.SharesName {
			_, _ = fmt.Fprintf(w, "Note: %sthere is already a participant called %s, with the telephone number %s.\n", where, who.Name, phone)
		}
		for _, name := range p.SharesPhone {
			_, _ = fmt.Fprintf(w, "Note: %s%s has the same telephone number as %s.\n", where, who.Name, name)
		}
		if p.PhoneUnlikely {
			_, _ = fmt.Fprintf(w, "Warning: %sthe telephone number %s does not begin with 0 or +: a spreadsheet may have removed the zero.\n", where, who.Phone)
		}
		if len(p.BreaksSound) > 0 {
			_, _ = fmt.Fprint(w, "Line ", p.Line, ": ")
			noteName(w, who.Name)
		}
	}
}

// letter is a new participant, for a mail merge.
type letter struct {
	Participant string    `json:"participant"` // id
	Name        string    `json:"name"`
	Phone       string    `json:"phone"`
	Email       string    `json:"email"`
	Council     string    `json:"council"`
	Code        string    `json:"code,omitempty"`
	Link        string    `json:"link,omitempty"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
}

// printPeople prints the new participants. After a dry run they have no codes.
func printPeople(w io.Writer, plan *intake.Plan, at address, zone *time.Location, dryRun, asJSON bool) error {
	letters := []letter{}
	for _, p := range newPeople(plan.People) {
		l := letter{Name: p.Invitation.Participant.Name, Phone: p.Invitation.Participant.Phone, Email: p.Email, Council: p.Council}
		if !dryRun {
			l.Participant, l.Code, l.Link, l.ExpiresAt = p.Invitation.Participant.ID, p.Invitation.Code, at.link(p.Invitation.Code), p.Invitation.ExpiresAt
		}
		letters = append(letters, l)
	}
	if asJSON {
		known := []letter{}
		for _, p := range plan.People {
			if p.Known {
				known = append(known, letter{Participant: p.Invitation.Participant.ID, Name: p.Invitation.Participant.Name, Phone: p.Invitation.Participant.Phone, Email: p.Email, Council: p.Council})
			}
		}
		return printJSON(w, map[string]any{"added": letters, "known": known, "erased_left_out": erasedOf(plan), "dry_run": dryRun})
	}
	if len(letters) == 0 {
		return nil
	}
	// The byte order mark and the semicolons make German versions of Excel read it.
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	table := csv.NewWriter(w)
	table.Comma, table.UseCRLF = ';', true
	_ = table.Write([]string{"name", "phone", "email", "council", "code", "link", "expires"})
	for _, l := range letters {
		expires := ""
		if !l.ExpiresAt.IsZero() {
			expires = l.ExpiresAt.In(zone).Format("02.01.2006")
		}
		row := []string{l.Name, l.Phone, l.Email, l.Council, l.Code, l.Link, expires}
		for i := range row {
			row[i] = enroll.SpreadsheetCell(row[i])
		}
		_ = table.Write(row)
	}
	table.Flush()
	if err := table.Error(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return nil
}
