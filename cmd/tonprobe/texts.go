package main

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
)

//go:embed texts/*.toml
var textFiles embed.FS

func loadTexts(lang phrase.Lang) (*phrase.Book, error) {
	root, err := fs.Sub(textFiles, "texts")
	if err != nil {
		return nil, fmt.Errorf("open texts: %w", err)
	}
	return phrase.Load(root, lang)
}
