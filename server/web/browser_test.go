package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server"
)

// collector is a complete collector on loopback.
type collector struct {
	*server.Server
	t        *testing.T
	dir      string // of the data
	password string
}

// quietAlerts contains rules whose conditions hold in no test.
const quietAlerts = `
[[rule]]
name = "viele nicht bereit"
when = "many_red"
at_least = 500
hold = "30s"
before = "90m"
to = ["Hilfe", "Telefon der Bereitschaft"]
[[rule]]
name = "Prüf-Server"
when = "collector"
hold = "100h"
to = ["Hilfe"]
[[channel]]
name = "Hilfe"
kind = "email"
host = "127.0.0.1:1"
from = "tonprobe@example.org"
to = ["it@example.org"]
[[channel]]
name = "Telefon der Bereitschaft"
kind = "ntfy"
url = "https://ntfy.example.org/desk"
`

func startCollector(t *testing.T, change ...func(*server.Config)) *collector {
	t.Helper()
	c := &collector{t: t, dir: t.TempDir()}
	alerts := filepath.Join(t.TempDir(), "alerts.toml")
	err := os.WriteFile(alerts, []byte(quietAlerts), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	config := server.Config{DataDir: c.dir, AlertsFile: alerts, Listen: "127.0.0.1:0", STUNListen: "127.0.0.1:0", MediaListen: "127.0.0.1:0",
		BehindProxy:   []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, // plain HTTP
		Contact:       "barrierefrei@stadt.example",
		FirstPassword: func(_, password string) { c.password = password }}
	for _, f := range change {
		f(&config)
	}
	c.Server, err = server.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stop the collector: %v", err)
		}
	})
	return c
}

// agent is an enrolled program.
type agent struct {
	c                      *collector
	ID, Token, Participant string
}

func (c *collector) enrol(name, phone string) agent {
	c.t.Helper()
	p, code, _, err := c.AddParticipant(c.t.Context(), name, phone)
	if err != nil {
		c.t.Fatal(err)
	}
	var got struct {
		AgentID string `json:"agent_id"`
		Token   string `json:"token"`
	}
	c.post("/api/v1/enroll", "", fmt.Appendf(nil, `{"code":%q,"agent":{"version":"1.4.0","os":"windows","arch":"amd64"}}`, code), http.StatusCreated, &got)
	return agent{c: c, ID: got.AgentID, Token: got.Token, Participant: p.ID}
}

func (a agent) send(caseCode string, ago time.Duration, probes ...report.Result) {
	a.c.t.Helper()
	doc, err := newReport(a.c.t, a.ID, caseCode, time.Now().Add(-ago), probes...).Encode()
	if err != nil {
		a.c.t.Fatal(err)
	}
	a.c.post("/api/v1/reports", a.Token, doc, http.StatusAccepted, nil)
}

func (c *collector) post(path, token string, body []byte, want int, into any) {
	c.t.Helper()
	q, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.URL()+path, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != want {
		var b bytes.Buffer
		_, _ = b.ReadFrom(resp.Body)
		c.t.Fatalf("%s: %s %s", path, resp.Status, b.String())
	}
	if into != nil {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			c.t.Fatal(err)
		}
	}
}

// council is a town's council with many problems.
func council(c *collector) (erika agent) {
	erika = c.enrol("Erika Beispiel", "+49 228 5550101")
	erika.send("K7P-3QX", 26*time.Hour, microphone(nil), passage(), voice(0), internet())
	erika.send("M2W-8RT", 3*time.Minute, microphone(muted), passage(), router(), detours(), voice(0), internet(), wifi())
	c.enrol("Bernd Brückner", "+49 (0)228 5550102").send("H4J-9TW", 12*time.Minute, microphone(nil), passage(), voice(9.5), internet())
	c.enrol("Çiğdem Yıldız", "0228 5550103").send("A1B-2C3", time.Minute, microphone(nil), passage(), voice(0), internet())
	c.enrol("Dr. Hans-Joachim von der Heydebrand-Schönefeld", "0228 5550104").send("Q9Z-5YN", 2*time.Hour, notBuilt(), passage(), silentServer(), internet())
	c.enrol("Fatma Öztürk", "").send("V6D-7FK", 40*time.Minute, microphone(nil), passage(), voice(0), internet())
	c.enrol("Gerda Neu", "0228 5550105")
	c.enrol("Lukas Hintergrund", "0228 5550107").send("T8R-1VB", 9*time.Minute, passage(), voice(0), internet())
	c.enrol("Maria Rauschen", "0228 5550108").send("B7C-2DE", 5*time.Minute, microphone(noisy), passage(), voice(9.5), internet())
	if _, _, _, err := c.AddParticipant(c.t.Context(), "Ingo Wartend", "0228 5550106"); err != nil {
		c.t.Fatal(err)
	}
	return erika
}

