package web_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/disturbance"
	"github.com/tonprobe/tonprobe/server/fleet"
	"github.com/tonprobe/tonprobe/server/store"
	"github.com/tonprobe/tonprobe/server/web"
)

// inSession adds a council with a session that began half an hour ago.
func (g *rig) inSession(members ...store.Participant) store.CouncilSession {
	g.t.Helper()
	council := store.Council{ID: uuid.NewString(), Name: "Rat <b>Nord</b>", CreatedAt: g.clock()}
	s := store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, Title: "Haushalt", StartsAt: g.clock().Add(-30 * time.Minute), EndsAt: g.clock().Add(3 * time.Hour)}
	if err := g.store.AddCouncil(g.t.Context(), council); err != nil {
		g.t.Fatal(err)
	}
	if err := g.store.AddCouncilSession(g.t.Context(), s); err != nil {
		g.t.Fatal(err)
	}
	for _, m := range members {
		if err := g.store.AddCouncilMember(g.t.Context(), council.ID, m.ID); err != nil {
			g.t.Fatal(err)
		}
	}
	return s
}

func withRules(name string) func(*web.Config) {
	return func(c *web.Config) {
		c.Rules = func() (disturbance.Rules, error) { return disturbance.LoadRules("", name) }
	}
}

var reChecksum = regexp.MustCompile(`Prüfsumme dieses Protokolls: <code class="checksum">([0-9a-f]{64})</code>`)

func (g *rig) checksum(page string) string {
	g.t.Helper()
	m := reChecksum.FindStringSubmatch(g.get(page).Body.String())
	if m == nil {
		g.t.Fatal("the page contains no checksum")
	}
	return m[1]
}

