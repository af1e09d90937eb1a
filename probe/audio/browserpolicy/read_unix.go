//go:build !windows

package browserpolicy

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
)

// maxFileBytes limits what is read of one file.
const maxFileBytes = 1 << 20

// Read returns what the policies on this computer say; nil where they are not known. On macOS
// they are in property lists, which are not read.
func Read() []Browser {
	if runtime.GOOS != "linux" {
		return nil
	}
	return readFolders(os.DirFS("/"))
}

// readFolders reads the files of Linux. Chromium merges the files of a folder in the order of
// their names.
func readFolders(root fs.FS) (all []Browser) {
	for _, c := range []struct{ name, folder string }{
		{"Chrome", "etc/opt/chrome/policies/managed"},
		{"Edge", "etc/opt/edge/policies/managed"},
		{"Chromium", "etc/chromium/policies/managed"},
		{"Chromium", "etc/chromium-browser/policies/managed"},
		{"Brave", "etc/brave/policies/managed"},
	} {
		b := Browser{Name: c.name}
		files, _ := fs.Glob(root, path.Join(c.folder, "*.json"))
		slices.Sort(files)
		for _, file := range files {
			if text, err := readFile(root, file); err == nil {
				_ = b.parseChromium(text) // the browser ignores a damaged file too
			}
		}
		all = append(all, b)
	}
	for _, file := range []string{"etc/firefox/policies/policies.json", "usr/lib/firefox/distribution/policies.json", "usr/lib/firefox-esr/distribution/policies.json"} {
		b := Browser{Name: "Firefox"}
		text, err := readFile(root, file)
		if err != nil || b.parseFirefox(text) != nil {
			continue
		}
		all = append(all, b)
		break // the first one counts
	}
	return all
}

func readFile(root fs.FS, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFileBytes {
		return nil, errors.New("the file is too large")
	}
	return text, nil
}
