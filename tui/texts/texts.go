// Package texts contains the texts of the check in German and English. The texts of causes
// and verdicts belong to package diagnose.
package texts

import (
	"embed"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

//go:embed *.toml
var files embed.FS

// Load reads the texts of one language.
func Load(lang phrase.Lang) (*phrase.Book, error) { return phrase.Load(files, lang) }
