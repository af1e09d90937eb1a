package main

import (
	"os/exec"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// systemLang is the language of macOS. Its terminal sets LANG, a program
// started from the Finder has none.
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
