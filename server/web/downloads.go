package web

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/tonprobe/tonprobe/server/store"
)

// maxDownloads is the maximum number of files that the page shows.
const maxDownloads = 50

// download is an installer that the administrator has placed in the folder.
type download struct {
	Name, Address string
	System        string // windows, macos or linux
	MB            float64
	// Own means that the file is for the system of the browser.
	Own bool
}

// systemOfFile returns the system that a file is for, by the ending of its name; "" for a file that
// is no installer of the program, which is neither shown nor sent. The folder may contain a whole
// release, and nobody needs the collector to set up a computer.
func systemOfFile(name string) string {
	if strings.HasPrefix(strings.ToLower(name), "tonprobe-collector") {
		return ""
	}
	for system, endings := range map[string][]string{
		"windows": {".msi", ".exe", ".zip"},
		"macos":   {".pkg", ".dmg"},
		"linux":   {".deb", ".rpm", ".tar.gz"},
	} {
		if slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(strings.ToLower(name), ending) }) {
			return system
		}
	}
	return ""
}

// needs counts what a person needs to use a file, so that the page shows the easiest first: nothing
// for the package for one person, an administrator for the others, and for an archive a way to
// start programs that registers no links.
func needs(name string) int {
	name = strings.ToLower(name)
	switch {
	case strings.HasSuffix(name, ".zip"), strings.HasSuffix(name, ".tar.gz"):
		return 2
	case strings.HasPrefix(name, "tonprobe-user"):
		return 0
	}
	return 1
}

// systemOfBrowser returns the system that a browser states; "" for a tablet, a telephone or an
// unknown one.
func systemOfBrowser(agent string) string {
	for _, s := range []struct{ part, system string }{
		{"iPhone", ""}, {"iPad", ""}, {"Android", ""}, {"Windows", "windows"}, {"Macintosh", "macos"}, {"Linux", "linux"},
	} {
		if strings.Contains(agent, s.part) {
			return s.system
		}
	}
	return ""
}

// downloads lists the installers, those for the system of the browser first.
func (s *site) downloads(r *http.Request) ([]download, error) {
	root, err := os.OpenRoot(s.Downloads)
	if s.Downloads == "" || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the folder of downloads: %w", err)
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("read the folder of downloads: %w", err)
	}
	own := systemOfBrowser(r.UserAgent())
	var all []download
	for _, e := range entries {
		system := systemOfFile(e.Name())
		info, err := root.Stat(e.Name())
		if system == "" || err != nil || !info.Mode().IsRegular() {
			continue
		}
		all = append(all, download{
			Name: e.Name(), Address: downloadsAddress + url.PathEscape(e.Name()), System: system,
			MB: float64(info.Size()) / 1e6, Own: system == own,
		})
	}
	slices.SortStableFunc(all, func(a, b download) int {
		if a.Own != b.Own {
			if a.Own {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.System, b.System), cmp.Compare(needs(a.Name), needs(b.Name)))
	})
	return all[:min(len(all), maxDownloads)], nil
}

const downloadsAddress = "/download/"

// download sends an installer.
func (s *site) download(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	if s.Downloads == "" || systemOfFile(name) == "" || path.Base(name) != name {
		return store.ErrNotFound
	}
	root, err := os.OpenRoot(s.Downloads)
	if errors.Is(err, fs.ErrNotExist) {
		return store.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("open the folder of downloads: %w", err)
	}
	defer root.Close()
	// Before it is opened: opening a named pipe would wait for a writer.
	info, err := root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return store.ErrNotFound
	}
	f, err := root.Open(name)
	if err != nil {
		return store.ErrNotFound
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, name, info.ModTime(), f)
	return nil
}
