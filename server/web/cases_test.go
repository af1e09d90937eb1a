package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheListOfCases(t *testing.T) {
	g := newRig(t).login()
	g.want(g.get("/cases"), http.StatusOK, "Kein Fall ist offen oder übernommen.")
	g.want(g.get("/cases?show=mine"), http.StatusOK, "Sie haben keinen Fall übernommen.")
	g.want(g.get("/cases?show=closed"), http.StatusOK, "Heute wurde noch kein Fall geschlossen.")
	p, r := g.checked("Berta <b>Muted</b>", "+49 (0)228 2", "M2W-8RT", microphone(muted), passage(), voice(0), internet())
	g.pass(time.Minute)
	g.checked("Cäsar Loss", "", "H4J-9TW", microphone(nil), passage(), voice(9.5), internet())
	g.checked("Anna Ready", "0228 1", "A1B-2C3", microphone(nil), passage(), voice(0), internet())
	w := g.get("/cases")
	g.want(w, http.StatusOK, "stummgeschaltet", "M2W-8RT", `href="tel:+492282"`, "niemand", `href="/participants/`+p.ID+"/reports/"+r.ID+`#case"`,
		"vor 2 Minuten", `data-stream="/events"`)
	if body := w.Body.String(); strings.Contains(body, "Anna") || strings.Contains(body, "<b>Muted") {
		t.Errorf("somebody who is ready, or a tag, is in the list:\n%s", body)
	}
	action := "/participants/" + p.ID + "/reports/" + r.ID + "/case"
	max := g.as("Max")
	max.post(action, "do", "take", "from", "")
	body := g.get("/cases").Body.String()
	if got := names(body); !slices.Equal(got, []string{"Cäsar Loss", "Berta &lt;b&gt;Muted&lt;/b&gt;"}) {
		t.Errorf("got %q, want the open case before the taken one", got)
	}
	g.want(g.get("/cases"), http.StatusOK, "<bdi>Max</bdi>", "Übernommen")
	max.want(max.get("/cases?show=mine"), http.StatusOK, "Berta", `class="tag">Sie`)
	g.want(g.get("/cases?show=mine"), http.StatusOK, "Sie haben keinen Fall übernommen.")
	max.post(action, "do", "close", "cause", "audio.in_use")
	g.want(g.get("/cases?show=closed"), http.StatusOK, "Das war die Ursache:", "<bdi>Max</bdi>", "M2W-8RT")
	if body := g.get("/cases").Body.String(); strings.Contains(body, "Berta") {
		t.Error("a closed case is still listed as open")
	}
	g.pass(24 * time.Hour)
	g.login()
	g.want(g.get("/cases?show=closed"), http.StatusOK, "Heute wurde noch kein Fall geschlossen.")
	g.lang = "en"
	g.want(g.get("/cases?sort=waiting&show=x"), http.StatusOK, "No case is open or taken.")
}

func TestAFullListOfCasesIsShort(t *testing.T) {
	g := newRig(t).login()
	for i := range 110 {
		p, r := g.checked(fmt.Sprintf("Annegret Musterfrau-%03d", i), fmt.Sprintf("0228 555%03d", i), fmt.Sprintf("A1B-%03d", i), microphone(muted), passage(), voice(0), internet())
		if i%2 == 0 {
			g.post("/participants/"+p.ID+"/reports/"+r.ID+"/case", "do", "take", "from", "")
		}
	}
	w := g.get("/cases")
	g.want(w, http.StatusOK, "Hier stehen die ersten 80 Fälle von 110.")
	if n := len(names(w.Body.String())); n != 80 {
		t.Errorf("got %d rows, want 80", n)
	}
	if w.Body.Len() > 100_000 {
		t.Errorf("got %d bytes, want at most 100,000", w.Body.Len())
	}
}
