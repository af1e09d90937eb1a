package disturbance

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/server/store"
)

var evening = time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)

// sample returns a record of two disturbances, one of which is over.
func sample(t *testing.T) store.DisturbanceRecord {
	t.Helper()
	rules, err := LoadRules("", "nw")
	if err != nil {
		t.Fatal(err)
	}
	head, err := textOf(Head{Schema: Schema, SessionID: "s", Council: "Rat <b>", StartsAt: evening, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	r := store.DisturbanceRecord{SessionID: "s", Head: head, StartsAt: evening}
	add := func(kind store.DisturbanceKind, about int, others *Counts, people ...Person) {
		t.Helper()
		f := Facts{Kind: kind, At: evening, RecordedAt: evening, By: BySupport, About: about, Others: others, People: []string{}}
		e := store.DisturbanceEntry{Key: string(kind) + string(rune('a'+len(r.Entries))), Kind: kind, At: evening, About: about}
		if kind == store.DisturbanceReported {
			e.ParticipantID = people[0].Name
		}
		for _, p := range people {
			text, err := textOf(p)
			if err != nil {
				t.Fatal(err)
			}
			e.People = append(e.People, store.PersonText{ParticipantID: p.Name, Hash: store.TextHash(text), Text: text})
			f.People = append(f.People, store.TextHash(text))
		}
		if e.Text, err = textOf(f); err != nil {
			t.Fatal(err)
		}
		next, changed, err := r.With(e)
		if err != nil || !changed {
			t.Fatalf("entry %s: changed %v, error %v", kind, changed, err)
		}
		r = next
	}
	add(store.DisturbanceReported, 0, &Counts{Ready: 1}, Person{Role: RoleDisturbed, Name: "Anna", Salt: "1"}, Person{Role: RoleOther, Name: "=1+1", State: StateReady, Salt: "2"})
	add(store.DisturbanceReported, 0, &Counts{Unknown: 1}, Person{Role: RoleDisturbed, Name: "Berta", Salt: "3"})
	add(store.DisturbanceEnded, 2, nil)
	add(store.RecordClosed, 0, nil, Person{Role: RoleStaff, Name: "Eva", Salt: "4"})
	return r
}

func TestASavedRecordIsVerified(t *testing.T) {
	r := sample(t)
	b, err := Save(r)
	if err != nil {
		t.Fatal(err)
	}
	read, err := Verify(b)
	if err != nil || read.Hash != r.Hash() || read.ClosingHash != r.Hash() || len(read.Entries) != 4 || read.Council != "Rat <b>" {
		t.Fatalf("got %+v, error %v; want the hash %s", read, err, r.Hash())
	}
	// Every change of a letter in a text or a hash is found.
	for i, c := range b {
		if c < 'a' || c > 'z' {
			continue
		}
		changed := bytes.Clone(b)
		changed[i] = 'a' + (c-'a'+1)%26
		got, err := Verify(changed)
		if err == nil && got.Hash == r.Hash() {
			t.Errorf("a change at %d was not found: …%s…", i, changed[max(0, i-20):min(len(b), i+20)])
		}
	}
	// Everything in the file is verified: a person could read the other copy of a duplicate field.
	for _, name := range []string{"head", "HEAD"} {
		twice := strings.Replace(string(b), `"head": `, `"head": "{\"council\":\"Other\"}", "`+name+`": `, 1)
		if _, err := Verify([]byte(twice)); !errors.Is(err, ErrChanged) {
			t.Errorf("%s twice: got error %v, want %v", name, err, ErrChanged)
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, b); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(compact.Bytes()); err != nil {
		t.Errorf("without spaces: got error %v", err)
	}
	// Erasing a text does not count as a change, adding an entry does.
	r.Entries[0].People[0].Text = ""
	b, err = Save(r)
	if err != nil {
		t.Fatal(err)
	}
	if read, err = Verify(b); err != nil || read.Erased() != 1 || read.Hash != r.Hash() {
		t.Errorf("with an erased person: got %d erased, hash %s, error %v; want 1, %s", read.Erased(), read.Hash, err, r.Hash())
	}
	r.Entries[1].Text = strings.Replace(r.Entries[1].Text, "unknown", "ready", 1)
	if b, err = Save(r); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(b); !errors.Is(err, ErrChanged) {
		t.Errorf("with changed facts: got error %v, want %v", err, ErrChanged)
	}
	for _, bad := range []string{"", "{}", "[]", "x", `{"schema":"tonprobe.disturbance-record/v2"}`, string(b) + "{}", `{"schema":"tonprobe.disturbance-record/v1","head":"x","entries":[],"hash":"` + store.TextHash("x") + `"}`} {
		if _, err := Verify([]byte(bad)); !errors.Is(err, ErrNoRecord) {
			t.Errorf("%.40q: got error %v, want %v", bad, err, ErrNoRecord)
		}
	}
}

// TestTheLargestRecordCanBeVerified: of the entries that the store accepts, those with the most people
// need the most bytes in a file. A record with the largest number of them must not be too large to
// verify.
func TestTheLargestRecordCanBeVerified(t *testing.T) {
	r := store.DisturbanceRecord{SessionID: "s", Head: "{}", StartsAt: evening}
	f := Facts{Kind: store.DisturbanceReported, At: evening, RecordedAt: evening, By: BySupport, People: []string{}}
	e := store.DisturbanceEntry{Key: "a", Kind: store.DisturbanceReported, At: evening, ParticipantID: "a"}
	var largest store.DisturbanceRecord
	for {
		for i := range 50 {
			text, err := textOf(Person{Role: RoleOther, Name: "A", State: StateReady, Salt: fmt.Sprintf("%032d", len(e.People)+i)})
			if err != nil {
				t.Fatal(err)
			}
			e.People = append(e.People, store.PersonText{ParticipantID: "b", Hash: store.TextHash(text), Text: text})
			f.People = append(f.People, store.TextHash(text))
		}
		var err error
		if e.Text, err = textOf(f); err != nil {
			t.Fatal(err)
		}
		next, _, err := r.With(e)
		if _, tooLarge := errors.AsType[*store.InputError](err); tooLarge {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		largest = next
	}
	b, err := Save(largest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(b); err != nil {
		t.Errorf("got error %v for %d people, want none", err, len(largest.Entries[0].People))
	}
	if n := len(b) * store.MaxDisturbanceEntries; n > MaxFileBytes || len(largest.Entries[0].People) < 500 {
		t.Errorf("%d entries with %d people each need %d bytes, of which a file has %d", store.MaxDisturbanceEntries, len(largest.Entries[0].People), n, MaxFileBytes)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(`{"schema":"tonprobe.disturbance-record/v1","head":"{}","entries":[{"text":"{}","people":[{"text":"","hash":""}],"hash":""}],"hash":""}`))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = Verify(b) })
}

func TestTheTableOfARecord(t *testing.T) {
	r, err := Read(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Table(&b, r, time.FixedZone("", 3600)); err != nil {
		t.Fatal(err)
	}
	text, marked := strings.CutPrefix(b.String(), "\ufeff")
	in := csv.NewReader(strings.NewReader(text))
	in.Comma = ';'
	rows, err := in.ReadAll()
	if !marked {
		t.Error("the table has no byte order mark: Excel does not take it for UTF-8")
	}
	if err != nil || len(rows) != 9 {
		t.Fatalf("got %d rows, error %v; want 9: %q", len(rows), err, rows)
	}
	if rows[1][2] != "2026-03-04T19:00:00+01:00" || rows[1][14] != r.Entries[0].Hash || rows[2][10] != "Anna" || rows[3][10] != "'=1+1" || rows[3][11] != "ready" {
		t.Errorf("got rows %q, want the times, hashes and escaped names of the record", rows[1:4])
	}
}

func TestRulesOfTheLaender(t *testing.T) {
	for name, presumption := range map[string]bool{"": false, "none": false, "nw": true, "rp": false, "mv": false, "sh": false} {
		r, err := LoadRules(t.TempDir(), name)
		if err != nil || (r.PresumedOwn != nil) != presumption {
			t.Errorf("%q: got %+v, error %v; want a presumption: %v", name, r, err, presumption)
		}
		if r.Name != "none" && len(r.Sources) == 0 {
			t.Errorf("%q: got no source", name)
		}
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	land := "[land]\nde = \"X\"\nen = \"X\"\n"
	write("by.toml", "name = \"by\"\n"+land)
	write("nw.toml", "name = \"nw\"\n"+land)
	if r, err := LoadRules(dir, "by"); err != nil || r.Land.DE != "X" {
		t.Errorf("own rules: got %+v, error %v; want those of the town", r, err)
	}
	if r, err := LoadRules(dir, "nw"); err != nil || r.PresumedOwn != nil {
		t.Errorf("own rules instead of shipped ones: got %+v, error %v; want no presumption", r, err)
	}
	for name, text := range map[string]string{
		"other name": "name = \"nw\"\n" + land, "no land": "name = \"xx\"\n", "one language": "name = \"xx\"\n[land]\nde = \"X\"\n",
		"unknown key": "name = \"xx\"\nlaw = 1\n" + land, "no source": "name = \"xx\"\n" + land + "[presumed_own]\nnot_fixed = true\n",
		"no TOML": "\xff\x00", "large": strings.Repeat("#\n", 40_000),
		"source without text": "name = \"xx\"\n" + land + "[[source]]\nstatute = \"§ 1\"\n",
	} {
		write("xx.toml", text)
		if _, err := LoadRules(dir, "xx"); !errors.Is(err, ErrRules) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrRules)
		}
	}
	for _, name := range []string{"../nw", "NW", "zz", strings.Repeat("x", 100), "a/b", "."} {
		if _, err := LoadRules(dir, name); !errors.Is(err, ErrRules) {
			t.Errorf("%.20q: got error %v, want %v", name, err, ErrRules)
		}
	}
}

func TestJudgements(t *testing.T) {
	nw, err := LoadRules("", "nw")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		others   Counts
		notFixed Truth
		want     Judgement
	}{
		"all others were ready":        {Counts{Ready: 3}, Yes, Judgement{Yes, Yes, Yes}},
		"nobody stated whether":        {Counts{Ready: 3}, Unknown, Judgement{Unknown, Yes, Unknown}},
		"it was fixed":                 {Counts{Ready: 3}, No, Judgement{No, Yes, No}},
		"one other was not checked":    {Counts{Ready: 3, Unknown: 1}, Yes, Judgement{Yes, Unknown, Unknown}},
		"one other had problems":       {Counts{Ready: 3, Limited: 1, Unknown: 1}, Yes, Judgement{Yes, No, No}},
		"one other reported something": {Counts{Ready: 3, Reported: 1}, Unknown, Judgement{Unknown, No, No}},
		"nobody else":                  {Counts{}, Yes, Judgement{Yes, Unknown, Unknown}},
	} {
		if got := nw.Judge(c.notFixed, c.others.Undisturbed()); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
	rp, err := LoadRules("", "rp")
	if err != nil {
		t.Fatal(err)
	}
	if got := rp.Judge(Yes, Yes); got.PresumedOwn != "" {
		t.Errorf("without a known presumption: got %q, want none", got.PresumedOwn)
	}
}

// TestJudgementsOfRecords: a disturbance that others report later counts if it was at the same time.
func TestJudgementsOfRecords(t *testing.T) {
	nw, err := LoadRules("", "nw")
	if err != nil {
		t.Fatal(err)
	}
	reported := func(second int, who string, others Counts) Entry {
		return Entry{ParticipantID: who, Facts: Facts{Kind: store.DisturbanceReported, At: evening.Add(time.Duration(second) * time.Second), Others: &others}}
	}
	ended := func(second, about int) Entry {
		return Entry{Facts: Facts{Kind: store.DisturbanceEnded, At: evening.Add(time.Duration(second) * time.Second), About: about}}
	}
	all, some := Counts{Ready: 2}, Counts{Ready: 1, Unknown: 1}
	for name, c := range map[string]struct {
		entries []Entry
		want    Truth // of the first entry
	}{
		"nobody else":                      {[]Entry{reported(2, "a", all)}, Yes},
		"another one 8 s later":            {[]Entry{reported(2, "a", all), reported(10, "b", all)}, No},
		"two others later":                 {[]Entry{reported(2, "a", all), reported(10, "b", all), reported(12, "c", all)}, No},
		"another one later, one unchecked": {[]Entry{reported(2, "a", some), reported(10, "b", some)}, No},
		"another one, entered later":       {[]Entry{reported(60, "a", all), reported(10, "b", all)}, No},
		"another one after the end":        {[]Entry{reported(2, "a", all), ended(60, 1), reported(70, "b", all)}, Yes},
		"another one before the end":       {[]Entry{reported(2, "a", all), reported(50, "b", all), ended(60, 1)}, No},
		"another one that was over":        {[]Entry{reported(60, "a", all), reported(10, "b", all), ended(40, 2)}, Yes},
		"the same person again":            {[]Entry{reported(2, "a", all), reported(900, "a", all)}, Yes},
		"an erased person":                 {[]Entry{reported(2, "a", all), reported(10, "", all)}, No},
		"two erased people, or one":        {[]Entry{reported(2, "", all), reported(10, "", all)}, Unknown},
	} {
		r := Record{Head: Head{Rules: nw}, Entries: c.entries, ClosingHash: "x"}
		for i := range r.Entries {
			r.Entries[i].Number = i + 1
		}
		got := r.Judge(r.Entries[0])
		if got.OthersUndisturbed != c.want || c.want == No && got.PresumedOwn != No {
			t.Errorf("%s: got %+v, want others undisturbed: %s", name, got, c.want)
		}
	}
}

// TestAForgottenEndIsUnknown: a disturbance counts as one that could not be fixed only if somebody
// stated it.
func TestAForgottenEndIsUnknown(t *testing.T) {
	nw, err := LoadRules("", "nw")
	if err != nil {
		t.Fatal(err)
	}
	disturbed := Entry{Number: 1, ParticipantID: "a", Facts: Facts{Kind: store.DisturbanceReported, At: evening, Others: &Counts{Ready: 2}}}
	end := Entry{Number: 2, Facts: Facts{Kind: store.DisturbanceEnded, At: evening, About: 1}}
	closing := Entry{Number: 3, Facts: Facts{Kind: store.RecordClosed, At: evening}}
	stating := closing
	stating.NotFixed = []int{1}
	for name, c := range map[string]struct {
		entries            []Entry
		notFixed, presumed Truth
	}{
		"open":               {[]Entry{disturbed}, Unknown, Unknown},
		"closed, no end":     {[]Entry{disturbed, closing}, Unknown, Unknown},
		"closed, over":       {[]Entry{disturbed, end, closing}, No, No},
		"closed, stated":     {[]Entry{disturbed, stating}, Yes, Yes},
		"stated, but it was": {[]Entry{disturbed, end, stating}, No, No},
	} {
		if got := (Record{Head: Head{Rules: nw}, Entries: c.entries}).Judge(disturbed); got.NotFixed != c.notFixed || got.PresumedOwn != c.presumed {
			t.Errorf("%s: got %+v, want not fixed %s, presumed %s", name, got, c.notFixed, c.presumed)
		}
	}
}

// TestTextsAreCanonical: the bytes of a text do not depend on the zone or on fractions of a second.
func TestTextsAreCanonical(t *testing.T) {
	a, err := textOf(Facts{At: second(evening.Add(time.Millisecond)), People: []string{}})
	b, errB := textOf(Facts{At: second(evening.In(time.FixedZone("", 3600))), People: []string{}})
	if err != nil || errB != nil || a != b || !json.Valid([]byte(a)) {
		t.Errorf("got %s and %s, errors %v, %v; want the same JSON twice", a, b, err, errB)
	}
}