func TestSupportHelpsACaller(t *testing.T) {
	b := openBrowser(t, "de")
	c := startCollector(t)
	erika := council(c)

	b.do(chromedp.Navigate(c.URL()+"/"), chromedp.WaitVisible(chromedp.CSS("#password")))
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), server.FirstUser), chromedp.SendKeys(chromedp.CSS("#password"), "falsch und lang\r"), chromedp.WaitVisible(chromedp.CSS("#problem")))
	b.expect("422")
	b.shoot("login-de")
	b.do(chromedp.SendKeys(chromedp.CSS("#password"), c.password+"\r"), chromedp.WaitVisible(chromedp.CSS("#q")))

	b.waitFor(`document.querySelectorAll("#live tbody tr").length === 9`)
	if first := b.text("#live tbody tr"); !strings.Contains(first, "Erika Beispiel") || !strings.Contains(first, "stummgeschaltet") {
		t.Errorf("the first row is not the worst: %s", first)
	}
	b.waitFor(`!document.getElementById("pulse").hidden`)
	b.shoot("list-de")
	b.do(b.dark(true))
	b.shoot("list-dark")
	b.do(b.dark(false))

	b.do(chromedp.SendKeys(chromedp.CSS("#q"), "m2w 8rt\r"), chromedp.WaitVisible(chromedp.CSS("#answer")))
	for _, want := range []string{"Erika Beispiel", "stummgeschaltet", "Stummschaltung", "M2W-8RT", "Im System stummgeschaltet", "Übertragung der Sprache",
		"Umweg über den Vermittler, TCP", "nur bekannte Ziele und Ports", "direkt durch den Router, UDP"} {
		if page := b.text("main"); !strings.Contains(page, want) {
			t.Errorf("the page does not contain %q:\n%s", want, page)
		}
	}
	b.shoot("participant-de")
	b.do(b.dark(true))
	b.shoot("participant-dark")
	b.do(b.dark(false))

	b.do(chromedp.Navigate(c.URL() + "/participants/" + erika.Participant))
	b.waitFor(`!document.getElementById("pulse").hidden`)
	b.do(b.run(`window.sameDocument = true`), chromedp.Focus(chromedp.CSS("#history-title ~ table a")))
	erika.send("W3N-6GH", 0, microphone(nil), passage(), voice(0), internet())
	b.waitFor(`document.getElementById("answer").innerText.includes("W3N-6GH")`)
	b.waitFor(`window.sameDocument && document.getElementById("answer").classList.contains("is-ready")`)
	b.waitFor(`document.activeElement.tagName === "A" && document.activeElement.closest(".history")`)
	b.waitFor(`document.getElementById("said").textContent.includes("Erika Beispiel")`)
	b.shoot("participant-ready")
	b.do(chromedp.Navigate(c.URL()+"/?q=b7c2de"), chromedp.WaitVisible(chromedp.CSS("#answer")))
	b.do(b.run(`document.querySelectorAll("details.other").forEach((e) => e.open = true)`))
	b.shoot("participant-several")

	b.do(chromedp.Navigate(c.URL() + "/"))
	b.waitFor(`!document.getElementById("pulse").hidden`)
	b.do(b.run(`window.sameDocument = true`))
	erika.send("W3N-6GJ", 0, microphone(muted), passage(), voice(0), internet())
	b.waitFor(`window.sameDocument && document.querySelector("#live tbody tr").innerText.includes("W3N-6GJ")`)
	b.quiet()
}

// TestAnOpenPageSurvivesItsConnection uses a proxy that closes all connections once, at the
// moment of a change.
func TestAnOpenPageSurvivesItsConnection(t *testing.T) {
	b := openBrowser(t, "de")
	c := startCollector(t)
	erika := council(c)
	target, err := url.Parse(c.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
		r.SetXForwarded()
	}})
	t.Cleanup(proxy.Close)
	b.do(chromedp.Navigate(proxy.URL+"/"), chromedp.WaitVisible(chromedp.CSS("#password")))
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), server.FirstUser), chromedp.SendKeys(chromedp.CSS("#password"), c.password+"\r"), chromedp.WaitVisible(chromedp.CSS("#q")))
	b.waitFor(`!document.getElementById("pulse").hidden`)
	b.do(b.run(`window.sameDocument = true`))
	proxy.CloseClientConnections()
	erika.send("W3N-6GH", 0, microphone(nil), passage(), voice(0), internet())
	b.waitFor(`window.sameDocument && document.getElementById("live").innerText.includes("W3N-6GH")`)
	b.waitFor(`!document.getElementById("pulse").classList.contains("lost")`)
	b.expect("ERR_") // the closed connection itself
	b.quiet()
}

