//go:build unix

package tui

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

// terminal is a real terminal: the test binary inside tmux.
type terminal struct {
	t    *testing.T
	tmux string
	name string
}

func openTerminal(t *testing.T, width, height int, env ...string) *terminal {
	t.Helper()
	tmux := need.Program(t, "tmux")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t, tmux, fmt.Sprintf("tonprobe-test-%d-%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))}
	args := []string{"-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "env", roleVar + "=play"}
	args = append(args, env...)
	// The shell continues after the program, so that its last output can be read.
	args = append(args, "sh", "-c", `"$0" -test.run=-; echo "ended $?"; exec sleep 600`, self)
	term.run(args...)
	t.Cleanup(func() { _ = exec.Command(tmux, "-L", term.name, "kill-server").Run() })
	return term
}

func (term *terminal) run(args ...string) string {
	term.t.Helper()
	out, err := exec.Command(term.tmux, append([]string{"-L", term.name}, args...)...).CombinedOutput()
	if err != nil {
		term.t.Fatalf("tmux %q: %v: %s", args, err, out)
	}
	return string(out)
}

func (term *terminal) press(keys ...string) { term.run(append([]string{"send-keys"}, keys...)...) }

func (term *terminal) screen() string { return term.run("capture-pane", "-p") }

// wait polls until the screen contains text, and saves the screen as name.
func (term *terminal) wait(name, text string) string {
	term.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		screen := term.screen()
		if strings.Contains(screen, text) {
			term.keep(name)
			return screen
		}
		if time.Now().After(deadline) {
			term.t.Fatalf("%q does not appear:\n%s", text, screen)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// keep saves the screen with its colours as an artefact.
func (term *terminal) keep(name string) {
	dir := os.Getenv("TONPROBE_ARTIFACTS")
	if dir == "" {
		return
	}
	dir = filepath.Join(dir, "tui")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		term.t.Fatal(err)
	}
	for suffix, args := range map[string][]string{".txt": {"capture-pane", "-p"}, ".ansi": {"capture-pane", "-p", "-e"}} {
		if err := os.WriteFile(filepath.Join(dir, name+suffix), []byte(term.run(args...)), 0o644); err != nil {
			term.t.Fatal(err)
		}
	}
}

func TestInARealTerminal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seen")
	seen := func() {
		t.Helper()
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	term := openTerminal(t, 80, 24, "LC_ALL=de_DE.UTF-8", seenVar+"="+file)
	term.wait("welcome", "Hört man mich?")
	term.press("Enter")
	term.wait("devices", "Welches Mikrofon")
	term.press("Up", "Enter")
	term.wait("checking", "Gut so. Bitte weiterlesen.")
	seen()
	term.wait("muted", "Ihr Mikrofon ist im Computer stummgeschaltet.")
	term.run("resize-window", "-x", "120", "-y", "40")
	term.wait("muted_wide", "██████")
	term.run("resize-window", "-x", "60", "-y", "20")
	term.press("d")
	term.wait("details", "Kennung für die Telefon-Hilfe: audio.os_muted")
	term.press("d", "r")
	term.wait("repeat", "Am Marktplatz blühen die Linden,")
	seen()
	term.wait("again", "[r] noch einmal")
	term.press("q")
	end := term.wait("end", "ended 0")
	for _, line := range []string{"Ihr Fall-Code ist K7P-3QX", "verdict not_ready", "error <nil>"} {
		if !strings.Contains(strings.Join(strings.Fields(end), " "), line) {
			t.Errorf("%q is missing after the end:\n%s", line, end)
		}
	}
}

func TestQuitInTheMiddleOfACheck(t *testing.T) {
	term := openTerminal(t, 80, 24, "LC_ALL=en_US.UTF-8", "NO_COLOR=1", seenVar+"="+filepath.Join(t.TempDir(), "seen"))
	term.wait("welcome_en", "Can they hear me?")
	term.press("Enter", "Enter")
	term.wait("checking_no_color", "seconds left")
	term.press("C-c")
	if end := term.wait("quit", "ended 0"); !strings.Contains(end, "error "+ErrQuit.Error()) {
		t.Errorf("got\n%s\nwant the error %v", end, ErrQuit)
	}
}

func TestDumbTerminalIsPlain(t *testing.T) {
	term := openTerminal(t, 200, 50, "LC_ALL=de_DE.UTF-8", "TERM=dumb")
	term.wait("dumb_consent", "Die Eingabetaste beginnt")
	term.press("Enter")
	term.wait("dumb_choice", "2: Jabra Evolve2 65")
	term.press("Enter")
	term.wait("dumb_record", "Die Eingabetaste startet die Aufnahme")
	term.press("Enter")
	term.wait("dumb_offers", "Die Eingabetaste allein beendet")
	term.press("Enter")
	end := term.wait("dumb_end", "ended 0")
	if !strings.Contains(end, "verdict limited") {
		t.Errorf("got\n%s\nwant %q", end, "verdict limited")
	}
}

// TestStartDoesNotQueryTheTerminal tests package quietstart: if the terminal does
// not answer, the start must not wait for its background colour.
func TestStartDoesNotQueryTheTerminal(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleVar+"=nothing", "TERM=xterm-256color")
	f, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	said, _ := io.ReadAll(f) // Linux ends it with EIO when the program has exited
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(said)); got != "version" {
		t.Errorf("got %q on the terminal, want %q", got, "version")
	}
}
