package config

import (
	"path/filepath"
)

// Places contains what the folders depend on. Tests set its fields.
type Places struct {
	GOOS   string
	Getenv func(string) string
	Home   string
	// System is true for an administrator or a service: the state belongs to the machine
	// and not to a person.
	System bool
}

// DataDir returns the default folder for identity and spool: the XDG state folder,
// %LocalAppData% or ~/Library/Application Support for a person; /var/lib, %ProgramData%
// or /Library/Application Support for the machine. It returns "" if the system defines
// no such folder.
func (p Places) DataDir() string {
	switch p.GOOS {
	case "windows":
		if p.System {
			return p.under(p.Getenv("ProgramData"), "Tonprobe")
		}
		return p.under(p.Getenv("LocalAppData"), "Tonprobe")
	case "darwin":
		if p.System {
			return "/Library/Application Support/Tonprobe"
		}
		return p.under(p.Home, "Library/Application Support/Tonprobe")
	}
	if p.System {
		return "/var/lib/tonprobe"
	}
	// XDG Base Directory Specification: a relative path must be ignored.
	if d := p.Getenv("XDG_STATE_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "tonprobe")
	}
	return p.under(p.Home, ".local/state/tonprobe")
}

// FileName is the name of the configuration file.
const FileName = "tonprobe.toml"

// ConfigFile returns the default path of the configuration file, which need not
// exist.
func (p Places) ConfigFile() string {
	if p.GOOS == "windows" || p.GOOS == "darwin" {
		return p.under(p.DataDir(), FileName)
	}
	if p.System {
		return filepath.Join("/etc/tonprobe", FileName)
	}
	if d := p.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(d) {
		return filepath.Join(d, "tonprobe", FileName)
	}
	return p.under(p.Home, ".config/tonprobe/"+FileName)
}

func (p Places) under(base, name string) string {
	if base == "" {
		return ""
	}
	return filepath.Join(base, filepath.FromSlash(name))
}
