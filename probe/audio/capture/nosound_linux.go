//go:build cgo

package capture

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/tonprobe/tonprobe/probe/report"
)

// surroundings contains the places that show why no sound server answers.
type surroundings struct {
	getenv func(string) string
	uid    int
	proc   string // /proc
	run    string // /run/user, which contains the directories of the sessions
	snd    string // /dev/snd
}

func whyNoSound() *startError {
	return surroundings{getenv: os.Getenv, uid: os.Getuid(), proc: "/proc", run: "/run/user", snd: "/dev/snd"}.why()
}

// why returns the reason for which no sound server answers, or nil if the fault is
// the server's own. A program started by sudo, cron or ssh cannot reach the server of
// the desktop session. On a machine without a sound card and without any server, a
// restart would not help.
func (s surroundings) why() *startError {
	if s.getenv("PULSE_SERVER") != "" {
		return nil // a server is configured explicitly and does not answer
	}
	servers := s.servers()
	another := slices.ContainsFunc(servers, func(uid int) bool { return uid != s.uid })
	switch {
	case another && (s.uid == 0 || !s.inSession()):
		return &startError{state: report.CaptureNoSession, text: "the sound system belongs to another user", reason: report.NoSoundOtherUser}
	case len(servers) > 0 && !s.inSession():
		return &startError{state: report.CaptureNoSession, text: "the sound system belongs to another session", reason: report.NoSoundNoLogin}
	case len(servers) == 0 && !hasCaptureHardware(s.snd) && !s.hasPlayback():
		return &startError{state: report.CaptureNoServer, text: "this computer has no sound system", reason: report.NoSoundNoSystem}
	}
	return nil
}

// inSession reports whether the environment belongs to a session of this user.
func (s surroundings) inSession() bool {
	uid, ok := owner(s.getenv("XDG_RUNTIME_DIR"))
	return ok && uid == s.uid
}

func (s surroundings) hasPlayback() bool {
	found, err := filepath.Glob(filepath.Join(s.snd, "pcmC*D*p"))
	return err == nil && len(found) > 0
}

// servers returns the users whose sound servers run, from their processes or, where
// those are hidden, from the sockets of the sessions.
func (s surroundings) servers() []int {
	var uids []int
	names, _ := filepath.Glob(filepath.Join(s.proc, "[0-9]*", "comm"))
	for _, name := range names {
		comm, err := os.ReadFile(name)
		if err != nil || !slices.Contains([]string{"pulseaudio", "pipewire-pulse", "pipewire"}, strings.TrimSpace(string(comm))) {
			continue
		}
		if uid, ok := owner(filepath.Dir(name)); ok {
			uids = append(uids, uid)
		}
	}
	sockets, _ := filepath.Glob(filepath.Join(s.run, "*", "pulse", "native"))
	for _, socket := range sockets {
		if uid, ok := owner(socket); ok {
			uids = append(uids, uid)
		}
	}
	return uids
}

func owner(path string) (uid int, ok bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
