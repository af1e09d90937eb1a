package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
)

// soundSettings returns the command that opens the system's sound settings; nil if there is
// none. On Linux each desktop has its own, and without a display (such as over SSH) none can
// be shown.
func soundSettings(goos string, getenv func(string) string, lookPath func(string) (string, error)) []string {
	switch goos {
	case "windows":
		// Not through cmd.exe, which would show a window briefly.
		return []string{"rundll32.exe", "url.dll,FileProtocolHandler", "ms-settings:sound"}
	case "darwin":
		return []string{"open", "x-apple.systempreferences:com.apple.preference.sound"}
	}
	if getenv("DISPLAY") == "" && getenv("WAYLAND_DISPLAY") == "" {
		return nil
	}
	desktop := strings.ToUpper(getenv("XDG_CURRENT_DESKTOP"))
	for _, c := range []struct {
		desktops string // desktops that include the program; "" means all
		command  []string
	}{
		{"GNOME UNITY", []string{"gnome-control-center", "sound"}},
		{"X-CINNAMON", []string{"cinnamon-settings", "sound"}},
		{"MATE", []string{"mate-volume-control"}},
		{"KDE", []string{"systemsettings", "kcm_pulseaudio"}},
		{"KDE", []string{"systemsettings5", "kcm_pulseaudio"}},
		{"", []string{"pavucontrol"}},
	} {
		if c.desktops != "" && !sharesWord(c.desktops, desktop) {
			continue
		}
		if _, err := lookPath(c.command[0]); err == nil {
			return c.command
		}
	}
	return nil
}

// sharesWord reports whether one of words is in XDG_CURRENT_DESKTOP, such as ubuntu:GNOME.
func sharesWord(words, list string) bool {
	for name := range strings.SplitSeq(list, ":") {
		for word := range strings.FieldsSeq(words) {
			if name == word {
				return true
			}
		}
	}
	return false
}

// openSoundSettings returns nil if the settings cannot be opened.
func (p *program) openSoundSettings() func(context.Context) error {
	command := soundSettings(runtime.GOOS, p.getenv, exec.LookPath)
	if command == nil {
		return nil
	}
	return func(context.Context) error {
		// Not bound to the context: the window must outlive this program.
		c := exec.Command(command[0], command[1:]...)
		if err := c.Start(); err != nil {
			return fmt.Errorf("open the sound settings: %w", err)
		}
		go func() { _ = c.Wait() }()
		return nil
	}
}
