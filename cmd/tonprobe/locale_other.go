//go:build !windows && !darwin

package main

import "github.com/tonprobe/tonprobe/probe/diagnose/phrase"

// systemLang returns the language of the locale.
func (p *program) systemLang() phrase.Lang { return phrase.FromLocale(p.getenv) }
