package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/report"
)

var (
	reRow  = regexp.MustCompile(`<a class="whole" href="[^"]*"(?: autofocus)?><bdi>([^<]*)</bdi>`)
	reNext = regexp.MustCompile(`rel="next" href="([^"]*)"`)
	reTags = regexp.MustCompile(`<[^>]*>`)
)

func names(body string) (list []string) {
	for _, m := range reRow.FindAllStringSubmatch(body, -1) {
		list = append(list, m[1])
	}
	return list
}

// plain returns the text of a page.
func plain(body string) string {
	return strings.Join(strings.Fields(reTags.ReplaceAllString(body, " ")), " ")
}

func councilOf(g *rig) {
	g.checked("Anna Ready", "0228 1", "A1B-2C3", microphone(nil), passage(), voice(0), internet())
	g.checked("Berta Muted", "+49 (0)228 2", "M2W-8RT", microphone(muted), passage(), voice(0), internet())
	g.checked("Cäsar Loss", "", "H4J-9TW", microphone(nil), passage(), voice(9.5), internet())
	g.checked("Dora Unclear", "", "Q9Z-5YN", notBuilt(), passage(), silentServer(), internet())
	g.person("Emil Never", "")
}

// TestAFullPageIsShort: a page has less than 100 kB, which a slow line transfers quickly.
func TestAFullPageIsShort(t *testing.T) {
	g := newRig(t).login()
	for i := range 110 {
		g.checked(fmt.Sprintf("Annegret Musterfrau-%03d", i), fmt.Sprintf("0228 555%03d", i), fmt.Sprintf("A1B-%03d", i), microphone(muted), passage(), voice(0), internet())
	}
	for _, address := range []string{"/", "/?q=annegret"} {
		body := g.get(address).Body.String()
		if rows := len(names(body)); rows != 100 {
			t.Errorf("%s: got %d rows, want 100", address, rows)
		}
		if len(body) > 100_000 {
			t.Errorf("%s: got %d bytes, want at most 100,000", address, len(body))
		}
	}
}

func TestListShowsWhoNeedsHelpFirst(t *testing.T) {
	g := newRig(t).login()
	g.want(g.get("/"), http.StatusOK, "Hier ist noch niemand eingetragen")
	councilOf(g)
	w := g.get("/")
	g.want(w, http.StatusOK, "stummgeschaltet", "audio.os_muted", `href="tel:+492282"`, "+49 (0)228 2", "vor 1 Minute", "04.03.2026, 17:58 Uhr",
		`datetime="2026-03-04T17:58:59Z"`, "M2W-8RT", "Eingerichtet, aber noch nicht geprüft")
	if got, want := names(w.Body.String()), []string{"Berta Muted", "Cäsar Loss", "Dora Unclear", "Anna Ready", "Emil Never"}; !slices.Equal(got, want) {
		t.Errorf("got order %q, want %q", got, want)
	}
	for order, want := range map[string][]string{"name": {"Anna Ready", "Berta Muted", "Cäsar Loss", "Dora Unclear", "Emil Never"}} {
		if got := names(g.get("/?sort=" + order).Body.String()); !slices.Equal(got, want) {
			t.Errorf("sort=%s: got %q, want %q", order, got, want)
		}
	}
}

func TestFiltersAndTheirCounts(t *testing.T) {
	g := newRig(t).login()
	councilOf(g)
	page := plain(g.get("/").Body.String())
	for _, want := range []string{"Alle 5", "Mit Problem 2", "Unklar 1", "Bereit 1"} {
		if !strings.Contains(page, want) {
			t.Errorf("got no %q in: %s", want, page)
		}
	}
	for show, want := range map[string][]string{
		"problems": {"Berta Muted", "Cäsar Loss"}, "unknown": {"Dora Unclear"}, "ready": {"Anna Ready"},
	} {
		if got := names(g.get("/?show=" + show).Body.String()); !slices.Equal(got, want) {
			t.Errorf("show=%s: got %q, want %q", show, got, want)
		}
	}
	g.want(g.get("/?show=problems&q=zzz"), http.StatusOK, "Dazu passt niemand")
	g.want(g.get("/?show=nonsense&sort=nonsense"), http.StatusOK, "Emil Never")
}

