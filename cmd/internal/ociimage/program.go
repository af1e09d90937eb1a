package main

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"fmt"
	"os"
	"slices"
	"time"
)

// program is a program for Linux that needs no libraries.
type program struct {
	content []byte
	arch    string // as Go and OCI call it
	// revision is that of its source code, committed its time; zero if unknown.
	revision  string
	committed time.Time
}

func readProgram(name string) (program, error) {
	content, err := os.ReadFile(name)
	if err != nil {
		return program{}, err
	}
	f, err := elf.NewFile(bytes.NewReader(content))
	if err != nil {
		return program{}, fmt.Errorf("%s is not a program for Linux: %w", name, err)
	}
	arch, ok := map[elf.Machine]string{elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64"}[f.Machine]
	if !ok {
		return program{}, fmt.Errorf("%s is for %v, want amd64 or arm64", name, f.Machine)
	}
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return program{}, fmt.Errorf("%s needs libraries, which the image does not have: build it with CGO_ENABLED=0", name)
	}
	info, err := buildinfo.Read(bytes.NewReader(content))
	if err != nil {
		return program{}, fmt.Errorf("read how %s was built: %w", name, err)
	}
	p := program{content: content, arch: arch, committed: time.Unix(0, 0).UTC()}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			p.revision = s.Value
		case "vcs.time":
			if p.committed, err = time.Parse(time.RFC3339, s.Value); err != nil {
				return program{}, fmt.Errorf("read how %s was built: %w", name, err)
			}
		}
	}
	return p, nil
}
