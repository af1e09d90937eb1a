package spool

import (
	"errors"
	"io/fs"
	"testing"
	"time"
)

// foreign is a folder in which another program has written.
type foreign struct {
	FS
	name    string
	content []byte
}

func (f foreign) ReadDir(string) ([]File, error) {
	return []File{{Name: f.name, Bytes: int64(len(f.content))}, {Name: "0192f000-0000-7000-8000-000000000000.00000000.json"}}, nil
}

func (f foreign) ReadFile(name string) ([]byte, error) {
	if name == f.name || name == dropsFile || name == triesFile {
		return f.content, nil
	}
	return nil, fs.ErrNotExist
}

// FuzzForeignFiles reads a spool with arbitrary names and contents: a report is returned only
// if its content is what its name says.
func FuzzForeignFiles(f *testing.F) {
	doc := []byte(`{"a":1}`)
	f.Add(fileName("0192f000-0000-7000-8000-000000000001", doc), doc)
	f.Add("../x.json", []byte(`{"earlier":{"lost":3}}`+"\n"+`{"id":"x","kind":"lost"}`+"\n{"))
	f.Add("0192f000-0000-7000-8000-000000000001.zzzzzzzz.json", []byte(`{"accepted":-1,"batch_limit":-5,"reports":{"x":{"strikes":9}}}`))
	f.Add("", []byte("{\"earlier\":null}\n\x00\xff"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		s := &Spool{fs: foreign{name: name, content: content}, now: time.Now}
		entries, err := s.All()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !patternID.MatchString(e.ID) {
				t.Errorf("%q has the id %q", name, e.ID)
			}
			got, err := s.Read(e)
			_, damaged := errors.AsType[*CorruptError](err)
			if err == nil && checksum(got) != e.crc || err != nil && !damaged && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q: got %q, error %v; want content with the checksum in the name, *CorruptError or fs.ErrNotExist", name, got, err)
			}
		}
		if _, _, err := s.Drops(); err != nil {
			t.Errorf("drops %q: %v", content, err)
		}
		if _, err := s.Tries(); err != nil {
			t.Errorf("tries %q: %v", content, err)
		}
	})
}
