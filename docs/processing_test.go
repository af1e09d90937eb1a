package docs_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	// reTableChange matches the statements of a migration that add, rename or remove a table.
	reTableChange = regexp.MustCompile(`(?m)^\s*(?:(CREATE) TABLE (?:IF NOT EXISTS )?(\w+)|(DROP) TABLE (?:IF EXISTS )?(\w+)|ALTER TABLE (\w+) (RENAME) TO (\w+))`)
	// reFirstCell matches the first cell of a row if it contains names in backticks.
	reFirstCell = regexp.MustCompile("(?m)^\\| (`[^|]*) \\|")
	reQuoted    = regexp.MustCompile("`([^`]+)`")
	// rePeriod matches an option of the collector with a default number of days.
	rePeriod = regexp.MustCompile("\\{\"(keep_\\w+|code_days)\", \"`days`[^\"]*\\(default (\\d+)[,)]")
)

func readText(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestEachTableIsInTheRecordOfProcessing: a table of the database that the German record of processing
// activities does not describe would be processed without a record (Art. 30 GDPR).
func TestEachTableIsInTheRecordOfProcessing(t *testing.T) {
	_, section, found := strings.Cut(readText(t, "de/verarbeitungsverzeichnis.md"), "\n### Tabellen der Datenbank\n")
	section, _, ended := strings.Cut(section, "\n### ")
	if !found || !ended {
		t.Fatal("there is no section about the tables")
	}
	described := map[string]bool{}
	for _, cell := range reFirstCell.FindAllStringSubmatch(section, -1) {
		for _, name := range reQuoted.FindAllStringSubmatch(cell[1], -1) {
			described[name[1]] = true
		}
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		stored := tablesAfter(t, "../server/store/sqlstore/migrations/"+engine)
		if len(stored) < 20 {
			t.Fatalf("%s: got only the tables %q", engine, slices.Sorted(maps.Keys(stored)))
		}
		for name := range stored {
			if !described[name] {
				t.Errorf("%s: the record does not describe the table %s", engine, name)
			}
		}
		for name := range described {
			if !stored[name] {
				t.Errorf("%s: the record describes the table %s, which does not exist", engine, name)
			}
		}
	}
}

// tablesAfter returns the tables that exist after all migrations in a folder.
func tablesAfter(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]bool{}
	for _, file := range files { // in the order of their numbers
		for _, m := range reTableChange.FindAllStringSubmatch(readText(t, file), -1) {
			switch {
			case m[1] != "":
				tables[m[2]] = true
			case m[3] != "":
				delete(tables, m[4])
			default:
				delete(tables, m[5])
				tables[m[7]] = true
			}
		}
	}
	return tables
}

// TestRecordsOfProcessingNameTheDefaultPeriods compares both languages with the options.
func TestRecordsOfProcessingNameTheDefaultPeriods(t *testing.T) {
	periods := rePeriod.FindAllStringSubmatch(readText(t, "../cmd/tonprobe-collector/settings.go"), -1)
	if len(periods) < 4 {
		t.Fatalf("got only the periods %q", periods)
	}
	for file, unit := range map[string]string{"processing-record.md": " days", "de/verarbeitungsverzeichnis.md": " Tage"} {
		rows := strings.Split(readText(t, file), "\n")
		for _, p := range periods {
			option, days := "`--"+strings.ReplaceAll(p[1], "_", "-")+"`", "| "+p[2]+unit
			if !slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(row, option) && strings.Contains(row, days) }) {
				t.Errorf("%s: no row has %s and %q", file, option, days)
			}
		}
	}
}
