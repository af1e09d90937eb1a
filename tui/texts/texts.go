// Package texts holds what the check says to a person, in German and English.
// The texts of causes and verdicts are not here: they belong to package
// diagnose.
package texts

import (
	"embed"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

//go:embed *.toml
var files embed.FS

// Load reads the texts of one language.
func Load(lang phrase.Lang) (*phrase.Book, error) { return phrase.Load(files, lang) }
