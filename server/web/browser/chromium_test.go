package browser_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// chromium is a tab of a Chromium of its own.
type chromium struct{ ctx context.Context }

// startChromium starts Chromium. Its microphone plays a file, if its pages are permitted to use it.
func startChromium(t *testing.T, file string, permitted bool, complain func(string)) chromium {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(need.Program(t, "chromium")), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("lang", "de"), chromedp.Flag("accept-lang", "de"), chromedp.Flag("hide-scrollbars", true), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-audio-capture", file))
	if permitted {
		options = append(options, chromedp.Flag("use-fake-ui-for-media-stream", true))
	}
	allocated, free := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocated)
	closeAll := func() { closeTab(); free() }
	t.Cleanup(closeAll)
	// Before the other clean-ups: the collector waits for the requests of the page to end.
	context.AfterFunc(t.Context(), closeAll)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *log.EventEntryAdded:
			if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
				complain(e.Entry.Text + " " + e.Entry.URL)
			}
		case *runtime.EventExceptionThrown:
			complain(e.ExceptionDetails.Text + " " + e.ExceptionDetails.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	c := chromium{ctx}
	c.do(t, step(log.Enable, cdp.Empty{}), step(runtime.Enable, cdp.Empty{}))
	return c
}

// step is a command of the DevTools protocol as an action.
func step[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

func (c chromium) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if _, err := chromedp.Run(c.ctx, chromedp.Steps(steps...)); err != nil {
		t.Fatal(err)
	}
}

func (c chromium) open(t *testing.T, address string) { t.Helper(); c.do(t, chromedp.Navigate(address)) }

func (c chromium) click(t *testing.T, selector string) {
	t.Helper()
	c.do(t, chromedp.Click(chromedp.CSS(selector)))
}

func (c chromium) run(t *testing.T, body string) json.RawMessage {
	t.Helper()
	text, err := chromedp.Run(c.ctx, chromedp.Evaluate[string](`JSON.stringify((() => { `+body+` })() ?? null)`))
	if err != nil {
		t.Fatal(err)
	}
	return json.RawMessage(text)
}

func (c chromium) size(t *testing.T, width, height int) {
	t.Helper()
	c.do(t, chromedp.EmulateViewport(int64(width), int64(height)))
}

func (c chromium) picture(t *testing.T) []byte {
	t.Helper()
	png, err := chromedp.Run(c.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	return png
}
