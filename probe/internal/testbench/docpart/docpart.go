// Package docpart writes measured tables into the published documents.
package docpart

import (
	"bytes"
	"fmt"
	"os"
)

// Replace replaces the part of a document between its two marker lines,
// "<!-- part: begin -->" and "<!-- part: end -->".
func Replace(file, part, tables string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("write the tables: %w", err)
	}
	begin, end := []byte("<!-- "+part+": begin -->\n"), []byte("<!-- "+part+": end -->\n")
	before, rest, begins := bytes.Cut(b, begin)
	_, after, ends := bytes.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("write the tables: %s has no section %q", file, part)
	}
	whole := bytes.Join([][]byte{before, begin, []byte(tables), end, after}, nil)
	if err := os.WriteFile(file, whole, 0o644); err != nil {
		return fmt.Errorf("write the tables: %w", err)
	}
	return nil
}