func TestSearch(t *testing.T) {
	g := newRig(t).login()
	councilOf(g)
	p, r := g.checked("Frieda Fall", "", "K7P-3QX", microphone(muted), passage(), voice(0), internet())
	for _, typed := range []string{"K7P-3QX", "k7p3qx", " k7p 3qx ", "K7P.3QX", "k7p–3qx"} {
		g.wantRedirect(g.get("/?"+url.Values{"q": {typed}}.Encode()), "/participants/"+p.ID+"/reports/"+r.ID)
	}
	if got := names(g.get("/?q=casar").Body.String()); !slices.Equal(got, []string{"Cäsar Loss"}) {
		t.Errorf("got %q, want [\"Cäsar Loss\"]", got)
	}
	g.want(g.get("/?q=ZZZ-ZZZ"), http.StatusOK, "Dazu passt niemand", "ZZZ-ZZZ")
	// A code of two people's checks finds both.
	g.checked("Gustav Fall", "", "K7P-3QX", microphone(nil), passage(), voice(0), internet())
	if got := names(g.get("/?q=K7P-3QX").Body.String()); len(got) != 2 {
		t.Errorf("got %q, want 2 entries", got)
	}
	g.want(g.get("/?q="+url.QueryEscape(strings.Repeat("<script>\u202e", 800))), http.StatusOK, "Dazu passt niemand")
}

func TestPagesFollowEachOther(t *testing.T) {
	g := newRig(t).login()
	var want []string
	for i := range 120 {
		name := fmt.Sprintf("Person %03d", i)
		want = append(want, name)
		probe := microphone(nil)
		if i%2 == 0 {
			probe = microphone(muted)
		}
		g.checked(name, "", "K7P-3QX", probe, passage(), voice(0), internet())
	}
	follow := func(address string) (all []string) {
		for pages := 0; address != "" && pages < 10; pages++ {
			body := g.get(address).Body.String()
			all = append(all, names(body)...)
			address = ""
			if m := reNext.FindStringSubmatch(body); m != nil {
				address = strings.ReplaceAll(m[1], "&amp;", "&")
			}
		}
		return all
	}
	if got := follow("/?sort=name"); !slices.Equal(got, want) {
		t.Errorf("by name: got %d people, %q; want %q", len(got), got, want)
	}
	problems := follow("/?show=problems")
	slices.Sort(problems)
	if len(problems) != 60 || len(slices.Compact(problems)) != 60 || problems[0] != "Person 000" {
		t.Errorf("problems: got %d, %q; want 60 different people, the first of them Person 000", len(problems), problems)
	}
	for _, after := range []string{"nonsense", strings.Repeat("A", 3000), "e30"} {
		g.wantRedirect(g.get("/?sort=name&after="+after), "/?sort=name")
	}
}

func TestOldChecksDoNotCountAsReady(t *testing.T) {
	g := newRig(t).login()
	p, _ := g.checked("Anna Ready", "", "A1B-2C3", microphone(nil), passage(), voice(0), internet())
	row := func() string { return plain(g.get("/").Body.String()) }
	if !strings.Contains(row(), "Bereit Anna Ready") {
		t.Fatalf("got %s, want not ready", row())
	}
	g.login() // the session ends first
	g.pass(11 * time.Hour)
	if !strings.Contains(row(), "Bereit Anna Ready") {
		t.Errorf("before the change: got %s; want it to contain %q", row(), "Bereit Anna Ready")
	}
	g.login()
	g.pass(11 * time.Hour)
	g.login()
	g.pass(3 * time.Hour)
	if !strings.Contains(row(), "Zu lange her zuletzt: Bereit Anna Ready") || !strings.Contains(row(), "Bereit 0 Zu lange her 1 ") {
		t.Errorf("after the change: got %s; want it to contain %q and %q", row(), "Zu lange her zuletzt: Bereit Anna Ready", "Bereit 0 Zu lange her 1 ")
	}
	g.want(g.get("/participants/"+p.ID), http.StatusOK, "zu lange her", "vor 1 Tag")
	// A recent warning is listed before an old failure.
	g.checked("Berta Tonight", "", "B1B-2C3", microphone(nil), passage(), voice(0), internet())
	if both := row(); strings.Index(both, "Berta Tonight") > strings.Index(both, "Anna Ready") {
		t.Errorf("the old problem is first: %s", both)
	}
}

func TestBlockedPeopleAreCountedAndFound(t *testing.T) {
	g := newRig(t).login()
	p, _ := g.checked("Anna Blocked", "", "A1B-2C3", microphone(nil))
	g.want(g.post("/participants/"+p.ID+"/block"), http.StatusSeeOther)
	if all := plain(g.get("/").Body.String()); strings.Contains(all, "Anna Blocked") || !strings.Contains(all, "Alle 0 ") || !strings.Contains(all, "Gesperrt 1 ") {
		t.Errorf("got %s; want it without %q, containing %q and %q", all, "Anna Blocked", "Alle 0 ", "Gesperrt 1 ")
	}
	g.want(g.get("/?show=blocked"), http.StatusOK, "Anna Blocked")
	g.want(g.get("/?q=blocked"), http.StatusOK, "Anna Blocked")
}

