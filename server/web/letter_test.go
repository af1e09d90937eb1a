package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/server/enroll"
	"github.com/tonprobe/tonprobe/server/web"
)

var reCode = regexp.MustCompile(`<p class="bigcode">([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})</p>`)

func TestLetters(t *testing.T) {
	g := newRig(t, func(c *web.Config) { c.PublicOrigin = "https://tonprobe.example:8443" }).login()
	g.want(g.get("/letters"), http.StatusOK, "Alle haben einen Computer eingerichtet.")
	var ids []string
	post := func(as string, ids []string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/letters", strings.NewReader(url.Values{"as": {as}, "participant": ids}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return g.do(r)
	}
	for i := range 60 {
		inv, err := g.enroller.Invite(t.Context(), fmt.Sprintf("Person %02d", i), "")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, inv.Participant.ID)
	}
	g.checked("Erika", "", "K7P-3QX")
	w := g.get("/letters")
	g.want(w, http.StatusOK, "Person 00", "Person 59", `action="/letters"`)
	if strings.Contains(w.Body.String(), "Erika") {
		t.Error("a letter is offered for a participant with an enrolled computer")
	}
	w = post("print", ids)
	g.want(w, http.StatusCreated, `<svg class="qr"`, "<strong>https://tonprobe.example:8443/setup</strong>", "https://tonprobe.example:8443/setup#")
	codes := reCode.FindAllStringSubmatch(w.Body.String(), -1)
	if len(codes) != 60 {
		t.Fatalf("got %d codes, want 60", len(codes))
	}
	if n := w.Body.Len(); n > 600<<10 {
		t.Errorf("got %d bytes for 60 letters", n)
	} else {
		t.Logf("60 letters have %d bytes", n)
	}
	if _, err := g.enroller.Accept(t.Context(), codes[59][1], enroll.Applicant{}); err != nil {
		t.Errorf("the code of the last letter: got error %v", err)
	}
	w = post("csv", ids[:2])
	if rows := strings.Split(w.Body.String(), "\r\n"); len(rows) != 4 || !strings.HasPrefix(rows[0], "\ufeffname;phone;code;link;expires;page") || !strings.HasPrefix(rows[1], "Person 00;;") || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("got rows %q", rows)
	}
	g.wantRedirect(g.post("/letters"), "/letters")
	g.want(g.post("/letters", "participant", "nobody"), http.StatusNotFound)
}
