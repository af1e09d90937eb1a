package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"path"
	"strings"
	"time"
)

// entry is a file of an archive or, with a slash at the end of its name, a folder.
type entry struct {
	name    string // without a slash at the beginning
	mode    int64
	owner   int // user and group
	content []byte
}

// archive returns entries as a tar archive, with the folders that contain them.
func archive(entries []entry, at time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	written := map[string]bool{"./": true}
	for _, e := range entries {
		var parents []entry
		for dir := path.Dir(strings.TrimSuffix(e.name, "/")) + "/"; !written[dir]; dir = path.Dir(strings.TrimSuffix(dir, "/")) + "/" {
			written[dir] = true
			parents = append([]entry{{name: dir, mode: 0o755}}, parents...)
		}
		if written[e.name] {
			return nil, fmt.Errorf("%s occurs twice", e.name)
		}
		written[e.name] = true
		for _, e := range append(parents, e) {
			h := &tar.Header{
				Typeflag: tar.TypeReg, Name: e.name, Mode: e.mode, Size: int64(len(e.content)), ModTime: at,
				Uid: e.owner, Gid: e.owner, Format: tar.FormatUSTAR,
			}
			if strings.HasSuffix(e.name, "/") {
				h.Typeflag = tar.TypeDir
			}
			if err := w.WriteHeader(h); err != nil {
				return nil, err
			}
			if _, err := w.Write(e.content); err != nil {
				return nil, err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func compress(content []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
