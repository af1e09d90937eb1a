package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/store"
)

func search(t *testing.T, s store.Store) {
	for _, name := range []string{"Jörg Müller", "Großmann", "100%_\\", "<script>"} {
		person(t, s, name)
	}
	_, agent := person(t, s, "Meyers")
	_, err := s.SaveReports(t.Context(), agent, []store.NewReport{newReport("K7P-3QX", report.Ready, evening)})
	must(t, err)
	for term, want := range map[string][]string{
		"MULLER": {"Jörg Müller"}, "müller": {"Jörg Müller"}, "grossmann": {"Großmann"}, "GROß": {"Großmann"},
		"%": {`100%_\`}, "_": {`100%_\`}, `\`: {`100%_\`}, "script>": {"<script>"}, "' OR 1=1 --": nil,
		"k7p3qx": {"Meyers"}, "K wie Kaufmann, sieben, Paula, drei, Quelle, Xaver": {"Meyers"}, "Kilo 7 papa three uniform X": {"Meyers"}, "Köln sieben Potsdam": {"Meyers"}, "C wie Kaufmann 7 P 3 Q X": {"Meyers"},
		" K7P-3QX ": {"Meyers"}, "meyers": {"Meyers"}, "K7P-3QY": nil,
	} {
		if got := names(t, s, store.StateQuery{Search: term}); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", term, got, want)
		}
	}
}

func searchByAllMeans(t *testing.T, s store.Store) {
	add := func(name, phone, code string) (agentID string) {
		t.Helper()
		id, agent := person(t, s, name)
		must(t, s.EditParticipant(t.Context(), id, name, phone))
		if code != "" {
			_, err := s.SaveReports(t.Context(), agent, []store.NewReport{newReport(code, report.Ready, evening)})
			must(t, err)
		}
		return agent
	}
	add("Jürgen Müller", "0228 / 55 50-101", "9E5-5C4")
	anna := add("Mueller, Anna", "+49 221 999", "K7P-3QX")
	earlier := newReport("T4Z-8RW", report.Ready, evening.Add(-time.Hour))
	_, err := s.SaveReports(t.Context(), anna, []store.NewReport{earlier})
	must(t, err)
	for i, phone := range []string{"030 123456", "0049 30 123456", "+49 (0)30 123456", "030/12.34.56"} {
		add(fmt.Sprintf("Telefon %d", i), phone, "")
	}
	add("Vroni Wolfeschlegelsteinhausenbergerdorff", "", "")
	renamed, _ := person(t, s, "Xaver Unbekannt")
	must(t, s.EditParticipant(t.Context(), renamed, "Quirin Zweitname", "0911 4711"))
	add("Dr. Özlem Groß-Weiß", "(0211) 12 34", "")
	add("Bernd Neuer", "", "")
	for i := range 30 {
		add(fmt.Sprintf("Person %d", i), "", "")
	}
	phones := []string{"Telefon 0", "Telefon 1", "Telefon 2", "Telefon 3"}
	for search, want := range map[string][]string{
		"mueller":                             {"Jürgen Müller", "Mueller, Anna"},
		"Müller":                              {"Jürgen Müller", "Mueller, Anna"},
		"müller jürgen":                       {"Jürgen Müller"},
		"Müller, Juergen":                     {"Jürgen Müller"},
		"anna mueller":                        {"Mueller, Anna"},
		"gross":                               {"Dr. Özlem Groß-Weiß"},
		"oezlem":                              {"Dr. Özlem Groß-Weiß"},
		"neuer":                               {"Bernd Neuer"},
		"5550101":                             {"Jürgen Müller"},
		"0228 5550":                           {"Jürgen Müller"},
		"+49 228 5550101":                     {"Jürgen Müller"},
		"0049 228 5550101":                    {"Jürgen Müller"},
		"0221999":                             {"Mueller, Anna"},
		"9E5-5C4":                             {"Jürgen Müller"},
		"Fall-Code 9E5-5C4":                   {"Jürgen Müller"},
		"9e5":                                 {"Jürgen Müller"},
		"5c4":                                 {"Jürgen Müller"},
		"Kaufmann 7 Paula 3 Quelle Xanthippe": {"Mueller, Anna"},
		"T4Z-8RW":                             {"Mueller, Anna"}, // of an earlier check
		"t4z":                                 {"Mueller, Anna"},
		"T4Z8":                                {"Mueller, Anna"},
		"8rw":                                 {"Mueller, Anna"},
		"z8rw":                                {"Mueller, Anna"},
		"4Z-8RW":                              {"Mueller, Anna"},
		"y8rw":                                nil,
		"t4zx":                                nil,
		"030 123456":                          phones,
		"0049 30 123456":                      phones,
		"+49 30 123456":                       phones,
		"+49 (0)30 123456":                    phones,
		"030/12.34.56":                        phones,
		"12.34.56":                            phones,
		"30 12 34":                            phones,
		"49 30":                               nil,
		"weiss":                               {"Dr. Özlem Groß-Weiß"},
		"ß-w":                                 {"Dr. Özlem Groß-Weiß"},
		"lem dr":                              {"Dr. Özlem Groß-Weiß"},
		"lem er":                              nil,
		"wolfeschlegelsteinhausenbergerdorff": {"Vroni Wolfeschlegelsteinhausenbergerdorff"},
		"wolfeschlegelsteinhausenbergerdorfx": nil,
		"xaver":                               nil, // no longer the name
		"zweitn":                              {"Quirin Zweitname"},
		"0911":                                {"Quirin Zweitname"},
		"nobody":                              nil,
		"100%":                                nil,
		"_":                                   nil,
		",":                                   nil,
	} {
		page, err := s.ParticipantStates(t.Context(), store.StateQuery{Search: search})
		must(t, err)
		var got []string
		for _, p := range page.States {
			got = append(got, p.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", search, got, want)
		}
	}
	for search, want := range map[string]string{
		"Mulller": "Jürgen Müller", "Mülelr": "Jürgen Müller", "Mller": "Jürgen Müller", "Nauer": "Bernd Neuer", "Jurgen Möller": "Jürgen Müller",
		"9E5-5C5": "Jürgen Müller", "K7P-3QY": "Mueller, Anna", "xyz": "", "": "",
		"Ürgen": "Jürgen Müller", "Uergen Muller": "Jürgen Müller", "Jüregn": "Jürgen Müller", "Bern Neuerr": "Bernd Neuer", "Dr Ozlme": "Dr. Özlem Groß-Weiß",
		"T4Z-8RX": "Mueller, Anna", "T4X-8RW": "Mueller, Anna", "4TZ-8RW": "Mueller, Anna", "T4X-8RX": "", "Xavre": "", "Zwetiname": "Quirin Zweitname",
	} {
		similar, err := s.SimilarStates(t.Context(), search, 10)
		must(t, err)
		found := slices.ContainsFunc(similar, func(p store.ParticipantState) bool { return p.Name == want })
		if found != (want != "") || want == "" && len(similar) > 0 {
			t.Errorf("%q: got %d similar, want %q", search, len(similar), want)
		}
	}
}

// namesMatch: a text that reads as a case code can be a name. A spelled code is none.
func namesMatch(t *testing.T, s store.Store) {
	for _, name := range []string{"Peter Meyer", "Schönbecker, Dr. Anna", "Karsten Mompert"} {
		person(t, s, name)
	}
	_, agent := person(t, s, "Xaver Fremd")
	_, err := s.SaveReports(t.Context(), agent, []store.NewReport{newReport("K7P-3QX", report.Ready, evening)})
	must(t, err)
	for search, want := range map[string]bool{
		"Peter Meyer": true, "meyer, PETER": true, "Peter": true, "Peter Meier": true, "Petre Meyer": true, "becker": true, "Schoenbecker": true, "P Meyer": true,
		"Paul Meyer": false, "PME-YER": false, "K7P-3QX": false, "k7p3qx": false, "K wie Kaufmann, sieben, P wie Paula, drei, Quelle, Xaver": false,
		"k m p r s t": false, "Anton p s t r k": false, "Mompert a r s t": false, "": false, ",": false, "%": false, "P": false,
	} {
		if got, err := s.NamesMatch(t.Context(), search); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", search, got, err, want)
		}
	}
}

// caseCodesByAge: a case code is found on whatever day its report was received, also
// between days without reports.
func caseCodesByAge(t *testing.T, s store.Store) {
	midnight := evening.Truncate(24 * time.Hour)
	received := map[string]time.Time{
		"AAA-2QX": midnight, "BBB-2QX": midnight.Add(-time.Millisecond), "CCC-2QX": midnight.Add(24*time.Hour - time.Millisecond),
		"DDD-2QX": evening.AddDate(-3, 0, 0), "EEE-2QX": evening.AddDate(0, 0, -2), "FFF-2QX": time.UnixMilli(1), "GGG-2QX": {},
	}
	var all []string
	for code, at := range received {
		_, agent := person(t, s, "Person "+code)
		r := newReport(code, report.Ready, evening)
		r.ReceivedAt = at
		_, err := s.SaveReports(t.Context(), agent, []store.NewReport{r})
		must(t, err)
		all = append(all, "Person "+code)
	}
	slices.Sort(all)
	for code := range received {
		want := []string{"Person " + code}
		for _, search := range []string{code, code[:3], code[:5]} {
			if got := names(t, s, store.StateQuery{Search: search}); !slices.Equal(got, want) {
				t.Errorf("%q: got %v, want %v", search, got, want)
			}
		}
		if found, err := s.CaseReports(t.Context(), code, 0); err != nil || len(found) != 1 || found[0].Case != code {
			t.Errorf("reports with %s: got %+v, error %v; want 1 entry, [0].Case %v", code, found, err, code)
		}
		for _, search := range []string{code[:6] + "Z", "Z" + code[1:]} {
			similar, err := s.SimilarStates(t.Context(), search, 10)
			if err != nil || !slices.ContainsFunc(similar, func(p store.ParticipantState) bool { return p.Name == want[0] }) {
				t.Errorf("similar to %q: got %d without %s, error %v", search, len(similar), want[0], err)
			}
		}
	}
	if got := names(t, s, store.StateQuery{Search: "2QX"}); !slices.Equal(got, all) {
		t.Errorf("end of all codes: got %v, want %v", got, all)
	}
}
