package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/probe/report"
	"github.com/tonprobe/tonprobe/server/auth"
	"github.com/tonprobe/tonprobe/server/store"
)

//go:embed templates/*.html
var templateFiles embed.FS

const (
	frameFile = "templates/frame.html"
	partsFile = "templates/parts.html" // what several pages contain
)

// pages contains the templates by language and name, each combined with the frame.
type pages map[phrase.Lang]map[string]*template.Template

func loadPages(all books) (pages, error) {
	files, err := templateFiles.ReadDir("templates")
	if err != nil {
		return nil, err
	}
	// Parsing is slow. Each file is parsed once, and each language sets its own function t.
	// Must: Clone fails only after an execution.
	untranslated := func(string, ...any) string { return "" }
	shared, err := template.New(path.Base(frameFile)).Funcs(template.FuncMap{"t": untranslated, "shape": shape}).
		ParseFS(templateFiles, frameFile, partsFile)
	if err != nil {
		return nil, fmt.Errorf("shared templates: %w", err)
	}
	p := pages{}
	for lang := range all {
		p[lang] = map[string]*template.Template{}
	}
	for _, f := range files {
		file := path.Join("templates", f.Name())
		if file == frameFile || file == partsFile {
			continue
		}
		parsed, err := template.Must(shared.Clone()).ParseFS(templateFiles, file)
		if err != nil {
			return nil, fmt.Errorf("template %s: %w", file, err)
		}
		for lang, book := range all {
			p[lang][strings.TrimSuffix(f.Name(), ".html")] = template.Must(parsed.Clone()).Funcs(template.FuncMap{"t": book.T})
		}
	}
	return p, nil
}

// shape returns the name of the shape in the template "shapes" for a state.
func shape(kind string) string {
	switch kind {
	case string(report.Ready), string(report.Limited), string(report.NotReady), "info", statePartial, stateOld, stateNone:
		return kind
	case "ok":
		return string(report.Ready)
	case "warn":
		return string(report.Limited)
	case "fail":
		return string(report.NotReady)
	case "skipped":
		return stateNone
	}
	return string(report.Unknown)
}

// page is the input of a template.
type page struct {
	Status int    // 0 is 200
	Name   string // of the template
	Body   any
	// Stream is the address of the event stream of this page; "" for none.
	Stream string
	// Search is the content of the search field.
	Search string
	// Path is the address of this page, if it is not that of the request: the answer to a form
	// has none of its own. "" for the list.
	Path string

	// The remaining fields are set by show.
	Lang   phrase.Lang
	Langs  []phrase.Lang
	Staff  string // "" if nobody is signed in
	Role   store.Role
	Assets assets
	Ages   string // texts of relative times, JSON
}

// May reports whether the person who reads the page has a right.
func (p page) May(right auth.Right) bool { return auth.May(p.Role, right) }

// show writes a page, completely or not at all.
func (s *site) show(w http.ResponseWriter, r *http.Request, p page) {
	p.Lang, p.Langs, p.Assets = langOf(r), phrase.Langs(), s.assets
	member := auth.MemberOf(r.Context())
	p.Staff, p.Role = member.Name, member.Role
	switch {
	case r.Method == http.MethodGet:
		p.Path = r.URL.RequestURI()
	case p.Path == "":
		p.Path = "/"
	}
	if p.Stream != "" {
		p.Ages = ages(s.books[p.Lang])
	}
	var b bytes.Buffer
	if err := s.pages[p.Lang][p.Name].Execute(&b, p); err != nil {
		s.Log.ErrorContext(r.Context(), "template failed", "template", p.Name, "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", string(p.Lang))
	w.WriteHeader(max(p.Status, http.StatusOK))
	_, _ = b.WriteTo(w) // the client may have gone
}