func TestADisturbanceRecord(t *testing.T) {
	g := newRig(t, withRules("nw")).login()
	anna, _ := g.checked("Anna <i>Mute</i>", "", "A1B-2C3", microphone(muted), passage(), voice(0), internet())
	berta, _ := g.checked("Berta Ready", "", "M2W-8RT", microphone(nil), passage(), voice(0), internet())
	cäsar, cäsars := g.person("Cäsar Unchecked", "")
	s := g.inSession(anna, berta, cäsar)
	stranger, _ := g.person("Stranger", "")
	page := "/sessions/" + s.ID + "/disturbances"

	g.want(g.get("/disturbances"), http.StatusOK, "Bisher wurde keine Störung gemeldet.")
	g.want(g.get(page), http.StatusOK, "In dieser Sitzung wurde bisher keine Störung gemeldet.", "Rat <b>Nord</b>")
	g.want(g.get("/sessions/"+s.ID), http.StatusOK, "Störung melden", page)
	g.want(g.get("/participants/"+anna.ID), http.StatusOK, "Störung jetzt melden: Rat <b>Nord</b>")
	g.want(g.get(page+"/table"), http.StatusNotFound)
	g.want(g.get(page+"/file"), http.StatusNotFound)

	w := g.post(page, "do", "report", "participant", anna.ID, "once", "k1", "remark", "hört <b>nichts</b>")
	g.wantRedirect(w, page+"#disturbance-1")
	g.wantRedirect(g.post(page, "do", "report", "participant", anna.ID, "once", "k1"), page+"#disturbance-1") // sent twice
	g.wantRedirect(g.post(page, "do", "report", "participant", anna.ID, "once", "k2"), page+"#disturbance-1") // while it is open
	w = g.get(page)
	g.want(w, http.StatusOK, "Störung seit 04.03.2026, 18:00:00 Uhr", "Telefon-Hilfe (support)", "stummgeschaltet", "hört &lt;b&gt;nichts",
		"DigiSiVO NRW § 10", "unbekannt", "Alle anderen Mitglieder in diesem Augenblick", "Cäsar Unchecked", "Prüfsumme dieses Protokolls")
	if text := plain(w.Body.String()); !strings.Contains(text, "Unbekannt 1 : Cäsar Unchecked") || !strings.Contains(text, "Bereit 1 : Berta Ready") {
		t.Errorf("the states of the others are wrong: %s", text)
	}
	if strings.Contains(w.Body.String(), "Stranger") {
		t.Error("somebody who is not a member is in the record")
	}
	g.want(g.get("/sessions/"+s.ID), http.StatusOK, "Offene Störungen: 1")
	g.want(g.get("/disturbances"), http.StatusOK, "Rat <b>Nord</b>", "nicht abgeschlossen", "Störungen: 1")

	// A report that arrives later does not change what was known before.
	g.pass(10 * time.Minute)
	later := newReport(t, cäsars, "H4J-9TW", g.clock().Add(-20*time.Minute), microphone(muted), passage(), voice(0), internet())
	g.keep(cäsar, later)
	g.wantRedirect(g.post(page, "do", "report", "participant", berta.ID, "at", "18:05", "once", "k3"), page+"#disturbance-2")
	text := plain(g.get(page).Body.String())
	second := text[strings.Index(text, "2. Berta Ready"):]
	for _, want := range []string{"Störung seit 04.03.2026, 18:05:00 Uhr", "Eingetragen: 04.03.2026, 18:10:00 Uhr", "Störung gemeldet 1 : Anna <i>Mute</i>", "Unbekannt 1 : Cäsar Unchecked"} {
		if !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(second, "&lt;", "<"), "&gt;", ">"), want) {
			t.Errorf("the second disturbance does not contain %q: %s", want, second)
		}
	}
	g.want(g.post(page, "do", "report", "participant", stranger.ID), http.StatusUnprocessableEntity, "Diese Person ist kein Mitglied")
	g.want(g.post(page, "do", "report"), http.StatusUnprocessableEntity, "Bitte wählen Sie, wer die Störung hat.")
	for _, at := range []string{"19:30", "15:00", "x", "25:00"} {
		g.want(g.post(page, "do", "report", "participant", cäsar.ID, "at", at), http.StatusUnprocessableEntity, "Diese Uhrzeit liegt nicht in der Sitzung")
	}
	g.want(g.post(page, "do", "report", "participant", cäsar.ID, "remark", strings.Repeat("ä", 501)), http.StatusUnprocessableEntity, "Das ist zu lang.")
	g.want(g.post(page, "do", "end", "entry", "9"), http.StatusUnprocessableEntity, "Diese Störung ist schon vorbei")
	g.want(g.post(page, "do", "explode"), http.StatusBadRequest)
	g.want(g.post("/sessions/x/disturbances", "do", "report", "participant", anna.ID), http.StatusNotFound)
	g.want(g.get("/sessions/x/disturbances"), http.StatusNotFound)

	g.wantRedirect(g.post(page, "do", "end", "entry", "2"), page)
	g.wantRedirect(g.post(page, "do", "diagnose", "entry", "1"), page)
	g.wantRedirect(g.post(page, "do", "close"), page)
	w = g.get(page)
	g.want(w, http.StatusOK, "abgeschlossen", "Spätere Prüfung (04.03.2026, 18:10:00 Uhr)")
	if strings.Contains(w.Body.String(), `value="report"`) || strings.Contains(w.Body.String(), `value="close"`) {
		t.Error("a closed record can be changed")
	}
	closing := g.checksum(page)
	g.want(g.post(page, "do", "report", "participant", cäsar.ID), http.StatusUnprocessableEntity, "Das Protokoll ist schon abgeschlossen.")
	g.want(g.post(page, "do", "correct", "remark", " "), http.StatusUnprocessableEntity, "Bitte schreiben Sie zuerst den Nachtrag.")
	g.wantRedirect(g.post(page, "do", "correct", "entry", "1", "remark", "Es war kurz vor sechs."), page)
	g.want(g.get(page), http.StatusOK, "Es war kurz vor sechs.", "Prüfsumme beim Abschluss: <code class=\"checksum\">"+closing)

	file := g.get(page + "/file")
	read, err := disturbance.Verify(file.Body.Bytes())
	if err != nil || read.Hash != g.checksum(page) || read.ClosingHash != closing {
		t.Errorf("the saved file: got hash %s, at closing %s, error %v; want %s, %s", read.Hash, read.ClosingHash, err, g.checksum(page), closing)
	}
	table := g.get(page + "/table")
	if got := table.Header().Get("Content-Type"); !strings.HasPrefix(got, "text/csv") || !strings.Contains(table.Body.String(), "Cäsar Unchecked") {
		t.Errorf("the table: got %s, %s; want CSV with Cäsar Unchecked", got, table.Body)
	}

	// A person is erased; the record remains and states that.
	before := g.checksum(page)
	if err := g.store.DeleteParticipant(t.Context(), anna.ID, g.clock()); err != nil {
		t.Fatal(err)
	}
	w = g.get(page)
	g.want(w, http.StatusOK, "gelöschte Person", "Angaben zu gelöschten Personen:", "stummgeschaltet")
	body := w.Body.String() + g.get(page+"/file").Body.String() + g.get(page+"/table").Body.String()
	for _, trace := range []string{"Anna", "hört", "kurz vor"} {
		if strings.Contains(body, trace) {
			t.Errorf("%q of an erased person is left", trace)
		}
	}
	if after := g.checksum(page); after != before {
		t.Errorf("got checksum %s after erasing, want %s", after, before)
	}
	// The record outlives its session.
	if err := g.store.RemoveCouncilSession(t.Context(), s.ID); err != nil {
		t.Fatal(err)
	}
	g.want(g.get(page), http.StatusOK, "Die Sitzung wurde inzwischen gelöscht.", "Berta Ready")
	g.lang = "en"
	g.want(g.get(page), http.StatusOK, "Disturbance record", "North Rhine-Westphalia", "Checksum of this record")
}

