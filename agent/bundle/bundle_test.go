package bundle

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/agent/config"
	"github.com/tonprobe/tonprobe/agent/spool"
	"github.com/tonprobe/tonprobe/probe/report"
)

var made = time.Date(2026, 3, 2, 18, 0, 0, 0, time.UTC)

// valid returns a report as it is stored, with the number n in its id.
func valid(t testing.TB, n int, change func(*report.Report)) []byte {
	t.Helper()
	r := &report.Report{
		Schema: report.SchemaV1, ID: fmt.Sprintf("01a225a6-9b31-7aae-9ca5-%012x", n), Case: "K7P-3QX",
		Agent:   report.Agent{ID: "01a225a6-9b31-7aae-9ca5-c0903cd12bcd", Version: "1.2.3", OS: "linux", Arch: "amd64"},
		Trigger: report.TriggerCheck, Profile: "bbb", StartedAt: made, Verdict: report.Unknown,
	}
	if change != nil {
		change(r)
	}
	doc, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// planted contains private texts that must not leave the computer, each with the place
// where it is planted.
var planted = []string{
	"s3cr3t-t0ken-0123456789abcdefghijklmnop", "Rathaus-Gast", "RAT-PC-0815", "anna.mueller", "Mueller", "/home/", `C:\Users`,
	"AirPods von Anna", "geheim", "stadtrat.example", "203.0.113.77", "02:11:22:33:44:55", "SKF4-4QAV-ZK5Z", "0228 7766", "Sitzung-nichtoeffentlich",
}

func hostile(t testing.TB) Content {
	all := strings.Join(planted, " ")
	c := config.Default("/home/anna.mueller/.local/state/tonprobe")
	c.Server, c.Target, c.Device = "https://stadtrat.example/geheim", "https://stadtrat.example/b/Sitzung-nichtoeffentlich", "AirPods von Anna"
	c.CA, c.Socket, c.Profile, c.Lang = "/home/anna.mueller/ca.pem", "/run/RAT-PC-0815.sock", "geheim s3cr3t", "de; Rathaus-Gast"
	content := Content{
		Config: c, Version: all, ServiceVersion: "RAT-PC-0815/geheim", OS: "linux", Arch: "amd64", Made: made,
		Private:    []string{"Anna Mueller", "max"},
		Events:     &report.HostCrash{Events: []report.HostEvent{{At: made, Kind: report.EventClientCrashed, Program: "Zoom", Detail: "sigsegv"}}},
		EventsText: []byte("Zoom\n"),
		Log: []string{
			`time=2026-03-02T18:00:00.123Z level=WARN msg="a watcher ended and is started again" watcher=sleep err="open /home/anna.mueller/x: denied"`,
			`time=2026-03-02T18:00:00.123Z level=INFO msg="connected" host=RAT-PC-0815 ssid=Rathaus-Gast user=max took=1m2.5s status=503`,
			all, `level=INFO msg="` + all + `"`, strings.Repeat(all, 1000), "\x1b[31m\u202e" + all, "\x00\xff",
		},
	}
	content.Reports = []Stored{
		{spool.Waiting, valid(t, 1, func(r *report.Report) {
			r.Target = "https://anna.mueller:geheim@bbb.example.org/Sitzung-nichtoeffentlich"
		})},
		{spool.Sent, valid(t, 2, func(r *report.Report) {
			r.Probes = []report.Result{{Name: report.ProbeAudioInput, Version: 1, Status: report.StatusFail, StartedAt: made, Error: all, Data: &report.AudioInput{State: "complete", Device: "AirPods von Anna Mueller"}}}
		})},
		{spool.State("../../geheim"), valid(t, 3, nil)},
		{spool.Sent, []byte(`{"ssid":"Rathaus-Gast"}`)}, {spool.Sent, []byte(all)}, {spool.Sent, nil},
		{spool.Sent, append(valid(t, 4, nil)[:50], `,"x":"geheim"}`...)},
		{spool.Sent, bytes.Replace(valid(t, 5, nil), []byte(`"probes"`), []byte(`"ssid":"Rathaus-Gast","probes"`), 1)},
		{spool.Sent, bytes.Replace(valid(t, 6, nil), []byte(`"01a225a6-9b31-7aae-9ca5-000000000006"`), []byte(`"../../geheim"`), 1)},
		{spool.Sent, bytes.Repeat([]byte("["), report.MaxBytes+1)},
	}
	return content
}

// TestNothingPrivate plants secrets in every part and searches the whole file for them.
func TestNothingPrivate(t *testing.T) {
	files, sum, err := Files(hostile(t))
	if err != nil {
		t.Fatal(err)
	}
	archive, err := Zip(files, made)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range unzip(t, archive) {
		for _, secret := range append(planted, "anna", "Rathaus", "0815", "7766", "=max", "SKF4") {
			if strings.Contains(strings.ToLower(name+"\n"+body), strings.ToLower(secret)) {
				t.Errorf("%s contains %q: %.300s", name, secret, body)
			}
		}
	}
	if sum.Reports != 3 || sum.LeftOut != 7 {
		t.Errorf("got %d reports, %d left out, want 3 and 7", sum.Reports, sum.LeftOut)
	}
	log := unzip(t, archive)["log.txt"]
	for _, want := range []string{
		`time=2026-03-02T18:00:00.123Z level=WARN msg="a watcher ended and is started again"`, "err=\"open (path): denied", "took=1m2.5s status=503",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%.600s", want, log)
		}
	}
}

