package bundle

import (
	"archive/zip"
	"bytes"
	"fmt"
	"time"
)

// Zip returns the files as a zip archive.
func Zip(files []File, made time.Time) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		to, err := w.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: made.UTC()})
		if err == nil {
			_, err = to.Write(f.Body)
		}
		if err != nil {
			return nil, fmt.Errorf("create the support file: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("create the support file: %w", err)
	}
	return b.Bytes(), nil
}