func TestWithoutScripts(t *testing.T) {
	b := openBrowser(t, "de")
	c := startCollector(t)
	council(c)
	b.do(step(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	b.login(c)
	if page := b.text("body"); !strings.Contains(page, "Neu laden") || !strings.Contains(page, "stummgeschaltet") {
		t.Errorf("got page %s; want it to contain %q and %q", page, "Neu laden", "stummgeschaltet")
	}
	b.do(chromedp.SendKeys(chromedp.CSS("#q"), "m2w8rt\r"), chromedp.WaitVisible(chromedp.CSS("#answer")))
	b.quiet()
}

func TestOnAPhoneAndEnlarged(t *testing.T) {
	b := openBrowser(t, "en")
	c := startCollector(t)
	erika := council(c)
	b.do(b.width(360))
	b.login(c)
	for name, address := range map[string]string{
		"list-narrow-en": "/", "participant-narrow-en": "/participants/" + erika.Participant, "admit-narrow-en": "/participants/new",
		"accessibility-narrow-en": "/accessibility", "password-narrow-en": "/password", "account-narrow-en": "/account", "staff-narrow-en": "/staff", "audit-narrow-en": "/audit", "code-narrow-en": "/account/code",
		"numbers-narrow-en": "/numbers?number=4711", "causes-narrow-en": "/causes", "alerts-narrow-en": "/alerts", "cases-narrow-en": "/cases", "number-narrow-en": "/participants/" + erika.Participant + "?number=1007",
		"edit-narrow-en": "/participants/" + erika.Participant + "/edit", "delete-narrow-en": "/participants/" + erika.Participant + "/delete",
		"revoke-narrow-en": "/participants/" + erika.Participant + "/computers/" + erika.ID + "/revoke",
	} {
		for _, px := range []int64{360, 640, 320} { // 640 is 1280 at 200 %, 320 is 1280 at 400 % (WCAG 1.4.10)
			b.do(b.width(px), chromedp.Navigate(c.URL()+address), chromedp.WaitVisible(chromedp.CSS("h1")))
			if over := b.overflow(); over > 0 {
				t.Errorf("%s is %d pixels too wide for %d", address, over, px)
			}
			if small := b.tooSmall(); len(small) > 0 {
				t.Errorf("%s at %d: targets under 24 pixels (WCAG 2.2, 2.5.8): %q", address, px, small)
			}
			if px == 360 {
				b.shoot(name)
			}
		}
	}
	b.do(b.width(1280), chromedp.Navigate(c.URL()+"/"), chromedp.WaitVisible(chromedp.CSS("#q")))
	b.shoot("list-en")
	b.do(chromedp.Navigate(c.URL()+"/participants/"+erika.Participant), chromedp.WaitVisible(chromedp.CSS("#answer")))
	b.shoot("participant-en")
	b.quiet()
}

func TestAdmittingByKeyboardAlone(t *testing.T) {
	b := openBrowser(t, "de")
	c := startCollector(t)
	b.login(c)
	b.do(chromedp.Navigate(c.URL()+"/participants/new"), chromedp.WaitVisible(chromedp.CSS("#name")))
	b.do(chromedp.KeyEvent("Jürgen <script>alert(1)</script>"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("0228 123"), chromedp.KeyEvent("\r"), chromedp.WaitVisible(chromedp.CSS(".bigcode")))
	b.shoot("code-de")
	command := b.text("pre")
	if code := b.text(".bigcode"); len(code) != 14 || command != "tonprobe enroll "+code+" --server "+c.URL() {
		t.Errorf("got code %q, command %q; want 14 characters and the command with them", code, command)
	}
	b.do(chromedp.Navigate(c.URL()+"/?"+url.Values{"q": {"jurgen"}}.Encode()), chromedp.WaitVisible(chromedp.CSS("#q")))
	if row := b.text("#live tbody tr"); !strings.Contains(row, "Jürgen <script>alert(1)</script>") {
		t.Errorf("got row %q; want it to contain %q", row, "Jürgen <script>alert(1)</script>")
	}
	b.quiet()
}

func TestAnOpenPageNoticesTheEndOfItsSession(t *testing.T) {
	b := openBrowser(t, "de")
	c := startCollector(t)
	erika := council(c)
	b.login(c)
	b.waitFor(`!document.getElementById("pulse").hidden`)
	b.do(b.run(`fetch("/logout", {method: "POST"})`))
	erika.send("W3N-6GH", 0, microphone(nil), passage(), voice(0), internet())
	b.do(chromedp.WaitVisible(chromedp.CSS("#password")))
	b.quiet()
}

// TestAnOpenListFollowsRandomEvents compares the list of a page that stays open with
// that of a new one after each of many random events. The open page must not load the
// whole list again.
func TestAnOpenListFollowsRandomEvents(t *testing.T) {
	b := openBrowser(t, "de")
	c := startCollector(t)
	agents := []agent{council(c)}
	b.login(c)
	// The filter for blocked participants appears with the first of them, which reloads
	// the page.
	b.do(b.run(`fetch("/participants/` + c.enrol("Gesperrt", "").Participant + `/block", {method: "POST", body: new URLSearchParams()})`))
	for _, address := range []string{"/", "/?show=problems", "/?sort=name", "/?q=e"} {
		b.do(chromedp.Navigate(c.URL() + address))
		b.waitFor(`!document.getElementById("pulse").hidden`)
		b.do(b.run(`window.whole = 0; window.plain = window.fetch; window.fetch = (a, o) => {
			if (!String(a).includes("/changes")) window.whole++;
			return window.plain(a, o);
		}`))
		random := rand.New(rand.NewPCG(7, uint64(len(address))))
		for n := range 12 {
			switch from := agents[random.IntN(len(agents))]; random.IntN(6) {
			case 4:
				b.do(b.run(`window.plain("/participants/` + from.Participant + `/edit", {method: "POST", body: new URLSearchParams({name: "Neue ` + fmt.Sprint(n, len(address)) + `", phone: "0228 9` + fmt.Sprintf("%03d%03d", n, len(address)) + `"})})`))
			case 5:
				b.do(b.run(`window.plain("/participants/` + from.Participant + `/block", {method: "POST", body: new URLSearchParams()})`))
				agents = slices.DeleteFunc(agents, func(a agent) bool { return a == from }) // cannot send reports any more
				agents = append(agents, c.enrol(fmt.Sprintf("Ersatz %d %s", n, address), ""))
			case 0:
				agents = append(agents, c.enrol(fmt.Sprintf("Person %d %s", n, address), ""))
			case 1:
				from.send(randomCase(random), 0, microphone(nil), passage(), voice(0), internet())
			case 2:
				from.send(randomCase(random), 0, microphone(nil), passage(), voice(9.5), internet())
			default:
				from.send(randomCase(random), 0, microphone(muted), passage(), voice(0), internet())
			}
		}
		// The differences between an open and a new page: the marks of changed rows, and
		// relative times.
		b.do(b.run(`window.same = async () => {
			const text = await (await window.plain(location.href)).text();
			const next = new DOMParser().parseFromString(text, "text/html").getElementById("live");
			const content = (e) => {
				const copy = e.cloneNode(true);
				copy.querySelectorAll("[data-ago]").forEach((a) => a.replaceChildren());
				copy.querySelectorAll("[id]").forEach((r) => r.classList.remove("fresh"));
				return ["tbody", ".filters", "#pages"].map((s) => copy.querySelector(s)?.innerHTML.replace(/\s+/g, " ").replaceAll("> <", "><").replaceAll(' class=""', "").trim());
			};
			const want = content(next), shown = content(document.getElementById("live"));
			window.differs = shown.findIndex((part, i) => part !== want[i]);
			window.where = "";
			if (window.differs >= 0) {
				const a = shown[window.differs], b = want[window.differs];
				let i = 0;
				while (a[i] === b[i]) i++;
				window.where = a.slice(Math.max(0, i - 60), i + 60) + "\n" + b.slice(Math.max(0, i - 60), i + 60);
			}
			return window.differs < 0;
		}`))
		for deadline := time.Now().Add(patience); ; {
			if get(b, chromedp.Evaluate[bool](`window.same()`, chromedp.EvalAwaitPromise)) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: the open list differs from a new one:\n%s", address, get(b, chromedp.Evaluate[string](`window.where`)))
			}
			b.do(chromedp.Sleep(100 * time.Millisecond))
		}
		if whole := get(b, chromedp.Evaluate[int](`window.whole`)); whole > 0 {
			t.Errorf("%s: the page loaded the complete list %d times", address, whole)
		}
	}
	b.quiet()
}

func randomCase(random *rand.Rand) string {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	code := []byte("000-000")
	for _, i := range []int{0, 1, 2, 4, 5, 6} {
		code[i] = letters[random.IntN(len(letters))]
	}
	return string(code)
}
