package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"github.com/tonprobe/tonprobe/probe/media/wire"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/live"
	"github.com/tonprobe/tonprobe/server/store"
)

func (g *rig) send(e wire.EnrollResponse, body []byte) ask {
	return ask{method: http.MethodPost, path: "/api/v1/reports", token: e.Token, body: body}
}

func batch(documents ...[]byte) []byte {
	return append(append([]byte(`{"reports":[`), bytes.Join(documents, []byte(","))...), "]}"...)
}

func TestOneReport(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	events := g.live.Subscribe(t.Context())
	r := g.newReport(e.AgentID)
	for i, want := range []string{"stored", "duplicate"} {
		got := results(t, g.do(g.send(e, encode(t, r))))
		if len(got) != 1 || got[0].ID != r.ID || got[0].Status != want || got[0].Error != "" {
			t.Errorf("time %d: got %+v, want %s", i, got, want)
		}
	}
	if got := <-events; got.Kind != live.ReportStored || got.ReportID != r.ID {
		t.Errorf("got event %+v; want Kind %v, ReportID %v", got, live.ReportStored, r.ID)
	}
	select {
	case got := <-events:
		t.Errorf("a duplicate caused event %+v, want none", got)
	default:
	}
	kept, err := g.store.Report(t.Context(), r.ID)
	if err != nil || !kept.ReceivedAt.Equal(g.clock()) {
		t.Fatalf("got %+v, error %v; want ReceivedAt %v", kept, err, g.clock())
	}
	if _, err := report.Decode(kept.Document); err != nil {
		t.Errorf("the stored document is not a report: %v", err)
	}
}

