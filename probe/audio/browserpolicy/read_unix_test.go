//go:build !windows

package browserpolicy

import (
	"slices"
	"testing"
	"testing/fstest"
)

func TestReadFolders(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	const chrome, firefox = "etc/opt/chrome/policies/managed/", "etc/firefox/policies/policies.json"
	for name, c := range map[string]struct {
		files fstest.MapFS
		host  string
		want  []string
	}{
		"none":                 {fstest.MapFS{}, "bbb.example.org", nil},
		"other policies":       {fstest.MapFS{chrome + "a.json": file(`{"HomepageLocation":"https://example.org"}`)}, "bbb.example.org", nil},
		"Chrome":               {fstest.MapFS{chrome + "a.json": file(`{"AudioCaptureAllowed":false}`)}, "bbb.example.org", []string{"Chrome"}},
		"a later file permits": {fstest.MapFS{chrome + "a.json": file(`{"AudioCaptureAllowed":false}`), chrome + "b.json": file(`{"AudioCaptureAllowed":true}`)}, "bbb.example.org", nil},
		"an exception in another file": {fstest.MapFS{
			chrome + "a.json": file(`{"AudioCaptureAllowed":false}`), chrome + "b.json": file(`{"AudioCaptureAllowedUrls":["https://[*.]example.org"]}`),
		}, "bbb.example.org", nil},
		"a damaged file":  {fstest.MapFS{chrome + "a.json": file(`{"AudioCaptureAllowed":`), chrome + "b.json": file(`{"AudioCaptureAllowed":false}`)}, "", []string{"Chrome"}},
		"a wrong type":    {fstest.MapFS{chrome + "a.json": file(`{"AudioCaptureAllowed":"no"}`)}, "", nil},
		"Firefox":         {fstest.MapFS{firefox: file(`{"policies":{"Permissions":{"Microphone":{"BlockNewRequests":true,"Locked":true}}}}`)}, "bbb.example.org", []string{"Firefox"}},
		"Firefox permits": {fstest.MapFS{firefox: file(`{"policies":{"Permissions":{"Microphone":{"Allow":["https://bbb.example.org"],"BlockNewRequests":true}}}}`)}, "bbb.example.org", nil},
		"Firefox blocks":  {fstest.MapFS{firefox: file(`{"policies":{"Permissions":{"Microphone":{"Block":["https://bbb.example.org"]}}}}`)}, "bbb.example.org", []string{"Firefox"}},
		"several": {fstest.MapFS{
			"etc/opt/edge/policies/managed/x.json": file(`{"AudioCaptureAllowed":false}`), chrome + "a.json": file(`{"AudioCaptureAllowed":false}`),
		}, "bbb.example.org", []string{"Chrome", "Edge"}},
	} {
		if got := Names(readFolders(c.files), c.host); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func FuzzPolicies(f *testing.F) {
	f.Add([]byte(`{"AudioCaptureAllowed":false,"AudioCaptureAllowedUrls":["https://[*.]example.org:443"]}`), "bbb.example.org")
	f.Add([]byte(`{"policies":{"Permissions":{"Microphone":{"Block":["https://bbb.example.org"]}}}}`), "")
	f.Fuzz(func(t *testing.T, text []byte, host string) {
		var chromium, firefox Browser
		_ = chromium.parseChromium(text)
		_ = firefox.parseFirefox(text)
		if host == "" && (chromium.Blocks(host) && len(chromium.Allowed) > 0 || firefox.Blocks(host) && len(firefox.Allowed) > 0) {
			t.Error("without a host, an exception may apply")
		}
	})
}
