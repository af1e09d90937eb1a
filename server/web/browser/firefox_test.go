package browser_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// firefox is a window of a Firefox of its own, driven over its protocol Marionette: over TCP,
// each message is its length, ":" and a JSON array.
type firefox struct {
	conn   net.Conn
	read   *bufio.Reader
	number int
}

// startFirefox starts Firefox at a sound server, with more preferences, as JSON.
func startFirefox(t *testing.T, sound string, preferences map[string]string) *firefox {
	t.Helper()
	name := "firefox-esr"
	if _, err := exec.LookPath(name); err != nil {
		name = "firefox" // of Ubuntu
	}
	program := need.Program(t, name)
	profile := t.TempDir()
	all := map[string]string{
		"marionette.port":                            "0", // any free port
		"intl.accept_languages":                      `"de"`,
		"app.normandy.enabled":                       "false",
		"app.update.disabledForTesting":              "true",
		"browser.shell.checkDefaultBrowser":          "false",
		"browser.startup.page":                       "0",
		"datareporting.policy.dataSubmissionEnabled": "false",
		"network.captive-portal-service.enabled":     "false",
		"network.connectivity-service.enabled":       "false",
	}
	maps.Copy(all, preferences)
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&lines, "user_pref(%q, %s);\n", name, all[name])
	}
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "--headless", "--marionette", "--no-remote", "--profile", profile)
	command.Env = append(os.Environ(), "HOME="+profile, "PULSE_SERVER="+sound, "MOZ_CRASHREPORTER_DISABLE=1")
	command.WaitDelay = time.Second
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	f := &firefox{}
	t.Cleanup(func() {
		if f.conn != nil {
			_, err := f.call("Marionette:Quit", map[string]any{"flags": []string{"eForceQuit"}})
			f.conn.Close()
			if err == nil {
				select {
				case <-ended:
					return
				case <-time.After(patience):
				}
			}
		}
		_ = command.Process.Kill()
		<-ended
	})
	port := ""
	waitUntil(t, "Firefox has started", func() bool {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("Firefox ended: %v", err)
		default:
		}
		b, _ := os.ReadFile(filepath.Join(profile, "MarionetteActivePort"))
		port = strings.TrimSpace(string(b))
		return port != ""
	})
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	f.conn, f.read = conn, bufio.NewReader(conn)
	if _, err := f.message(); err != nil { // its greeting
		t.Fatal(err)
	}
	f.must(t, "WebDriver:NewSession", map[string]any{"capabilities": map[string]any{}})
	return f
}

func (f *firefox) message() ([]byte, error) {
	var length int
	if _, err := fmt.Fscanf(f.read, "%d:", &length); err != nil {
		return nil, fmt.Errorf("read the length of a message of Firefox: %w", err)
	}
	b := make([]byte, length)
	if _, err := io.ReadFull(f.read, b); err != nil {
		return nil, fmt.Errorf("read a message of Firefox: %w", err)
	}
	return b, nil
}

// call sends a command and returns its result.
func (f *firefox) call(name string, parameters map[string]any) (json.RawMessage, error) {
	f.number++
	b, err := json.Marshal([]any{0, f.number, name, parameters})
	if err != nil {
		return nil, err
	}
	if err := f.conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(f.conn, "%d:%s", len(b), b); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if b, err = f.message(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var answer [4]json.RawMessage // 1, number, error, result
	if err := json.Unmarshal(b, &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if string(answer[2]) != "null" {
		return nil, errors.New(name + ": " + string(answer[2]))
	}
	var result struct {
		Value *json.RawMessage `json:"value"`
	}
	if json.Unmarshal(answer[3], &result) == nil && result.Value != nil {
		return *result.Value, nil
	}
	return answer[3], nil
}

func (f *firefox) must(t *testing.T, name string, parameters map[string]any) json.RawMessage {
	t.Helper()
	result, err := f.call(name, parameters)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (f *firefox) open(t *testing.T, address string) {
	t.Helper()
	f.must(t, "WebDriver:Navigate", map[string]any{"url": address})
}

func (f *firefox) click(t *testing.T, selector string) {
	t.Helper()
	var found map[string]string
	if err := json.Unmarshal(f.must(t, "WebDriver:FindElement", map[string]any{"using": "css selector", "value": selector}), &found); err != nil {
		t.Fatal(err)
	}
	for _, id := range found { // one entry, whose name is a constant of WebDriver
		f.must(t, "WebDriver:ElementClick", map[string]any{"id": id})
	}
}

func (f *firefox) run(t *testing.T, body string) json.RawMessage {
	t.Helper()
	return f.must(t, "WebDriver:ExecuteScript", map[string]any{"script": body, "args": []any{}, "sandbox": nil})
}

func (f *firefox) size(t *testing.T, width, height int) {
	t.Helper()
	f.must(t, "WebDriver:SetWindowRect", map[string]any{"width": width, "height": height})
}

func (f *firefox) picture(t *testing.T) []byte {
	t.Helper()
	var text string
	if err := json.Unmarshal(f.must(t, "WebDriver:TakeScreenshot", map[string]any{"full": true}), &text); err != nil {
		t.Fatal(err)
	}
	png, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return png
}