// outlines is a store that fails to read a whole record, because that takes long: of 200 reports in a
// council of 300 it has 60,000 texts about people.
type outlines struct {
	web.Store
	t *testing.T
}

func (o outlines) DisturbanceRecord(context.Context, string) (store.DisturbanceRecord, error) {
	o.t.Error("a whole record was read")
	return store.DisturbanceRecord{}, store.ErrNotFound
}

func TestNoWholeRecordIsReadToCountOrToReport(t *testing.T) {
	g := newRig(t, func(c *web.Config) { c.Store = outlines{c.Store, t} }).login()
	anna, _ := g.person("Anna", "")
	s := g.inSession(anna)
	page := "/sessions/" + s.ID + "/disturbances"
	g.wantRedirect(g.post(page, "do", "report", "participant", anna.ID), page+"#disturbance-1")
	g.want(g.get("/sessions/"+s.ID), http.StatusOK, "Offene Störungen: 1")
	g.wantRedirect(g.post(page, "do", "end", "entry", "1"), page)
}

// TestReportsAfterThePlannedEnd: phone support can report disturbances for as long as participants can.
func TestReportsAfterThePlannedEnd(t *testing.T) {
	g := newRig(t).login()
	anna, _ := g.person("Anna", "")
	s := g.inSession(anna)
	page := "/sessions/" + s.ID + "/disturbances"
	g.pass(6*time.Hour + 59*time.Minute) // it was planned to end after 3 h
	g.login()
	g.want(g.get("/participants/"+anna.ID), http.StatusOK, "Störung jetzt melden", page)
	g.wantRedirect(g.post(page, "do", "report", "participant", anna.ID), page+"#disturbance-1")
	g.pass(2 * time.Minute)
	if strings.Contains(g.get("/participants/"+anna.ID).Body.String(), "Störung jetzt melden") {
		t.Error("the report is still offered more than 4 h after the planned end")
	}
	g.want(g.post(page, "do", "report", "participant", anna.ID), http.StatusUnprocessableEntity, "Diese Uhrzeit liegt nicht in der Sitzung")
}

