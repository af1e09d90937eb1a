//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// supportDesk is phone support at the dashboard.
type supportDesk struct {
	t           *testing.T
	url         string
	client      *http.Client
	participant string // address of the page
	computer    string // address of the computer
}

// signIn adds a member of staff and opens the page of the only participant.
func (c realCollector) signIn(t *testing.T) *supportDesk {
	t.Helper()
	out, err := exec.Command(c.binary, "user", "add", "Frau Weber", "--role", "lead", "--json", "--data", c.data).Output()
	if err != nil {
		t.Fatal(err)
	}
	var user struct{ Password string }
	if err := json.Unmarshal(out, &user); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &supportDesk{t: t, url: c.url, client: &http.Client{Jar: jar}}
	d.post("/login", url.Values{"name": {"Frau Weber"}, "password": {user.Password}})
	d.participant = regexp.MustCompile(`/participants/[0-9a-f-]{36}`).FindString(d.get("/"))
	d.computer = regexp.MustCompile(`/participants/[0-9a-f-]{36}/computers/[0-9a-f-]{36}`).FindString(d.get(d.participant))
	if d.computer == "" {
		t.Fatal("no computer on the page")
	}
	return d
}

func (d *supportDesk) get(path string) string {
	d.t.Helper()
	resp, err := d.client.Get(d.url + path)
	if err != nil {
		return err.Error() // the collector restarts
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (d *supportDesk) post(path string, form url.Values) {
	d.t.Helper()
	resp, err := d.client.PostForm(d.url+path, form)
	if err != nil {
		d.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %s", path, resp.Status)
	}
}

func (d *supportDesk) request(what string) {
	d.t.Helper()
	d.post(d.computer+"/retest", url.Values{"what": {what}})
}

// wait polls the part of the page that shows the retest.
func (d *supportDesk) wait(part string) string {
	d.t.Helper()
	return eventually(d.t, part, d.retest)
}

// retest returns the HTML of that part.
func (d *supportDesk) retest() string {
	var fragment struct{ HTML string }
	answer := d.get(d.participant + "/retest")
	if err := json.Unmarshal([]byte(answer), &fragment); err != nil {
		return answer
	}
	return fragment.HTML
}

// eventually polls a text until it contains part.
func eventually(t *testing.T, part string, read func() string) string {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		text := read()
		if strings.Contains(text, part) {
			return text
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q does not appear in:\n%s", part, text)
		}
	}
}

// screenOf runs the program in a real terminal.
type screenOf struct {
	t    *testing.T
	name string
}

func (a agent) onScreen(args ...string) screenOf { return a.onScreenWith(nil, args...) }

// onScreen runs a person's program that uses the service.
func (p person) onScreen(args ...string) screenOf {
	return p.onScreenWith([]string{"TONPROBE_SOCKET=" + p.socket}, args...)
}

func (a agent) onScreenWith(variables []string, args ...string) screenOf {
	a.t.Helper()
	need.Program(a.t, "tmux")
	program, err := exec.LookPath("tonprobe")
	if err != nil {
		a.t.Fatal(err)
	}
	s := screenOf{a.t, fmt.Sprintf("tonprobe-request-%d-%s", os.Getpid(), filepath.Base(a.data))}
	line := append([]string{"-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "env",
		"TONPROBE_DATA=" + a.data, "TONPROBE_LANG=en", "PATH=" + os.Getenv("PATH")}, variables...)
	line = append(append(line, program), args...)
	s.tmux(line...)
	a.t.Cleanup(func() { _ = exec.Command("tmux", "-L", s.name, "kill-server").Run() })
	return s
}

func (s screenOf) tmux(args ...string) string {
	s.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-L", s.name}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

func (s screenOf) wait(part string) string {
	s.t.Helper()
	return eventually(s.t, part, func() string { return s.tmux("capture-pane", "-p") })
}

func (s screenOf) press(key string) { s.t.Helper(); s.tmux("send-keys", key) }

// answer answers the question that is shown. Answers in the first second after it has appeared do
// not count.
func (s screenOf) answer(key, question string) {
	s.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); {
		s.press(key)
		for again := time.Now().Add(2 * time.Second); time.Now().Before(again); time.Sleep(50 * time.Millisecond) {
			if !strings.Contains(s.tmux("capture-pane", "-p"), question) {
				return
			}
		}
	}
	s.t.Fatalf("no answer to %q is accepted", question)
}

// freePort returns a port for a collector that starts again at the same address.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestRetests: phone support requests checks from a person whose program is open in a
// terminal.
func TestRetests(t *testing.T) {
	c := startCollector(t)
	at := freePort(t)
	_, kill := serve(t, c.binary, filepath.Join(filepath.Dir(c.data), "again"), io.Discard, "is ready: ", "--behind-proxy", "--listen", at)
	c.data, c.url = filepath.Join(filepath.Dir(c.data), "again"), "http://"+at
	a := agent{t, filepath.Join(t.TempDir(), "data")}
	a.run("enroll", c.invite(t), "--server", c.url)
	d := c.signIn(t)
	d.wait("disabled")

	s := a.onScreen("--no-audio")
	s.wait("Can they hear me?")
	d.wait(">connected<")

	d.request("network")
	s.wait("Phone support (Frau Weber) is asking for a new check.")
	s.answer("n", "is asking for a new check")
	d.wait("The person said no.")
	s.wait("Can they hear me?")

	d.request("network")
	s.wait("Check the line?")
	s.answer("a", "Check the line?")
	s.wait("The microphone stays off.")
	d.wait("Running")
	d.wait("The new check is finished.")
	s.wait("case code")
	if got := a.run("report", "show", "--json"); !strings.Contains(got, `"trigger":"support"`) && !strings.Contains(got, `"trigger": "support"`) {
		t.Errorf("got the report %.400s, want the trigger support", got)
	}
	d.wait("?alone=1")

	// The checks are permanently allowed, so nobody is asked. Then phone support
	// withdraws a request.
	d.request("network")
	running := d.wait("Running")
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(running)
	if id == nil {
		t.Fatalf("no button to cancel:\n%s", running)
	}
	d.post(d.computer+"/retest/cancel", url.Values{"id": {id[1]}})
	s.wait("Phone support has cancelled the new check.")
	d.wait("You have cancelled the check.")

	// The collector is killed during a retest, and starts again.
	d.request("network")
	d.wait("Running")
	kill()
	serve(t, c.binary, c.data, io.Discard, "is ready: ", "--behind-proxy", "--listen", at)
	d.wait(">connected<")
	s.wait("ase code")
	d.request("network")
	eventually(t, "The new check is finished.", func() string {
		if strings.Contains(d.retest(), "Try again in a moment") { // the last report is still being delivered
			d.request("network")
		}
		return d.retest()
	})

	// The token is revoked during a retest.
	d.request("network")
	d.wait("Running")
	d.post(d.computer+"/revoke", nil)
	d.wait(" hidden>") // no computer is left
	s.wait("ase code") // with or without a capital letter: the collector may know the report or not
	s.press("q")
}
