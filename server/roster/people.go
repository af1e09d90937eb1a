package roster

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a table of people.
const (
	MaxTableBytes  = 4 << 20
	MaxTableRows   = 5_000
	maxProblems    = 50
	maxTableFields = 100
)

// Entry is one person of a table.
type Entry struct {
	Line    int // in the file
	Name    string
	Phone   string
	Email   string
	Council string
}

// Problem describes an invalid line of a table.
type Problem struct {
	Line int
	Text string
}

// TableError lists the reasons why a table cannot be imported.
type TableError struct{ Problems []Problem }

func (e *TableError) Error() string {
	var all []string
	for _, p := range e.Problems {
		all = append(all, fmt.Sprintf("line %d: %s", p.Line, p.Text))
	}
	return strings.Join(all, "; ")
}

// Add adds a problem, unless there are very many.
func (e *TableError) Add(line int, format string, args ...any) {
	if len(e.Problems) < maxProblems {
		e.Problems = append(e.Problems, Problem{line, fmt.Sprintf(format, args...)})
	}
}

// columns maps the column names used in tables, in lower case and without spaces and punctuation, to the
// fields of an entry, or to one of phones or emails.
var columns = map[string]string{
	"name": "name", "fullname": "name", "vollständigername": "name", "person": "name", "mitglied": "name", "member": "name", "teilnehmer": "name", "teilnehmerin": "name", "participant": "name",
	"nachname": "family", "familienname": "family", "zuname": "family", "surname": "family", "lastname": "family", "familyname": "family",
	"vorname": "given", "firstname": "given", "givenname": "given", "rufname": "given",
	"titel": "title", "akademischertitel": "title", "title": "title",
	"telefon": "phone", "telefonnummer": "phone", "tel": "phone", "telnr": "phone", "rufnummer": "phone", "phone": "phone", "phonenumber": "phone", "telephone": "phone",
	"telefonnr": "phone", "telefondienstlich": "work phone", "telefongeschäftlich": "work phone", "festnetz": "landline", "festnetznummer": "landline", "telefonfestnetz": "landline", "telefonprivat": "private phone",
	"mobil": "mobile", "handy": "mobile", "mobiltelefon": "mobile", "handynummer": "mobile", "mobile": "mobile", "mobilephone": "mobile", "cell": "mobile",
	"mobilnummer": "mobile", "mobilnr": "mobile", "mobilfunk": "mobile", "mobilfunknummer": "mobile", "telefonmobil": "mobile", "handynr": "mobile",
	"email": "email", "mail": "email", "emailadresse": "email", "mailadresse": "email", "emailaddress": "email",
	"emaildienstlich": "work email", "emailgeschäftlich": "work email", "emailprivat": "private email",
	"gremium": "council", "rat": "council", "ausschuss": "council", "council": "council", "committee": "council", "gremien": "council",
}

// names are the columns with names or parts of them.
var names = []string{"name", "family or name", "family", "given"}

// The columns of a field by their rank: the first whose cell is not empty counts. Names and telephone
// numbers tell participants apart, so the order of the columns must not decide.
var (
	phones = []string{"phone", "mobile", "work phone", "landline", "private phone"}
	emails = []string{"email", "work email", "private email"}
)

// columnKey returns the name of a column as in columns.
func columnKey(header string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPunct(r) {
			return -1
		}
		return r
	}, strings.ToLower(tidy(header)))
}

