package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// TestWindowStaysOpenOnce checks that a window which closes with the program needs the Enter key
// exactly once after the last sentence, whatever ended the program.
func TestWindowStaysOpenOnce(t *testing.T) {
	const start, end, hold = "start the check", "Press only Enter to end", "Press Enter to close."
	check := []string{"check", "--plain", "--no-audio", "--no-upload", "--only", "host.load"}
	for name, c := range map[string]struct {
		args  []string
		typed []string // the text to wait for and the answer, in turn
	}{
		"a check":            {check, []string{start, "\n", end, "\n"}},
		"a check again":      {check, []string{start, "\n", end, "r\n", end, "\n"}},
		"without questions":  {append(check, "--yes"), []string{hold, "\n"}},
		"no consent":         {check, []string{start, "n\n", hold, "\n"}},
		"a wrong command":    {[]string{"chekc"}, []string{hold, "\n"}},
		"a link that is bad": {[]string{"open", "tonprobe://enroll?x"}, []string{hold, "\n"}},
		"interrupted":        {check, []string{start, "\x03"}},
		// Installers and service managers wait for these, possibly in a window without a person.
		"an enrolment that fails": {[]string{"enroll", "wrong"}, nil},
		"the service":             {[]string{"service", "dance"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command("tonprobe", c.args...)
			cmd.Env = append(os.Environ(), "TONPROBE_WINDOW=1", "TONPROBE_LANG=en", "TERM=xterm",
				"TONPROBE_DATA="+filepath.Join(t.TempDir(), "data"))
			terminal, err := pty.Start(cmd)
			if err != nil {
				t.Fatal(err)
			}
			defer terminal.Close()
			var all strings.Builder
			buf := make([]byte, 4096)
			from := 0
			for i := 0; i < len(c.typed); i += 2 {
				for !strings.Contains(all.String()[from:], c.typed[i]) {
					n, err := terminal.Read(buf)
					all.Write(buf[:n])
					if err != nil {
						t.Fatalf("the program ended before %q: %v\n%s", c.typed[i], err, all.String())
					}
				}
				from = all.Len()
				if _, err := io.WriteString(terminal, c.typed[i+1]); err != nil {
					t.Fatal(err)
				}
			}
			for { // Linux ends it with EIO when the program has exited
				n, err := terminal.Read(buf)
				all.Write(buf[:n])
				if strings.Contains(all.String()[from:], hold) {
					t.Errorf("the window asks for the Enter key again:\n%s", all.String())
					_ = cmd.Process.Kill()
				}
				if err != nil {
					break
				}
			}
			_ = cmd.Wait()
			if !strings.HasPrefix(all.String(), "\x1b]0;Tonprobe\a") {
				t.Errorf("the window has another title than Tonprobe:\n%q", all.String())
			}
			if strings.Contains(all.String(), "tonprobe help") {
				t.Errorf("the window advises a command:\n%s", all.String())
			}
		})
	}
}
