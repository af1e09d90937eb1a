package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"time"

	"github.com/tonprobe/tonprobe/server/web/browser"
)

//go:embed static/*
var staticFiles embed.FS

// assets contains the static files by name.
type assets map[string]asset

type asset struct {
	content []byte
	version string
	packed  bool // content is compressed with gzip
}

func newAsset(content []byte) asset {
	sum := sha256.Sum256(content)
	return asset{content: content, version: hex.EncodeToString(sum[:8])}
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
		all[f.Name()] = newAsset(content)
	}
	program, ok, err := browser.Load()
	if err != nil {
		return nil, err
	}
	if ok {
		packed := newAsset(program.WASM)
		packed.packed = true
		all[checkProgram], all[browser.RuntimeFile] = packed, newAsset(program.Runtime)
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
	if file.packed {
		// Every browser that runs WebAssembly accepts gzip.
		w.Header().Set("Content-Encoding", "gzip")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(file.content))
}