// TestTimesAcrossMidnight: a time that is entered without its date is the last one in the session.
func TestTimesAcrossMidnight(t *testing.T) {
	for _, c := range []struct {
		starts       time.Duration // after 2026-03-04 00:00
		length, pass time.Duration // pass: from the start to the entry
		at, want     string
	}{
		{18 * time.Hour, 8 * time.Hour, 7 * time.Hour, "00:30", "05.03.2026, 00:30:00 Uhr"},
		{18 * time.Hour, 8 * time.Hour, 7 * time.Hour, "23:30", "04.03.2026, 23:30:00 Uhr"},
		{24*time.Hour + 15*time.Minute, time.Hour, 30 * time.Minute, "23:40", "04.03.2026, 23:40:00 Uhr"},
		{18 * time.Hour, 23 * time.Hour, 25 * time.Hour, "17:30", "05.03.2026, 17:30:00 Uhr"},
		{18 * time.Hour, 3 * time.Hour, 15 * time.Hour, "18:30", "04.03.2026, 18:30:00 Uhr"},
	} {
		g := newRig(t)
		anna, _ := g.person("Anna", "")
		s := g.inSession(anna)
		s.StartsAt = g.clock().Truncate(24 * time.Hour).Add(c.starts)
		s.EndsAt = s.StartsAt.Add(c.length)
		if err := g.store.ChangeCouncilSession(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		g.pass(s.StartsAt.Add(c.pass).Sub(g.clock()))
		g.login()
		page := "/sessions/" + s.ID + "/disturbances"
		g.wantRedirect(g.post(page, "do", "report", "participant", anna.ID, "at", c.at), page+"#disturbance-1")
		g.want(g.get(page), http.StatusOK, "Störung seit "+c.want)
	}
}

// TestRecordsOfALargeCouncilAreShort: the pages have less than 100 kB with 500 members and 120 records.
// The page of a record lists the members once, without a roll call.
func TestRecordsOfALargeCouncilAreShort(t *testing.T) {
	g := newRig(t, withRules("nw")).login()
	var members []store.Participant
	for i := range 500 {
		p, _ := g.person(fmt.Sprintf("Annegret Musterfrau-%03d", i), "")
		members = append(members, p)
	}
	s := g.inSession(members...)
	page := "/sessions/" + s.ID + "/disturbances"
	for i := range 5 {
		g.wantRedirect(g.post(page, "do", "report", "participant", members[i].ID), fmt.Sprintf("%s#disturbance-%d", page, i+1))
	}
	stored, err := g.store.DisturbanceOutline(t.Context(), s.ID)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 120 {
		begin := store.DisturbanceRecord{SessionID: uuid.NewString(), Head: stored.Head, StartsAt: s.StartsAt.AddDate(0, 0, -i)}
		e := store.DisturbanceEntry{Key: "x", Kind: store.DisturbanceReported, At: s.StartsAt, ParticipantID: members[0].ID, Text: `{"kind":"reported","people":[]}`}
		if _, _, err := g.store.AddDisturbanceEntry(t.Context(), begin, e); err != nil {
			t.Fatal(err)
		}
	}
	list := g.get("/disturbances")
	g.want(list, http.StatusOK, "Hier stehen die neuesten 100 Protokolle.")
	if n := strings.Count(list.Body.String(), `<li class="card">`); n != 100 {
		t.Errorf("got %d records, want 100", n)
	}
	record := g.get(page)
	g.want(record, http.StatusOK, "Annegret Musterfrau-499")
	for name, n := range map[string]int{"list": list.Body.Len(), "record": record.Body.Len()} {
		if n > 100_000 {
			t.Errorf("%s: got %d bytes, want at most 100,000", name, n)
		}
	}
	roll := g.get("/sessions/" + s.ID)
	g.want(roll, http.StatusOK, "Störung melden", page+"#record-person")
	if strings.Contains(roll.Body.String(), "<option") {
		t.Error("the roll call lists the members twice")
	}
}

// TestWhatIsNotEnteredIsUnknown: an end can be entered later with its time, and a disturbance counts as
// one that could not be fixed only if staff stated that.
func TestWhatIsNotEnteredIsUnknown(t *testing.T) {
	g := newRig(t, withRules("nw")).login()
	anna, _ := g.checked("Anna", "", "A1B-2C3", microphone(nil), passage(), voice(0), internet())
	berta, _ := g.checked("Berta", "", "M2W-8RT", microphone(nil), passage(), voice(0), internet())
	cäsar, _ := g.checked("Cäsar", "", "H4J-9TW", microphone(nil), passage(), voice(0), internet())
	s := g.inSession(anna, berta, cäsar)
	page := "/sessions/" + s.ID + "/disturbances"
	for i, p := range []store.Participant{anna, berta, cäsar} {
		g.pass(time.Minute)
		g.wantRedirect(g.post(page, "do", "report", "participant", p.ID), fmt.Sprintf("%s#disturbance-%d", page, i+1))
	}
	g.pass(20 * time.Minute)
	g.wantRedirect(g.post(page, "do", "report", "participant", anna.ID), page+"#disturbance-4") // nobody entered the end of the first one
	for _, at := range []string{"17:50", "18:59", "x"} {
		if w := g.post(page, "do", "end", "entry", "1", "at", at); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("over at %s: got status %d, want 422", at, w.Code)
		}
	}
	g.wantRedirect(g.post(page, "do", "end", "entry", "1", "at", "18:10"), page)
	g.want(g.get(page), http.StatusOK, "Störung von 04.03.2026, 18:01:00 Uhr bis 04.03.2026, 18:10:00 Uhr", "Was ließ sich nicht beheben?", `name="not_fixed" value="2"`, `name="not_fixed" value="4"`)
	g.want(g.post(page, "do", "close", "not_fixed", "1"), http.StatusUnprocessableEntity, "Diese Störung ist schon vorbei")
	g.want(g.post(page, "do", "close", "not_fixed", "x"), http.StatusBadRequest)
	g.wantRedirect(g.post(page, "do", "close", "not_fixed", "2"), page)
	g.want(g.get(page), http.StatusOK, "Eintrag 2 ließ sich nicht beheben")
	text := plain(g.get(page).Body.String())
	for _, want := range []string{"1. Anna nein", "2. Berta ja", "3. Cäsar unbekannt", "4. Anna unbekannt"} {
		name, truth, _ := strings.Cut(want[3:], " ")
		rest := text[strings.Index(text, want[:3]+name):]
		if _, after, _ := strings.Cut(rest, "Die Störung ließ sich nicht beheben. "); !strings.HasPrefix(after, truth) {
			t.Errorf("want %s: %.900s", want, rest)
		}
	}
	if !strings.Contains(g.get(page+"/table").Body.String(), "not_fixed: 2") {
		t.Error("the table does not contain what could not be fixed")
	}
}

