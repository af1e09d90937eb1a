package web_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
	"github.com/tonprobe/tonprobe/server"
)

func TestMain(m *testing.M) {
	status := m.Run()
	shared.stop()
	os.Exit(status)
}

// shared is the only Chromium of this package, because it takes longer to start than most tests to run.
var shared chromium

type chromium struct {
	mu    sync.Mutex
	ctx   context.Context
	close func()
}

// start starts Chromium for the first test that needs it.
func (c *chromium) start(t *testing.T, program string) context.Context {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx != nil {
		return c.ctx
	}
	c.ctx, c.close = launch(t, program)
	return c.ctx
}

// launch starts a Chromium. close ends it.
func launch(t *testing.T, program string, more ...chromedp.ExecAllocatorOption) (ctx context.Context, closeAll func()) {
	t.Helper()
	profile, err := os.MkdirTemp("", "tonprobe-chromium-") // outlives the test
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.UserDataDir(profile),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("lang", "de"), chromedp.Flag("hide-scrollbars", true))
	options = append(options, more...)
	allocated, free := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeWindow := chromedp.NewContext(allocated)
	closeAll = func() { closeWindow(); free(); _ = os.RemoveAll(profile) }
	if err := chromedp.Do(ctx); err != nil {
		closeAll()
		t.Fatalf("start Chromium: %v", err)
	}
	return ctx, closeAll
}

func (c *chromium) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx != nil {
		c.close()
	}
}

// browser is a tab of Chromium that records every error in its console.
type browser struct {
	t   *testing.T
	ctx context.Context
	dir string // of the screenshots

	started bool

	mu         sync.Mutex
	complaints []string
}

// openBrowser opens a tab with its own cookies and storage, as in a browser that was
// started for this test alone.
func openBrowser(t *testing.T, accept string) *browser {
	t.Helper()
	return openTab(t, accept, shared.start(t, need.Program(t, "chromium")))
}

// openTab is openBrowser in a certain Chromium.
func openTab(t *testing.T, accept string, in context.Context) *browser {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(in, chromedp.WithNewBrowserContext())
	t.Cleanup(closeTab)
	// Before the other clean-ups: a server waits for its streams to end.
	context.AfterFunc(t.Context(), closeTab)
	b := &browser{t: t, ctx: ctx, dir: os.Getenv("TONPROBE_ARTIFACTS")}
	if b.dir == "" {
		b.dir = t.TempDir()
	}
	b.do(b.width(1280))
	if err := chromedp.Listen(ctx, b.record); err != nil {
		t.Fatal(err)
	}
	b.do(step(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}),
		step(log.Enable, cdp.Empty{}), step(runtime.Enable, cdp.Empty{}), step(network.Enable, network.EnableParams{}),
		step(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": accept}}))
	return b
}

// step is a command of the DevTools protocol as an action.
func step[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

// record keeps errors and warnings of Chromium's console: errors of scripts, and everything that the
// content security policy has refused.
func (b *browser) record(event any) {
	text := ""
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			text = e.Entry.Text + " " + e.Entry.URL
		}
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Text + " " + e.ExceptionDetails.URL
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			text = fmt.Sprint("console: ", e.Type)
		}
	}
	if text != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.complaints = append(b.complaints, text)
	}
}

// expect removes the recorded errors that the test expects, such as a 422.
func (b *browser) expect(part string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var left []string
	for _, c := range b.complaints {
		if !strings.Contains(c, part) {
			left = append(left, c)
		}
	}
	b.complaints = left
}

func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Errorf("the browser reported: %s", c)
	}
}

// patience limits the wait for a condition of a page.
const patience = time.Minute

// do runs the steps, or fails the test with the text of the page.
func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	_ = get(b, chromedp.Steps(steps...))
}

// get is do for an action with a result.
func get[T any](b *browser, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx := b.ctx
	if b.started {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	b.started = true // the first context lives as long as the tab
	result, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatalf("%v\npage: %s", err, b.body())
	}
	return result
}

func (b *browser) body() string {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.location + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// waitFor polls a condition of the page. It does not use chromedp.Poll, which creates a
// function from text, because the content security policy refuses that.
func (b *browser) waitFor(js string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+js+")"))
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("timeout: %s (%v)\npage: %s", js, err, b.body())
		}
		b.do(chromedp.Sleep(30 * time.Millisecond))
	}
}

func (b *browser) text(selector string) string {
	b.t.Helper()
	return get(b, chromedp.Text(chromedp.CSS(selector)))
}

func (b *browser) shoot(name string) {
	b.t.Helper()
	png := get(b, chromedp.FullScreenshot(100))
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "dashboard-"+name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) dark(on bool) chromedp.Action[chromedp.Void] {
	value := "light"
	if on {
		value = "dark"
	}
	return step(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}}})
}

func (b *browser) width(px int64) chromedp.Action[chromedp.Void] {
	return chromedp.EmulateViewport(px, 900)
}

// overflow returns by how many pixels the page is wider than the window.
func (b *browser) overflow() int {
	b.t.Helper()
	return get(b, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
}

func (b *browser) run(js string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](js, chromedp.EvalAwaitPromise)
}

func (b *browser) login(c *collector) {
	b.t.Helper()
	b.do(chromedp.Navigate(c.URL()+"/"), chromedp.WaitVisible(chromedp.CSS("#password")))
	b.do(chromedp.SendKeys(chromedp.CSS("#name"), server.FirstUser), chromedp.SendKeys(chromedp.CSS("#password"), c.password+"\r"), chromedp.WaitVisible(chromedp.CSS("#q")))
}

// tooSmall returns the visible links and buttons that are smaller than 24 by 24 pixels,
// except links inside a sentence, which WCAG 2.2 exempts (2.5.8).
func (b *browser) tooSmall() []string {
	b.t.Helper()
	return get(b, chromedp.Evaluate[[]string](`[...document.querySelectorAll("a, button, summary, input:not([type=hidden])")].filter((e) => {
		if (e.closest(".hidden, .skip, p, td, th, dd")) return false;
		const r = e.getBoundingClientRect();
		return r.width > 0 && (r.width < 24 || r.height < 24);
	}).map((e) => e.outerHTML.slice(0, 80))`))
}
