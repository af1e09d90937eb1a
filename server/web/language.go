package web

import (
	"embed"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/tonprobe/tonprobe/probe/diagnose/phrase"
	"github.com/tonprobe/tonprobe/server/peer"
)

//go:embed texts/*.toml
var textFiles embed.FS

// books contains the texts of the pages by language.
type books map[phrase.Lang]*phrase.Book

func loadBooks() (books, error) {
	root, err := fs.Sub(textFiles, "texts")
	if err != nil {
		return nil, err
	}
	all := books{}
	for _, lang := range phrase.Langs() {
		if all[lang], err = phrase.Load(root, lang); err != nil {
			return nil, err
		}
	}
	return all, nil
}

const langCookie = "tonprobe_lang"

// langOf returns the language that a person has chosen, otherwise the preferred one of the browser.
func langOf(r *http.Request) phrase.Lang {
	if c, err := r.Cookie(langCookie); err == nil {
		if lang, ok := phrase.ParseLang(c.Value); ok {
			return lang
		}
	}
	return preferred(r.Header.Get("Accept-Language"))
}

// preferred parses Accept-Language (RFC 9110 §12.5.4). It returns the first available language of
// the highest quality, otherwise English.
func preferred(accept string) phrase.Lang {
	best, quality := phrase.EN, 0.0
	for part := range strings.SplitSeq(accept[:min(len(accept), 512)], ",") {
		tag, parameter, _ := strings.Cut(part, ";")
		lang, ok := phrase.ParseLang(strings.TrimSpace(tag))
		if !ok {
			continue
		}
		q := 1.0
		if v, given := strings.CutPrefix(strings.TrimSpace(parameter), "q="); given {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				continue
			}
		}
		if q > quality {
			best, quality = lang, q
		}
	}
	return best
}

// chooseLanguage stores the language in a cookie and returns to the page with the form.
func (s *site) chooseLanguage(w http.ResponseWriter, r *http.Request) error {
	if lang, ok := phrase.ParseLang(r.PostForm.Get("lang")); ok {
		http.SetCookie(w, &http.Cookie{Name: langCookie, Value: string(lang), Path: "/", MaxAge: 365 * 24 * 3600,
			HttpOnly: true, Secure: peer.TLS(r), SameSite: http.SameSiteLaxMode})
	}
	http.Redirect(w, r, localAddress(r.PostForm.Get("back")), http.StatusSeeOther)
	return nil
}

// localAddress returns s if it is a path of this site, otherwise "/". An open redirect through the
// login would serve phishing. Browsers treat a backslash as a slash, so that "/\evil.example" is
// another host as well.
func localAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || len(s) > 2048 || u.IsAbs() || u.Host != "" || u.User != nil ||
		!strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n\t") {
		return "/"
	}
	return s
}
