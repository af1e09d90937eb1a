package main

import (
	"errors"
	"strings"
	"testing"
)

func TestSoundSettings(t *testing.T) {
	for name, c := range map[string]struct {
		goos, desktop, display, there, want string
	}{
		"Windows":               {goos: "windows", want: "rundll32.exe url.dll,FileProtocolHandler ms-settings:sound"},
		"macOS":                 {goos: "darwin", want: "open x-apple.systempreferences:com.apple.preference.sound"},
		"GNOME":                 {goos: "linux", desktop: "ubuntu:GNOME", display: ":0", there: "gnome-control-center pavucontrol", want: "gnome-control-center sound"},
		"KDE with GNOME's":      {goos: "linux", desktop: "KDE", display: ":0", there: "gnome-control-center systemsettings", want: "systemsettings kcm_pulseaudio"},
		"another desktop":       {goos: "linux", desktop: "sway", display: ":0", there: "pavucontrol gnome-control-center", want: "pavucontrol"},
		"nothing installed":     {goos: "linux", desktop: "sway", display: ":0"},
		"no display, as in SSH": {goos: "linux", desktop: "GNOME", there: "gnome-control-center pavucontrol"},
	} {
		t.Run(name, func(t *testing.T) {
			getenv := func(key string) string {
				return map[string]string{"XDG_CURRENT_DESKTOP": c.desktop, "DISPLAY": c.display}[key]
			}
			lookPath := func(program string) (string, error) {
				if strings.Contains(" "+c.there+" ", " "+program+" ") {
					return "/usr/bin/" + program, nil
				}
				return "", errors.New("not found")
			}
			if got := strings.Join(soundSettings(c.goos, getenv, lookPath), " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
