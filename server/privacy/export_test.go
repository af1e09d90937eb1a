package privacy

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/disturbance"
	"github.com/tonprobe/tonprobe/server/store"
)

// TestArchiveContainsOnePersonAndNobodyElse exports somebody who occurs everywhere, beside somebody else
// and members of staff, who do not occur in any file of the archive.
func TestArchiveContainsOnePersonAndNobodyElse(t *testing.T) {
	ctx, s := t.Context(), openIn(t, t.TempDir())
	evening := time.Date(2026, 3, 1, 18, 0, 0, 0, time.UTC)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	council := store.Council{ID: uuid.NewString(), Name: "Stadtrat", CreatedAt: evening}
	must(s.AddCouncil(ctx, council))
	agents, ids, reports := map[string]string{}, map[string]string{}, map[string]string{}
	for _, name := range []string{"=Anna Muster", "Berta Beispiel"} {
		p := store.Participant{ID: uuid.NewString(), Name: name, Phone: "+49 228 5550101", CreatedAt: evening}
		must(s.AddParticipant(ctx, p))
		must(s.AddCouncilMember(ctx, council.ID, p.ID))
		code := store.HashOf(p.ID)
		must(s.AddEnrolCode(ctx, store.EnrolCode{Hash: code, ParticipantID: p.ID, CreatedAt: evening, ExpiresAt: evening.Add(time.Hour)}))
		agents[name], ids[name] = uuid.NewString(), p.ID
		_, err := s.Enrol(ctx, code, store.NewAgent{ID: agents[name], TokenHash: store.HashOf("token of " + name), OS: "linux"}, evening)
		must(err)
		r := &report.Report{Schema: report.SchemaV1, ID: uuid.Must(uuid.NewV7()).String(), Case: "K7P-3QX", Trigger: report.TriggerSupport, StartedAt: evening, Verdict: report.Limited}
		reports[name] = r.ID
		_, err = s.SaveReports(ctx, agents[name], []store.NewReport{{Report: r, Document: []byte(`{"of":"` + name + `"}`), ReceivedAt: evening, CheckedAt: evening}})
		must(err)
		_, err = s.AddCaseEntry(ctx, r.ID, store.CaseEntry{At: evening, By: "eva.supporter", Kind: store.CaseNoted, Text: "note about " + name})
		must(err)
		must(s.AddAuditEntry(ctx, store.AuditEntry{ID: uuid.Must(uuid.NewV7()).String(), At: evening, StaffName: "eva.supporter", Role: store.RoleSupport, Kind: store.AuditParticipantRead, ParticipantID: p.ID}))
	}
	session := store.CouncilSession{ID: uuid.NewString(), CouncilID: council.ID, StartsAt: evening}
	must(s.AddCouncilSession(ctx, session))
	recorder := disturbance.Recorder{Store: s, Now: func() time.Time { return evening.Add(time.Minute) }, Random: strings.NewReader(strings.Repeat("random", 1000)), Zone: time.UTC,
		Rules: func() (disturbance.Rules, error) { return disturbance.LoadRules("", "") }}
	for name, id := range ids {
		_, err := recorder.Report(ctx, session.ID, id, disturbance.Call{By: disturbance.BySupport, Staff: "eva.supporter", Key: name, Remark: "remark about " + name})
		must(err)
	}

	_, err := s.ApplyImport(ctx, store.Import{Now: evening, Sources: []store.ParticipantSource{{ParticipantID: ids["=Anna Muster"], SourceID: "oparl:1"}, {ParticipantID: ids["Berta Beispiel"], SourceID: "oparl:2"}}})
	must(err)
	p, err := Collect(ctx, s, ids["=Anna Muster"], evening)
	must(err)
	if len(p.Sources) != 1 || len(p.Sources[0]) != 64 {
		t.Errorf("got hashes of ids %q, want that of oparl:1", p.Sources)
	}
	if len(p.Councils) != 1 || len(p.Computers) != 1 || len(p.Checks) != 1 || len(p.Checks[0].Notes) != 1 || len(p.Accesses) != 1 || p.Accesses[0].Staff != 1 || len(p.Disturbances) != 3 {
		t.Errorf("got %+v, want a council, a computer, a check with a note, an access, and three entries of the disturbance record", p)
	}
	for _, d := range p.Disturbances {
		if (d.Diagnosis != nil) != (d.Role == "disturbed") {
			t.Errorf("got a diagnosis %v in role %s, want one only for disturbed", d.Diagnosis, d.Role)
		}
	}
	var archive bytes.Buffer
	must(WriteArchive(ctx, &archive, s, p, time.UTC))
	z, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	must(err)
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		must(err)
		b, err := io.ReadAll(r)
		must(err)
		files[f.Name] = string(b)
		for _, foreign := range []string{"Berta", "Beispiel", "eva.supporter", ids["Berta Beispiel"], agents["Berta Beispiel"], reports["Berta Beispiel"], "token of"} {
			if strings.Contains(string(b), foreign) {
				t.Errorf("%s contains %q:\n%s", f.Name, foreign, b)
			}
		}
	}
	for name, want := range map[string]string{
		"LIESMICH.txt": "Art. 15 DSGVO", "README.txt": "Art. 15 GDPR", "person.csv": "'=Anna Muster", "pruefungen-checks.csv": "K7P-3QX",
		"stoerungen-disturbances.csv": "remark about", "zugriffe-accesses.csv": "participant_read", "reports/" + reports["=Anna Muster"] + ".json": `{"of":"=Anna Muster"}`,
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s: got %q, want %q in it", name, files[name], want)
		}
	}
	if want := ";+49 228 5550101\r\n"; !strings.Contains(files["person.csv"], want) {
		t.Errorf("person.csv: got %q, want the telephone number %q unchanged", files["person.csv"], want)
	}
	var again Person
	if err := json.Unmarshal([]byte(files["person.json"]), &again); err != nil || again.Name != "=Anna Muster" || again.Schema != Schema {
		t.Errorf("got %+v, error %v; want name %q and schema %q", again, err, "=Anna Muster", Schema)
	}
}
