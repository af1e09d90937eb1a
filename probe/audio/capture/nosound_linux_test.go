//go:build cgo

package capture

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tonprobe/tonprobe/probe/report"
)

func TestWhyNoSound(t *testing.T) {
	me := os.Getuid()
	const stranger = 1 << 20 // an unused user id, because the files in this test belong to us
	for _, c := range []struct {
		name    string
		files   []string
		uid     int
		session bool
		server  string // PULSE_SERVER
		state   report.CaptureState
		reason  report.NoSoundReason
	}{
		{name: "a server or a container", uid: me, state: report.CaptureNoServer, reason: report.NoSoundNoSystem},
		{name: "a session whose server has died", files: []string{"snd/pcmC0D0c"}, uid: me, session: true},
		{name: "no session, hardware, no server", files: []string{"snd/pcmC0D0c"}, uid: me},
		{name: "only a loudspeaker", files: []string{"snd/pcmC0D0p"}, uid: me, session: true},
		{name: "cron", files: []string{"proc/7/comm=pipewire-pulse"}, uid: me, state: report.CaptureNoSession, reason: report.NoSoundNoLogin},
		{name: "another user", files: []string{"proc/7/comm=pulseaudio"}, uid: stranger, state: report.CaptureNoSession, reason: report.NoSoundOtherUser},
		{name: "another user, processes hidden", files: []string{"run/1000/pulse/native"}, uid: stranger, state: report.CaptureNoSession, reason: report.NoSoundOtherUser},
		{name: "the server that was named is dead", files: []string{"proc/7/comm=pulseaudio"}, uid: me, server: "/dead"},
		{name: "other programs", files: []string{"proc/7/comm=bash", "snd/pcmC0D0c"}, uid: me},
	} {
		dir := t.TempDir()
		for _, file := range c.files {
			name, text := file, ""
			if i := len("proc/7/comm"); len(file) > i && file[i] == '=' {
				name, text = file[:i], file[i+1:]+"\n"
			}
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		env := map[string]string{"PULSE_SERVER": c.server}
		if c.session {
			env["XDG_RUNTIME_DIR"] = dir
		}
		s := surroundings{
			getenv: func(key string) string { return env[key] }, uid: c.uid,
			proc: filepath.Join(dir, "proc"), run: filepath.Join(dir, "run"), snd: filepath.Join(dir, "snd"),
		}
		var state report.CaptureState
		var reason report.NoSoundReason
		if why := s.why(); why != nil {
			state, reason = why.state, why.reason
		}
		if state != c.state || reason != c.reason {
			t.Errorf("%s: %q, %q; want %q, %q", c.name, state, reason, c.state, c.reason)
		}
	}
}
