package roster_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	utf16 "golang.org/x/text/encoding/unicode"

	"github.com/tonprobe/tonprobe/server/roster"
)

func TestReadPeople(t *testing.T) {
	const table = "Name;Telefon;E-Mail;Gremium\r\nJörg Müller;0228 5550101;j@example.org;Rat\r\n\r\n\"Muster, Anna\";\"+49 221 \"\"77\"\"\";;\r\n"
	const want = `2 "Jörg Müller" "0228 5550101" "j@example.org" "Rat"; 4 "Muster, Anna" "+49 221 \"77\"" "" ""`
	encode := func(s string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, c := range map[string]struct{ table, want string }{
		"UTF-8":              {table, want},
		"byte order mark":    {"\ufeff" + table, want},
		"Windows-1252":       {encode(charmap.Windows1252.NewEncoder().String(table)), want},
		"UTF-16":             {encode(utf16.UTF16(utf16.LittleEndian, utf16.UseBOM).NewEncoder().String(table)), want},
		"commas":             {"name,phone,email,council\nJörg Müller,0228 5550101,j@example.org,Rat\n", `2 "Jörg Müller" "0228 5550101" "j@example.org" "Rat"`},
		"tabs":               {"Name\tMobil\nA\t1\n", `2 "A" "1" "" ""`},
		"sep":                {"sep=;\r\nName;Telefon\r\nA, B;1\r\n", `3 "A, B" "1" "" ""`},
		"several columns":    {"Anrede;Titel;Nachname;Vorname;Straße;Handy\nFrau;Dr.;Muster;Anna;Weg 1;0170 1\n;;Alt;;;\n", `2 "Dr. Anna Muster" "0170 1" "" ""; 3 "Alt" "" "" ""`},
		"kinds of telephone": {"Name;Telefon (dienstlich):;Mobilnummer;E-Mail privat\nA;1;2;a@b\nB;1;;\n", `2 "A" "2" "a@b" ""; 3 "B" "1" "" ""`},
		"plain telephone":    {"Name;Telefon privat;E-Mail privat;Telefon;E-Mail\nA;0228 99;p@b;0228 1;a@b\nB;0228 99;p@b;;\n", `2 "A" "0228 1" "a@b" ""; 3 "B" "0228 99" "p@b" ""`},
		"private telephone":  {"Name;Telefon privat;Festnetz;E-Mail privat;Telefon dienstlich;E-Mail geschäftlich\nA;1;2;p@b;3;d@b\nB;1;2;p@b;;\n", `2 "A" "3" "d@b" ""; 3 "B" "2" "p@b" ""`},
		"short lines":        {"Name;Telefon;Gremium\nA\nB;2\n", `2 "A" "" "" ""; 3 "B" "2" "" ""`},
		"formula":            {"Name;Telefon\nA;\"=\"\"0228 1\"\"\"\nB;'0228 2\n", `2 "A" "0228 1" "" ""; 3 "B" "0228 2" "" ""`},
		"bare quotes":        {"Name;Telefon\nHans \"Hansi\" Maier;1\n", `2 "Hans \"Hansi\" Maier" "1" "" ""`},
		"old Mac":            {"Name;Telefon\rA;1\r\rB;2", `2 "A" "1" "" ""; 4 "B" "2" "" ""`},
		"no last line":       {"Name;Telefon\nA;1", `2 "A" "1" "" ""`},
		"name and Vorname":   {"Name;Vorname;Telefon\nMuster;Anna;1\nAlt;;2\n", `2 "Anna Muster" "1" "" ""; 3 "Alt" "2" "" ""`},
		"full names":         {"Name;Vorname;Titel\nDr. Anna Muster;Anna;\nMuster, Anna-Maria;Anna Maria;\nErnst;Ernst;\nAnnasohn;Anna;\nAlt;;Dr.\n", `2 "Dr. Anna Muster" "" "" ""; 3 "Muster, Anna-Maria" "" "" ""; 4 "Ernst Ernst" "" "" ""; 5 "Anna Annasohn" "" "" ""; 6 "Dr. Alt" "" "" ""`},
		"full name":          {"Vollständiger Name;Vorname\nDr. Anna Muster;Anna\nBerta Beispiel;Bea\n", `2 "Dr. Anna Muster" "" "" ""; 3 "Berta Beispiel" "" "" ""`},
		"Rufname":            {"Name;Rufname\nAnnegret Muster;Anne\n", `2 "Annegret Muster" "" "" ""`},
		"member":             {"Mitglied;Vorname\nAnna Muster;Änne\n", `2 "Anna Muster" "" "" ""`},
		"apostrophe":         {"Name;Telefon;Gremium;E-Mail\n't Hooft;'0228 1;'Rat;'a@b\n'=1+1;\n", `2 "'t Hooft" "0228 1" "a@b" "Rat"; 3 "=1+1" "" "" ""`},
	} {
		entries, err := roster.ReadPeople([]byte(c.table))
		if err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
			continue
		}
		var got []string
		for _, e := range entries {
			got = append(got, fmt.Sprintf("%d %q %q %q %q", e.Line, e.Name, e.Phone, e.Email, e.Council))
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "; "), c.want)
		}
	}
}

func TestBadTables(t *testing.T) {
	for name, c := range map[string]struct {
		table string
		want  []string
	}{
		"empty":         {"", []string{"empty"}},
		"only a header": {"Name;Telefon\n", []string{"no people"}},
		"no header":     {"Anna Muster;0228\nB;1\n", []string{"line 1", "Name;Telefon;E-Mail;Gremium", "Anna Muster;0228"}},
		"an Excel file": {"PK\x03\x04xl/workbook.xml", []string{"CSV UTF-8"}},
		"two problems":  {"Name;Telefon;Mail\nA;1;a@b\n;2;\nC;4,92285E+11;\nD;1;niemand\n", []string{"line 3: there is no name", "line 4: the telephone number \"4,92285E+11\" was rounded", "line 5: \"niemand\" is not an e-mail"}},
		"open quote":    {"Name;Telefon\n\"A;1\nB;2\n", []string{"line 2"}},
		"too many":      {"Name\n" + strings.Repeat("A\n", roster.MaxTableRows+1), []string{"5000"}},
		"too large":     {strings.Repeat("x", roster.MaxTableBytes+1), []string{"too large"}},
	} {
		entries, err := roster.ReadPeople([]byte(c.table))
		if err == nil || entries != nil {
			t.Errorf("%s: got %v, error %v; want nil, non-nil", name, entries, err)
			continue
		}
		for _, text := range c.want {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: got %q, want it to contain %q", name, err, text)
			}
		}
		if _, table := errors.AsType[*roster.TableError](err); table != strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%s: got error of type %T, want a TableError: %v", name, err, !table)
		}
	}
}

func FuzzPeople(f *testing.F) {
	f.Add([]byte("Name;Telefon;E-Mail;Gremium\r\nJörg;0228;j@x;Rat\r\n"))
	f.Add([]byte("sep=,\n\"Name\",Tel.\n\"A\"\"b\",\"=\"\"1\"\"\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := roster.ReadPeople(b)
		if (len(entries) == 0) == (err == nil) {
			t.Fatalf("got entries %v, error %v; want one of both", entries, err)
		}
		for _, e := range entries {
			if e.Name == "" || e.Line < 2 || strings.ContainsAny(e.Name+e.Phone+e.Email+e.Council, "\r\n") {
				t.Fatalf("got %+v, want a name, a line from 2 on, and no line breaks", e)
			}
		}
	})
}
