package disturbance

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/store"
)

// file is a saved record. Texts are strings, so that their bytes do not change when the file is encoded.
type file struct {
	Schema  string      `json:"schema"`
	Head    string      `json:"head"`
	Entries []fileEntry `json:"entries"`
	Hash    string      `json:"hash"`
}

type fileEntry struct {
	Text   string       `json:"text"`
	People []filePerson `json:"people"`
	Hash   string       `json:"hash"`
}

// filePerson has an empty text if it was erased.
type filePerson struct {
	Text string `json:"text"`
	Hash string `json:"hash"`
}

// MaxFileBytes limits a saved record. It is larger than the largest record that the store accepts: each
// byte of a text needs at most two in the file, and a text about a person also needs its hash and the
// names of the fields.
const MaxFileBytes = store.MaxDisturbanceEntries * (1 << 20)

// Save returns a record as a file that Verify reads.
func Save(r store.DisturbanceRecord) ([]byte, error) {
	f := file{Schema: Schema, Head: r.Head, Entries: []fileEntry{}, Hash: r.Hash()}
	for _, e := range r.Entries {
		one := fileEntry{Text: e.Text, Hash: e.Hash, People: []filePerson{}}
		for _, p := range e.People {
			one.People = append(one.People, filePerson{p.Text, p.Hash})
		}
		f.Entries = append(f.Entries, one)
	}
	b, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return nil, fmt.Errorf("save a disturbance record: %w", err)
	}
	return append(b, '\n'), nil
}

// ErrNoRecord means that a file contains no record that this version can read.
var ErrNoRecord = errors.New("this is no disturbance record")

// ErrChanged means that a record was changed after its hashes were computed.
var ErrChanged = errors.New("the record was changed")

// Verify computes all hashes of a saved record and compares them. The error is an ErrNoRecord or an
// ErrChanged. It proves nothing about who made the file: the result has to be compared with the
// hash that was printed, or kept elsewhere.
func Verify(b []byte) (Record, error) {
	var f file
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil || f.Schema != Schema {
		return Record{}, ErrNoRecord
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Record{}, ErrNoRecord
	}
	// A field that occurs twice, also in other letters, would show people something else than what is
	// verified here.
	var compact bytes.Buffer
	if again, err := json.Marshal(f); err != nil || json.Compact(&compact, b) != nil || !bytes.Equal(again, compact.Bytes()) {
		return Record{}, fmt.Errorf("%w: its fields are not written as they were saved", ErrChanged)
	}
	r := store.DisturbanceRecord{Head: f.Head}
	for i, e := range f.Entries {
		one := store.DisturbanceEntry{Number: i + 1, Text: e.Text, Hash: store.ChainHash(r.Hash(), e.Text)}
		if one.Hash != e.Hash {
			return Record{}, fmt.Errorf("%w: the hash of entry %d is wrong", ErrChanged, i+1)
		}
		var facts Facts
		if err := json.Unmarshal([]byte(e.Text), &facts); err != nil {
			return Record{}, ErrNoRecord
		}
		one.Kind = facts.Kind
		if len(facts.People) != len(e.People) {
			return Record{}, fmt.Errorf("%w: entry %d has the wrong number of people", ErrChanged, i+1)
		}
		for k, p := range e.People {
			if p.Hash != facts.People[k] || p.Text != "" && store.TextHash(p.Text) != p.Hash {
				return Record{}, fmt.Errorf("%w: what entry %d says about a person does not match its hash", ErrChanged, i+1)
			}
			one.People = append(one.People, store.PersonText{Hash: p.Hash, Text: p.Text})
		}
		r.Entries = append(r.Entries, one)
	}
	if r.Hash() != f.Hash {
		return Record{}, fmt.Errorf("%w: the hash of the whole is wrong", ErrChanged)
	}
	read, err := Read(r)
	if err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrNoRecord, err)
	}
	return read, nil
}

// Erased returns the number of texts about people that were erased.
func (r Record) Erased() (n int) {
	for _, e := range r.Entries {
		n += e.Erased
	}
	return n
}

// Table writes a record as CSV: a row for each entry, and for each person of it. The byte order mark and
// the semicolons make German versions of Excel read it. With commas they would split it at the
// semicolons of its texts, which would put formulas into cells of their own.
func Table(w io.Writer, r Record, zone *time.Location) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return fmt.Errorf("write a disturbance record as CSV: %w", err)
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.In(zone).Format(time.RFC3339)
	}
	rows := [][]string{{"entry", "kind", "at", "recorded_at", "by", "about", "area", "cause", "evidence", "role", "name", "state", "checked_at", "text", "hash"}}
	for _, e := range r.Entries {
		about, area, cause, checked := "", "", "", ""
		var evidence []string
		if e.About > 0 {
			about = strconv.Itoa(e.About)
		}
		if d := e.Diagnosis; d != nil {
			area, cause, checked = string(d.Area), d.Cause, at(d.CheckedAt)
			for _, one := range d.Evidence {
				evidence = append(evidence, fmt.Sprintf("%s %s = %v %s (%s)", one.Probe, one.Field, one.Value, one.Unit, one.Limit))
			}
		}
		common := []string{strconv.Itoa(e.Number), string(e.Kind), at(e.At), at(e.RecordedAt), string(e.By), about}
		row := func(rest ...string) { rows = append(rows, append(append([]string{}, common...), rest...)) }
		row(area, cause, strings.Join(evidence, "; "), "", "", "", checked, notFixedText(e.NotFixed), e.Hash)
		for _, p := range e.Persons {
			row("", "", "", string(p.Role), p.Name, string(p.State), at(p.CheckedAt), p.Text, "")
		}
		for range e.Erased {
			row("", "", "", "erased", "", "", "", "", "")
		}
	}
	for _, row := range rows {
		for i, cell := range row {
			row[i] = enroll.SpreadsheetCell(cell)
		}
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write a disturbance record as CSV: %w", err)
	}
	return nil
}

// notFixedText returns the text of a row about disturbances that could not be fixed; "" for none.
func notFixedText(numbers []int) string {
	if len(numbers) == 0 {
		return ""
	}
	return "not_fixed: " + strings.Trim(fmt.Sprint(numbers), "[]")
}
