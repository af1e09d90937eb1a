package main

import (
	"os/exec"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// systemLang returns the language of macOS. Its terminal sets LANG, but programs started
// from the Finder have none.
func (p *program) systemLang() phrase.Lang {
	if p.getenv("LC_ALL") != "" || p.getenv("LC_MESSAGES") != "" || p.getenv("LANG") != "" {
		return phrase.FromLocale(p.getenv)
	}
	out, err := exec.Command("defaults", "read", "-g", "AppleLocale").Output()
	if err != nil {
		return phrase.EN
	}
	if lang, ok := phrase.ParseLang(strings.TrimSpace(string(out))); ok {
		return lang
	}
	return phrase.EN
}
