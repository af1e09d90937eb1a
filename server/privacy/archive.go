package privacy

import (
	"archive/zip"
	"context"
	"embed"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/store"
)

//go:embed readme
var readmes embed.FS

// ArchiveName returns the name of the file of an export. It does not contain the person's name.
func ArchiveName(p Person) string {
	return "tonprobe-" + p.ID[:min(8, len(p.ID))] + "-" + p.At.Format("2006-01-02") + ".zip"
}

// WriteArchive writes everything about a person as a zip archive: LIESMICH.txt and README.txt,
// person.json, tables for a spreadsheet, and the document of each report. Times in the tables are those
// of zone.
func WriteArchive(ctx context.Context, w io.Writer, s Source, p Person, zone *time.Location) error {
	z := zip.NewWriter(w)
	add := func(name string, write func(io.Writer) error) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: p.At})
		if err == nil {
			err = write(f)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		return nil
	}
	for _, name := range []string{"LIESMICH.txt", "README.txt"} {
		text, err := readmes.ReadFile("readme/" + name)
		if err != nil {
			return err
		}
		if err := add(name, func(f io.Writer) error { _, err := f.Write(text); return err }); err != nil {
			return err
		}
	}
	err := add("person.json", func(f io.Writer) error {
		e := json.NewEncoder(f)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(p)
	})
	if err != nil {
		return err
	}
	for _, t := range p.tables(zone) {
		if err := add(t.name, t.write); err != nil {
			return err
		}
	}
	for _, c := range p.Checks {
		stored, err := s.Report(ctx, c.Report)
		if errors.Is(err, store.ErrNotFound) { // deleted meanwhile
			continue
		}
		if err != nil {
			return err
		}
		if err := add("reports/"+c.Report+".json", func(f io.Writer) error { _, err := f.Write(stored.Document); return err }); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	return nil
}

// table is a file that spreadsheets open.
type table struct {
	name string
	rows [][]string
}

func (t table) write(w io.Writer) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil { // Excel takes it for UTF-8 then
		return err
	}
	c := csv.NewWriter(w)
	c.Comma, c.UseCRLF = ';', true
	for _, row := range t.rows {
		for i, cell := range row {
			row[i] = enroll.SpreadsheetCell(cell)
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// tables returns the person as tables, whose titles are in German and English.
func (p Person) tables(zone *time.Location) []table {
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(zone).Format("2006-01-02 15:04:05")
	}
	person := [][]string{{"Angabe / Item", "Inhalt / Content"}, {"Name / Name", p.Name}, {"Telefon / Telephone", p.Phone}, {"Eingetragen / Added", at(p.AddedAt)},
		{"Gesperrt / Blocked", yesNo(p.Blocked)}, {"Kennung / Id", p.ID}}
	for _, c := range p.Councils {
		person = append(person, []string{"Gremium / Council", c})
	}
	if !p.WithoutCouncilSince.IsZero() {
		person = append(person, []string{"Ohne Gremium und nicht benutzt seit / In no council and not used since", at(p.WithoutCouncilSince)})
	}
	for _, h := range p.Sources {
		person = append(person, []string{"Prüfsumme einer OParl-Kennung / Hash of an id in OParl", h})
	}
	for _, c := range p.Computers {
		person = append(person, []string{"Computer / Computer", c.OS + " " + c.Arch + ", Tonprobe " + c.Version + ", " + at(c.EnrolledAt) + ", " + c.ID})
	}
	checks := [][]string{{"Zeit / Time", "Fall-Code / Case code", "Anlass / Trigger", "Ergebnis / Result", "Ursache / Cause", "Fall / Case", "Wirkliche Ursache / True cause", "Notizen / Notes"}}
	for _, c := range p.Checks {
		notes := ""
		for _, n := range c.Notes {
			if notes != "" {
				notes += " | "
			}
			notes += at(n.At) + " " + n.Kind + " " + n.Text
		}
		checks = append(checks, []string{at(c.CheckedAt), c.Case, c.Trigger, c.Verdict, c.Cause, c.State, c.TrueCause, notes})
	}
	disturbances := [][]string{{"Zeit / Time", "Gremium / Council", "Eintrag / Entry", "Art / Kind", "Rolle / Role", "Zustand / State", "Text / Text"}}
	for _, d := range p.Disturbances {
		disturbances = append(disturbances, []string{at(d.At), d.Council, strconv.Itoa(d.Number), d.Kind, d.Role, d.State, d.Text})
	}
	accesses := [][]string{{"Zeit / Time", "Wer / Who", "Rolle / Role", "Was / What", "Bericht / Report"}}
	for _, a := range p.Accesses {
		who := "Befehl oder Programm / command or program"
		switch {
		case store.IsOwnAccess(store.AuditKind(a.Kind)):
			who = "die Person selbst / the person"
		case a.Staff > 0:
			who = "Telefon-Hilfe oder Verwaltung / staff " + strconv.Itoa(a.Staff)
		}
		accesses = append(accesses, []string{at(a.At), who, a.Role, a.Kind, a.Report})
	}
	return []table{{"person.csv", person}, {"pruefungen-checks.csv", checks}, {"stoerungen-disturbances.csv", disturbances}, {"zugriffe-accesses.csv", accesses}}
}

func yesNo(yes bool) string {
	if yes {
		return "ja / yes"
	}
	return "nein / no"
}