func TestAddressesAreTruncatedBeforeStorage(t *testing.T) {
	for _, c := range []struct {
		keep bool
		want string
	}{{false, "203.0.113.0/24"}, {true, "203.0.113.77"}} {
		g := newRig(t, func(cfg *Config) { cfg.Policy.KeepPublicAddress = c.keep })
		e := g.enrolled("A")
		r := g.newReport(e.AgentID)
		results(t, g.do(g.send(e, encode(t, r))))
		kept, err := g.store.Report(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := report.Decode(kept.Document)
		if err != nil {
			t.Fatal(err)
		}
		if got := report.Find[report.NAT](stored).PublicAddress; got != c.want {
			t.Errorf("keep %v: got %s, want %s", c.keep, got, c.want)
		}
		if !c.keep && bytes.Contains(kept.Document, []byte("203.0.113.77")) {
			t.Error("the address is still in the document")
		}
	}
}

func TestUnnamedFieldsAreNotStored(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	r := g.newReport(e.AgentID)
	document := bytes.Replace(encode(t, r), []byte(`"udp":`), []byte(`"wifi_ssid":"Anna zuhause","udp":`), 1)
	results(t, g.do(g.send(e, document)))
	kept, err := g.store.Report(t.Context(), r.ID)
	if err != nil || bytes.Contains(kept.Document, []byte("zuhause")) {
		t.Errorf("got %s, error %v; want it without %q", kept.Document, err, "zuhause")
	}
}

func TestBatch(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	one, two := g.newReport(e.AgentID), g.newReport(e.AgentID)
	foreign := g.newReport(uuid.NewString())
	broken := bytes.Replace(encode(t, g.newReport(e.AgentID)), []byte(`"verdict":"ready"`), []byte(`"verdict":"<script>"`), 1)
	newer := bytes.Replace(encode(t, g.newReport(e.AgentID)), []byte("report/v1"), []byte("report/v2"), 1)
	huge := []byte(`{"id":"` + strings.Repeat("x", report.MaxBytes) + `"}`)
	w := g.do(ask{method: http.MethodPost, path: "/api/v1/reports", token: e.Token, encoding: "identity",
		body: batch(encode(t, one), broken, encode(t, two), encode(t, foreign), newer, huge, []byte("7"), encode(t, one))})
	got := results(t, w)
	want := []string{"stored", "rejected", "stored", "rejected", "rejected", "rejected", "rejected", "duplicate"}
	for i, r := range got {
		if r.Status != want[i] || (r.Error == "") == (r.Status == "rejected") {
			t.Errorf("report %d: got %+v, want %s", i, r, want[i])
		}
	}
	if got[0].ID != one.ID || got[3].ID != foreign.ID || got[5].ID != "" || !strings.Contains(got[4].Error, "update the collector") {
		t.Errorf("got %+v; want [0].ID %v, [3].ID %v, [5].ID none, [4].Error to contain %q", got, one.ID, foreign.ID, "update the collector")
	}
}

func TestRefusedDeliveries(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	r := g.newReport(e.AgentID)
	good := encode(t, r)
	many := make([][]byte, maxReports+1)
	for i := range many {
		many[i] = []byte("{}")
	}
	for name, c := range map[string]struct {
		ask
		status int
		code   string
	}{
		"empty":             {ask{body: []byte{}}, http.StatusBadRequest, "body_malformed"},
		"truncated":         {ask{body: good[:len(good)/2]}, http.StatusBadRequest, "body_malformed"},
		"a list":            {ask{body: []byte("[]")}, http.StatusBadRequest, "body_malformed"},
		"empty list":        {ask{body: batch()}, http.StatusBadRequest, "body_malformed"},
		"null":              {ask{body: []byte("null")}, http.StatusUnprocessableEntity, "report_version"},
		"too many":          {ask{body: batch(many...)}, http.StatusRequestEntityTooLarge, "too_many_reports"},
		"no report":         {ask{body: []byte("{}")}, http.StatusUnprocessableEntity, "report_version"},
		"newer version":     {ask{body: bytes.Replace(good, []byte("report/v1"), []byte("report/v9"), 1)}, http.StatusUnprocessableEntity, "report_version"},
		"invalid":           {ask{body: bytes.Replace(good, []byte(`"case":"K7P-3QX"`), []byte(`"case":"<script>"`), 1)}, http.StatusUnprocessableEntity, "report_invalid"},
		"another agent's":   {ask{body: encode(t, g.newReport(uuid.NewString()))}, http.StatusForbidden, "agent_mismatch"},
		"10 MB":             {ask{body: bytes.Repeat([]byte(" "), 10<<20)}, http.StatusRequestEntityTooLarge, "too_large"},
		"300 KB report":     {ask{body: append(bytes.Repeat([]byte(" "), 300<<10), good...)}, http.StatusRequestEntityTooLarge, "too_large"},
		"deeply nested":     {ask{body: append(bytes.Repeat([]byte(`{"reports":[`), 20_000), '1')}, http.StatusBadRequest, "body_malformed"},
		"no JSON type":      {ask{body: good, contentType: "text/plain"}, http.StatusUnsupportedMediaType, "content_type"},
		"brotli":            {ask{body: good, encoding: "br"}, http.StatusUnsupportedMediaType, "content_encoding"},
		"two encodings":     {ask{body: good, encoding: "gzip, gzip"}, http.StatusUnsupportedMediaType, "content_encoding"},
		"not gzip":          {ask{body: good, encoding: "gzip"}, http.StatusBadRequest, "body_malformed"},
		"not zstd":          {ask{body: good, encoding: "zstd"}, http.StatusBadRequest, "body_malformed"},
		"truncated gzip":    {ask{body: gzipped(t, good)[:60], encoding: "gzip"}, http.StatusBadRequest, "body_malformed"},
		"truncated zstd":    {ask{body: zstded(t, good)[:60], encoding: "zstd"}, http.StatusBadRequest, "body_malformed"},
		"id from elsewhere": {ask{body: g.stolenID()}, http.StatusForbidden, "agent_mismatch"},
	} {
		t.Run(name, func(t *testing.T) {
			c.method, c.path, c.token = http.MethodPost, "/api/v1/reports", e.Token
			wantFault(t, g.do(c.ask), c.status, c.code)
			g.wait(agentEvery)
		})
	}
	if _, err := g.store.Report(t.Context(), r.ID); err == nil {
		t.Error("a rejected report was stored")
	}
}

// stolenID returns a report with the id of another agent's report.
func (g *rig) stolenID() []byte {
	other := g.enrolled("B")
	body := encode(g.t, g.newReport(other.AgentID))
	results(g.t, g.do(g.send(other, body)))
	return body
}

func TestReportIDOfAnotherAgent(t *testing.T) {
	g := newRig(t)
	first, second := g.enrolled("A"), g.enrolled("B")
	r := g.newReport(first.AgentID)
	results(t, g.do(g.send(first, encode(t, r))))
	r.Agent.ID = second.AgentID
	wantFault(t, g.do(g.send(second, encode(t, r))), http.StatusUnprocessableEntity, "report_id_taken")
	if got := results(t, g.do(g.send(second, batch(encode(t, r)))))[0]; got.Status != "rejected" {
		t.Errorf("in a list: got %+v, want Status %q", got, "rejected")
	}
}

func TestCompressedReports(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	for encoding, pack := range map[string]func(*testing.T, []byte) []byte{"gzip": gzipped, "zstd": zstded} {
		q := g.send(e, pack(t, encode(t, g.newReport(e.AgentID))))
		q.encoding = encoding
		if got := results(t, g.do(q)); got[0].Status != "stored" {
			t.Errorf("%s: got %+v, want [0].Status %q", encoding, got, "stored")
		}
	}
}

func TestDecompressionBombs(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	zeros := make([]byte, maxPlainBytes+1<<20)
	bombs := map[string][]byte{"gzip": gzipped(t, zeros), "zstd": zstded(t, zeros)}
	runtime.GC()
	for encoding, bomb := range bombs {
		if len(bomb) > maxWireBytes {
			t.Fatalf("the %s bomb has %d bytes, more than the limit", encoding, len(bomb))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		q := g.send(e, bomb)
		q.encoding = encoding
		wantFault(t, g.do(q), http.StatusRequestEntityTooLarge, "too_large")
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 6*maxPlainBytes {
			t.Errorf("%s: %d MB allocated for a limit of %d MB", encoding, took>>20, maxPlainBytes>>20)
		}
	}
	// A frame header that declares a window of 2 GB, and nothing after it (RFC 8878 §3.1.1.1.2).
	q := g.send(e, []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00})
	q.encoding = "zstd"
	wantFault(t, g.do(q), http.StatusRequestEntityTooLarge, "too_large")
}

func TestFaultOfTheStoreIsNotBlamedOnTheAgent(t *testing.T) {
	g := newRig(t, func(c *Config) { c.Store = brokenStore{c.Store} })
	e := g.enrolled("A")
	w := g.do(g.send(e, encode(t, g.newReport(e.AgentID))))
	wantFault(t, w, http.StatusInternalServerError, "internal")
	if strings.Contains(w.Body.String(), "secret") || !strings.Contains(g.log.String(), errBroken.Error()) {
		t.Errorf("got response %s, log %s; want the cause in the log only", w.Body, g.log)
	}
}

type brokenStore struct{ Store }

func (brokenStore) SaveReports(context.Context, string, []store.NewReport) ([]store.SaveResult, error) {
	return nil, errBroken
}

func TestManyAgentsAtOnce(t *testing.T) {
	g := newRig(t)
	const agents, each = 8, 10
	enrolled := make([]wire.EnrollResponse, agents)
	for i := range enrolled {
		enrolled[i] = g.enrolled(fmt.Sprint(i))
	}
	var wg sync.WaitGroup
	for _, e := range enrolled {
		var bodies [][]byte
		for range each {
			bodies = append(bodies, encode(t, g.newReport(e.AgentID)))
		}
		for range 2 { // each report twice, concurrently
			wg.Go(func() {
				for _, b := range bodies {
					if w := g.do(g.send(e, b)); w.Code != http.StatusAccepted {
						t.Errorf("got status %d, want %d: %s", w.Code, http.StatusAccepted, w.Body)
					}
				}
			})
		}
	}
	wg.Wait()
	for _, e := range enrolled {
		_, p, err := g.store.AgentByToken(t.Context(), store.HashOf(e.Token))
		if err != nil {
			t.Fatal(err)
		}
		page, err := g.store.ParticipantReports(t.Context(), store.ReportQuery{ParticipantID: p.ID})
		if err != nil || len(page.Reports) != each {
			t.Errorf("got %d reports, want %d (error %v)", len(page.Reports), each, err)
		}
	}
}

func TestWrongClockDoesNotStayLatest(t *testing.T) {
	g := newRig(t)
	e := g.enrolled("A")
	fast := g.newReport(e.AgentID)
	fast.StartedAt = g.clock().Add(365 * 24 * time.Hour)
	results(t, g.do(g.send(e, encode(t, fast))))
	g.wait(time.Hour)
	right := g.newReport(e.AgentID)
	results(t, g.do(g.send(e, encode(t, right))))
	_, p, err := g.store.AgentByToken(t.Context(), store.HashOf(e.Token))
	if err != nil {
		t.Fatal(err)
	}
	if state, err := g.store.ParticipantState(t.Context(), p.ID); err != nil || state.Last.ID != right.ID {
		t.Errorf("got latest %+v, want the one after the clock was corrected (error %v)", state.Last, err)
	}
}

// TestDeliveriesUpdateTheLastContact: a delivery updates the last contact even if none of its
// reports is stored, and only then in a separate transaction.
func TestDeliveriesUpdateTheLastContact(t *testing.T) {
	touches := 0
	g := newRig(t, func(c *Config) { c.Store = touchCounter{c.Store, &touches} })
	e := g.enrolled("A")
	for _, c := range []struct {
		name    string
		body    []byte
		touches int
	}{
		{"stored", encode(t, g.newReport(e.AgentID)), 0},
		{"rejected", encode(t, g.newReport(uuid.NewString())), 1},
		{"rejected in a list", batch(encode(t, g.newReport(uuid.NewString()))), 1},
		{"malformed", []byte("{"), 1},
	} {
		g.wait(time.Hour)
		touches = 0
		g.handler.ServeHTTP(httptest.NewRecorder(), g.send(e, c.body).request(t.Context()))
		a, p, err := g.store.AgentByToken(t.Context(), store.HashOf(e.Token))
		if err != nil {
			t.Fatal(err)
		}
		state, err := g.store.ParticipantState(t.Context(), p.ID)
		if err != nil || touches != c.touches || !a.LastSeenAt.Equal(g.clock()) || !state.LastSeenAt.Equal(g.clock()) {
			t.Errorf("%s: got %d touches, last seen %v, %v; want %d, %v (error %v)", c.name, touches, a.LastSeenAt, state.LastSeenAt, c.touches, g.clock(), err)
		}
	}
}

type touchCounter struct {
	Store
	touches *int
}

func (s touchCounter) TouchAgent(ctx context.Context, id string, seen time.Time) error {
	*s.touches++
	return s.Store.TouchAgent(ctx, id, seen)
}

// FuzzSplit compares both implementations.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{`{}`, `{"reports":[{}]}`, `{"reports":null}`, `[]`, `null`, `{"reports":{}}`, `{"reports":[{}],"reports":[7]}`,
		`{"Reports":[{}]}`, `{"reports":[{}],"x":tru}`, `{"x":tru,"reports":[{}]}`, ` { "reports" : [ {"a":"]}"} , 7 ] } `, `{"reports":[{]}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		documents, single, err := split(b)
		if err != nil {
			return
		}
		if len(documents) == 0 || single && len(documents) != 1 {
			t.Errorf("got %d documents, single %v, want at least one, and exactly one if it is single", len(documents), single)
		}
		valid := !slices.ContainsFunc(documents, func(d json.RawMessage) bool { return !json.Valid(d) })
		if valid != json.Valid(b) {
			t.Errorf("%q: got %q, want it accepted: %v", b, documents, json.Valid(b))
		}
		want, wantSingle, err := decodeBody(b)
		if valid && (err != nil || single != wantSingle || !slices.EqualFunc(documents, want, func(x, y json.RawMessage) bool { return bytes.Equal(x, y) })) {
			t.Errorf("%q: got %q, %v; want %q, %v (error %v)", b, documents, single, want, wantSingle, err)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("x"), "gzip")
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd}, "zstd")
	var u unpacker
	f.Fuzz(func(t *testing.T, b []byte, encoding string) {
		const limit = 1 << 16
		if got, err := u.unpack(b, encoding, limit); err == nil && len(got) > limit {
			t.Errorf("got %d bytes, want at most %d", len(got), limit)
		}
	})
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var to bytes.Buffer
	z := gzip.NewWriter(&to)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return to.Bytes()
}

func zstded(t *testing.T, b []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(b, nil)
}
