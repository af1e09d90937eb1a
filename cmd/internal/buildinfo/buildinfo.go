// Package buildinfo describes the build of a program.
package buildinfo

import (
	"runtime"
	"runtime/debug"
)

// Build is what "version --json" prints.
type Build struct {
	Version string `json:"version"`
	// Commit is the revision of the source code, CommitTime its time (RFC 3339); "" if the
	// program was built outside of a repository.
	Commit     string `json:"commit"`
	CommitTime string `json:"commit_time"`
	// Modified means that the source code differed from Commit.
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

// Of returns the description of this build, which is called version.
func Of(version string) Build {
	b := Build{Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.addRevision(info.Settings)
	}
	return b
}

func (b *Build) addRevision(settings []debug.BuildSetting) {
	for _, s := range settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.CommitTime = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
}