func TestSearching(t *testing.T) {
	g := newRig(t).login()
	p, r := g.checked("Jürgen Müller", "0228 5550101", "9E5-5C4", microphone(muted))
	for i := range 3 {
		g.checked("Person "+string(rune('A'+i)), "", "C1B-2C"+strconv.Itoa(i), microphone(nil))
	}
	address := "/participants/" + p.ID + "/reports/" + r.ID
	for _, q := range []string{"9E5-5C4", "Fall-Code 9E5-5C4", "neun Emil fünf fünf Cäsar vier", "nine echo five five charlie four"} {
		g.wantRedirect(g.get("/?q="+url.QueryEscape(q)), address)
	}
	for _, q := range []string{"Mueller", "müller jürgen", "5550101", "+49 228 5550101", "9E5", "Muelller"} {
		g.want(g.get("/?q="+url.QueryEscape(q)), http.StatusOK, "Jürgen Müller")
	}
	g.want(g.get("/?q=Muelller"), http.StatusOK, "Meinten Sie eine dieser Personen?")
	g.want(g.get("/?q=xyzzy"), http.StatusOK, "Versuchen Sie nur den Nachnamen")
	// The search is on every page of phone support.
	for _, page := range []string{"/", "/participants/new", "/participants/" + p.ID, "/password", "/accessibility", "/nonsense"} {
		if body := g.get(page).Body.String(); strings.Count(body, `id="q"`) != 1 {
			t.Errorf("%s: got no search", page)
		}
	}
}

func TestEverybodyOnOnePage(t *testing.T) {
	g := newRig(t).login()
	for i := range 130 {
		g.person("Person "+strconv.Itoa(i), "")
	}
	first := g.get("/").Body.String()
	if n := strings.Count(first, `class="whole"`); n != 100 || !strings.Contains(first, "Alle auf einer Seite") {
		t.Errorf("got %d rows, want 100 and a link to all on one page", n)
	}
	if n := strings.Count(g.get("/?rows=all").Body.String(), `class="whole"`); n != 130 {
		t.Errorf("got %d rows of all, want 130", n)
	}
}

func TestUntestedIsNeverShownAsGood(t *testing.T) {
	g := newRig(t).login()
	p, r := g.checked("Anna Line", "", "A1B-2C3", passage(), voice(0), internet())
	if r.Verdict != report.Ready {
		t.Fatalf("the verdict of the sample is %s", r.Verdict)
	}
	for _, address := range []string{"/", "/participants/" + p.ID} {
		body := g.get(address).Body.String()
		_, body, _ = strings.Cut(body, `<div id="live"`)
		_, rows, _ := strings.Cut(body, "<table")
		if strings.Contains(rows, `state is-ready`) || !strings.Contains(body, "Das Mikrofon wurde nicht geprüft.") || !strings.Contains(body, "Teils geprüft") {
			t.Errorf("%s claims that the microphone works, although it was not tested:\n%s", address, body)
		}
	}
	q, _ := g.checked("Berta Unclear", "", "Q9Z-5YN", notBuilt(), passage(), silentServer())
	body := g.get("/participants/" + q.ID).Body.String()
	if strings.Contains(body, "state is-ready") || strings.Count(body, "nicht gemessen") < 5 || !strings.Contains(body, `probe is-unknown`) {
		t.Errorf("unknown is not shown as unknown:\n%s", body)
	}
}

// TestFullCheckStaysBesideTheBackground: a participant with a good full check remains ready
// after a background check of the line alone.
func TestFullCheckStaysBesideTheBackground(t *testing.T) {
	g := newRig(t).login()
	p, full := g.checked("Anna Ready", "", "A1B-2C3", microphone(nil), passage(), voice(0), internet())
	g.pass(time.Hour)
	skipped := report.Result{Name: report.ProbeAudioInput, Status: report.StatusSkipped, Error: "a scheduled check does not open the microphone"}
	later := newReport(t, full.Agent.ID, "B1B-2C3", g.clock(), skipped, passage(), voice(0), internet())
	later.Trigger = report.TriggerSchedule
	g.keep(p, later)
	_, alone := g.checked("Berta Background", "", "C1B-2C3", skipped, passage(), voice(0), internet())
	if full.Verdict != report.Ready || later.Verdict != report.Ready || alone.Verdict != report.Ready {
		t.Fatalf("the verdicts of the samples are %s, %s, %s", full.Verdict, later.Verdict, alone.Verdict)
	}
	w := g.get("/")
	g.want(w, http.StatusOK, "vollständig geprüft")
	if got := plain(w.Body.String()); !strings.Contains(got, "vollständig geprüft vor 1 Stunde : Bereit") {
		t.Errorf("the full check is not shown: got %s; want it to contain %q", got, "vollständig geprüft vor 1 Stunde : Bereit")
	}
	if got, want := names(g.get("/?show=ready").Body.String()), []string{"Anna Ready"}; !slices.Equal(got, want) {
		t.Errorf("got ready %q, want %q", got, want)
	}
}