// ReadPeople reads a table of people as spreadsheets save it: separated by semicolons, commas or
// tabs, in UTF-8, UTF-16 or Windows-1252. The first line names the columns in German or English;
// others than those of Entry are ignored. A *TableError lists all lines that cannot be read.
func ReadPeople(b []byte) ([]Entry, error) {
	if len(b) > MaxTableBytes {
		return nil, fmt.Errorf("the table is %w: it has %d bytes, at most %d are read", ErrTooLarge, len(b), MaxTableBytes)
	}
	text := string(utf8Text(b))
	if strings.HasPrefix(text, "PK\x03\x04") || strings.ContainsRune(text, 0) {
		return nil, fmt.Errorf("%w: this is not a CSV file. In Excel choose 'Save as', 'CSV UTF-8 (*.csv)'", ErrFormat)
	}
	if !strings.Contains(text, "\n") { // Excel's format "CSV (Macintosh)"
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	text, separator, skipped := separatorOf(text)
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = separator, -1, true, separator != '\t'
	var entries []Entry
	var where map[string]int
	wrong := &TableError{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			wrong.Add(bad.Line+skipped, "the quotation marks do not match")
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		line += skipped
		if empty(record) {
			continue
		}
		if where == nil {
			if where, err = header(record); err != nil {
				wrong.Add(line, "%v", err)
				break
			}
			continue
		}
		if len(entries) == MaxTableRows {
			return nil, fmt.Errorf("the table is %w: it has more than %d people", ErrTooLarge, MaxTableRows)
		}
		if e, problem := entryOf(record, where); problem != "" {
			wrong.Add(line, "%s", problem)
		} else {
			e.Line = line
			entries = append(entries, e)
		}
	}
	if where == nil && len(wrong.Problems) == 0 {
		return nil, fmt.Errorf("%w: the table is empty", ErrFormat)
	}
	if len(wrong.Problems) > 0 {
		return nil, wrong
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%w: the table has a line with the names of the columns, but no people", ErrFormat)
	}
	return entries, nil
}

// separatorOf returns the separator of a table, and the table without the line "sep=;" by
// which some programs announce it to Excel. skipped is the number of removed lines.
func separatorOf(text string) (rest string, separator rune, skipped int) {
	first, after, _ := strings.Cut(text, "\n")
	if s := strings.TrimRight(first, "\r"); len(s) == len("sep=;") && strings.EqualFold(s[:4], "sep=") && strings.ContainsAny(s[4:], ";,\t") {
		return after, rune(s[4]), 1
	}
	most := 0
	separator = ';'
	for _, c := range ";,\t" {
		if n := strings.Count(first, string(c)); n > most {
			separator, most = c, n
		}
	}
	return text, separator, 0
}

func empty(record []string) bool {
	return !slices.ContainsFunc(record, func(s string) bool { return strings.TrimSpace(s) != "" })
}

// header returns the index of each field.
func header(record []string) (map[string]int, error) {
	where := map[string]int{}
	for i, h := range record[:min(len(record), maxTableFields)] {
		field := columns[columnKey(h)]
		if _, twice := where[field]; field != "" && !twice {
			where[field] = i
		}
	}
	at, name := where["name"]
	_, family := where["family"]
	if first, given := where["given"]; name && given && !family && columnKey(record[at]) == "name" && columnKey(record[first]) != "rufname" { // Name;Vorname
		where["family or name"] = at
		delete(where, "name")
	}
	if !name && !family {
		return nil, fmt.Errorf("the first line must name the columns, of which one is Name (or Nachname and Vorname), such as: Name;Telefon;E-Mail;Gremium. It is: %.80s", tidy(strings.Join(record, ";")))
	}
	return where, nil
}

// entryOf returns the person in a line, or a description of the problem.
func entryOf(record []string, where map[string]int) (e Entry, problem string) {
	field := func(name string) string {
		i, ok := where[name]
		if !ok || i >= len(record) {
			return ""
		}
		s := strings.TrimSpace(record[i])
		// ="0228 5550101" prevents Excel from removing the zero.
		if inner, ok := strings.CutPrefix(s, `="`); ok && strings.HasSuffix(inner, `"`) {
			s = strings.TrimSuffix(inner, `"`)
		}
		// An apostrophe marks a text in Excel; it is part of a name such as 't Hooft.
		if rest, ok := strings.CutPrefix(s, "'"); ok && !(slices.Contains(names, name) && startsWithLetter(rest)) {
			s = rest
		}
		return s
	}
	e.Name = field("name")
	if e.Name == "" {
		family, given := field("family"), field("given")
		if either := field("family or name"); containsName(either, given) {
			e.Name = either
		} else {
			e.Name = strings.Join(strings.Fields(strings.Join([]string{field("title"), given, family, either}, " ")), " ")
		}
	}
	first := func(ranked []string) string {
		for _, name := range ranked {
			if s := field(name); s != "" {
				return s
			}
		}
		return ""
	}
	e.Phone, e.Email, e.Council = first(phones), first(emails), field("council")
	switch {
	case e.Name == "":
		return e, "there is no name"
	case strings.ContainsAny(e.Name+e.Phone+e.Email+e.Council, "\r\n"):
		return e, "a cell has several lines, or a quotation mark is never closed"
	case isScientific(e.Phone):
		return e, fmt.Sprintf("the telephone number %q was rounded by the spreadsheet: format the column as text and enter it again", e.Phone)
	case e.Email != "" && !strings.Contains(e.Email, "@"):
		return e, fmt.Sprintf("%.60q is not an e-mail address", e.Email)
	}
	return e, ""
}

// containsName reports whether a name has all words of a given name, and others.
func containsName(name, given string) bool {
	split := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) })
	}
	words, want := split(name), split(given)
	for _, w := range want {
		if !slices.Contains(words, w) {
			return false
		}
	}
	return len(want) > 0 && len(want) < len(words)
}

func startsWithLetter(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLetter(r)
}

// isScientific reports whether a spreadsheet wrote a number as 4,92285E+11.
func isScientific(s string) bool {
	mantissa, exponent, ok := strings.Cut(strings.ToUpper(s), "E+")
	if !ok || mantissa == "" || exponent == "" {
		return false
	}
	return strings.Trim(mantissa, "0123456789.,") == "" && strings.Trim(exponent, "0123456789") == ""
}
