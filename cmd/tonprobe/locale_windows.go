package main

import (
	"syscall"
	"unsafe"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

// systemLang returns the language of Windows, which sets no LANG. If a person or an
// organisation has set LANG, it takes precedence.
func (p *program) systemLang() phrase.Lang {
	if p.getenv("LC_ALL") != "" || p.getenv("LANG") != "" {
		return phrase.FromLocale(p.getenv)
	}
	const localeNameMaxLength = 85
	var name [localeNameMaxLength]uint16
	get := syscall.NewLazyDLL("kernel32.dll").NewProc("GetUserDefaultLocaleName")
	if n, _, _ := get.Call(uintptr(unsafe.Pointer(&name[0])), localeNameMaxLength); n == 0 {
		return phrase.EN
	}
	if lang, ok := phrase.ParseLang(syscall.UTF16ToString(name[:])); ok {
		return lang
	}
	return phrase.EN
}
