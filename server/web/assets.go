package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"time"
)

//go:embed static/*
var staticFiles embed.FS

// assets contains the static files by name.
type assets map[string]asset

type asset struct {
	content []byte
	version string
}

func loadAssets() (assets, error) {
	files, err := staticFiles.ReadDir("static")
	if err != nil {
		return nil, err
	}
	all := assets{}
	for _, f := range files {
		content, err := staticFiles.ReadFile(path.Join("static", f.Name()))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		all[f.Name()] = asset{content: content, version: hex.EncodeToString(sum[:8])}
	}
	return all, nil
}

// Address returns the URL of a file. It changes with the content, so that browsers may cache the
// file for ever.
func (a assets) Address(name string) string {
	return "/static/" + name + "?v=" + a[name].version
}

// ServeHTTP serves a file.
func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	file, ok := a[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	keep := "no-cache"
	if r.URL.Query().Get("v") == file.version {
		keep = "public, max-age=31536000, immutable"
	}
	w.Header().Set("Cache-Control", keep)
	w.Header().Set("ETag", `"`+file.version+`"`)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file.content))
}