func unzip(t testing.TB, archive []byte) map[string]string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(b)
	}
	return all
}

// TestSentReportIsUnchanged: support sees what the collector got, byte for byte.
func TestSentReportIsUnchanged(t *testing.T) {
	r, err := report.Decode(valid(t, 1, nil))
	if err != nil {
		t.Fatal(err)
	}
	sent, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	files, _, err := Files(Content{Reports: []Stored{{spool.Sent, sent}}, Config: config.Default(""), Made: made})
	if err != nil || len(files) == 0 || !bytes.Equal(files[0].Body, sent) || files[0].Name != "reports/sent/"+r.ID+".json" {
		t.Errorf("got %+v, %v\nwant %s", files, err, sent)
	}
}

// TestSizeIsLimited: the newest reports and lines are kept.
func TestSizeIsLimited(t *testing.T) {
	c := Content{Config: config.Default(""), Made: made}
	for i := range 2 * MaxReports {
		c.Reports = append(c.Reports, Stored{spool.Sent, valid(t, i, nil)}, Stored{spool.Sent, valid(t, i, nil)})
	}
	for i := range 10_000 {
		c.Log = append(c.Log, fmt.Sprintf("level=INFO msg=%q err=%d", strings.Repeat("error ", 20), i%1000))
	}
	files, sum, err := Files(c)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for _, f := range files {
		size += len(f.Body)
	}
	if size > maxReportBytes+maxLogBytes+4<<10 || sum.Reports != MaxReports || sum.OverLimit < MaxReports {
		t.Errorf("got %d bytes, %d reports and %d over the limit; want at most %d, %d, at least %d", size, sum.Reports, sum.OverLimit, maxReportBytes+maxLogBytes+4<<10, MaxReports, MaxReports)
	}
	want := fmt.Sprintf("%012x.json", 2*MaxReports-1)
	if got := files[0].Name; !strings.HasSuffix(got, want) {
		t.Errorf("got first file %s, want …%s", got, want)
	}
	if last := files[len(files)-2]; last.Kind != KindLog || !bytes.HasSuffix(last.Body, []byte("err=999\n")) {
		t.Errorf("got %s ending with %q, want the log ending with err=999", last.Name, last.Body[max(0, len(last.Body)-20):])
	}
}

func FuzzRedactLog(f *testing.F) {
	f.Add(`time=2026-03-02T18:00:00.123Z level=WARN msg="x" err="open /home/anna/x: denied"`)
	f.Add("\x00\xff\u202e geheim")
	f.Add("took=1m2.5s")
	f.Fuzz(func(t *testing.T, line string) {
		once := RedactLog([]string{line, "geheim " + line}, []string{"Open"})
		if twice := RedactLog(once, []string{"Open"}); strings.Join(once, "\n") != strings.Join(twice, "\n") {
			t.Errorf("redacted once: %q, twice: %q", once, twice)
		}
		for _, word := range reWord.FindAllString(strings.Join(once, " "), -1) {
			if w := strings.ToLower(word); w == "geheim" || w == "open" {
				t.Errorf("the redacted %q contains %q", line, word)
			}
		}
	})
}