// TestNobodyIsBlamedForACommonCause: the area is not the participant's if many were affected, unless
// the cause of the participant's check is unrelated to the common cause.
func TestNobodyIsBlamedForACommonCause(t *testing.T) {
	var found []fleet.Finding
	g := newRig(t, func(c *web.Config) { c.Common = func() []fleet.Finding { return found } }).login()
	anna, _ := g.checked("Anna Mute", "", "A1B-2C3", microphone(muted), passage(), voice(0), internet())
	unchecked, _ := g.person("Berta Unchecked", "")
	ready, _ := g.checked("Cäsar Ready", "", "H4J-9TW", microphone(nil), passage(), voice(0), internet())
	weak := wifi()
	link := weak.Data.(*report.NetworkLink)
	link.SignalDBM, link.GatewayLossPct = new(-88.0), new(9.0)
	dora, _ := g.checked("Dora Wi-Fi", "", "M2W-8RT", microphone(nil), passage(), voice(9.5), internet(), weak)
	s := g.inSession(anna, unchecked, ready, dora)
	for name, c := range map[string]struct {
		who       store.Participant
		code, key string
		want      report.Area
	}{
		"muted, provider":       {anna, fleet.CodeProvider, "x", report.AreaParticipant},
		"muted, own server":     {anna, fleet.CodeServer, fleet.Own, report.AreaParticipant},
		"muted, version":        {anna, fleet.CodeVersion, "x", report.AreaUnknown},
		"weak Wi-Fi, provider":  {dora, fleet.CodeProvider, "x", report.AreaParticipant},
		"weak Wi-Fi, site":      {dora, fleet.CodeSite, "x", report.AreaUnknown},
		"unchecked, provider":   {unchecked, fleet.CodeProvider, "x", report.AreaProvider},
		"unchecked, own server": {unchecked, fleet.CodeServer, fleet.Own, report.AreaUnknown},
		"unchecked, conference": {unchecked, fleet.CodeServer, "conference.example", report.AreaUnknown},
		"ready, provider":       {ready, fleet.CodeProvider, "x", report.AreaProvider},
		"ready, own server":     {ready, fleet.CodeServer, fleet.Own, report.AreaUnknown},
	} {
		s.ID = uuid.NewString()
		if err := g.store.AddCouncilSession(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		page := "/sessions/" + s.ID + "/disturbances"
		found = []fleet.Finding{{Code: c.code, Key: c.key, From: g.clock().Add(-time.Minute), Affected: []string{c.who.ID}, Members: 4}}
		g.wantRedirect(g.post(page, "do", "report", "participant", c.who.ID), page+"#disturbance-1")
		stored, err := g.store.DisturbanceRecord(t.Context(), s.ID)
		if err != nil {
			t.Fatal(err)
		}
		read, err := disturbance.Read(stored)
		if err != nil {
			t.Fatal(err)
		}
		d := read.Entries[0].Diagnosis
		if d.Area != c.want || len(d.Common) != 1 || c.who == anna && (d.Cause != "audio.os_muted" || len(d.Evidence) == 0) {
			t.Errorf("%s: got diagnosis %+v, want the area %q", name, d, c.want)
		}
		g.want(g.get(page), http.StatusOK, "Zur gleichen Zeit waren mehrere Personen betroffen:", "Für diesen Prüf-Server ist kein Land gewählt.")
	}
}
