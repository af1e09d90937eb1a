package web

import "testing"

func TestSystemsOfBrowsersAndFiles(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36":        "windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1":   "macos",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101":            "linux",
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36":         "",
		"Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15":  "",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/": "",
		"curl/8": "",
	} {
		if got := systemOfBrowser(agent); got != want {
			t.Errorf("systemOfBrowser(%q) = %q, want %q", agent, got, want)
		}
	}
	for name, want := range map[string]string{"a.MSI": "windows", "a.tar.gz": "linux", "a.gz": "", "a.dmg": "macos", "msi": ""} {
		if got := systemOfFile(name); got != want {
			t.Errorf("systemOfFile(%q) = %q, want %q", name, got, want)
		}
	}
}
