package installer_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const macOS = "../../../.packaging/macos"

// TestPropertyListOfTheBundle checks what the links and the question for the microphone need.
func TestPropertyListOfTheBundle(t *testing.T) {
	got := propertyList(t, filepath.Join(macOS, "Info.plist"))
	for key, want := range map[string]string{
		"CFBundlePackageType":                       "APPL",
		"CFBundleExecutable":                        "Tonprobe",
		"CFBundleIdentifier":                        "io.github.tonprobe.tonprobe",
		"CFBundleShortVersionString":                "@VERSION@",
		"CFBundleVersion":                           "@VERSION@",
		"CFBundleLocalizations[0]":                  "de",
		"CFBundleLocalizations[1]":                  "en",
		"LSMinimumSystemVersion":                    "12.0", // https://go.dev/doc/go1.25#darwin
		"CFBundleURLTypes[0]/CFBundleURLSchemes[0]": "tonprobe",
	} {
		if got[key] != want {
			t.Errorf("%s: got %q, want %q", key, got[key], want)
		}
	}
	const microphone = "NSMicrophoneUsageDescription"
	texts := map[string]string{}
	for _, lang := range []string{"de", "en"} {
		texts[lang] = stringsFile(t, filepath.Join(macOS, lang+".lproj", "InfoPlist.strings"))[microphone]
		if n := len([]rune(texts[lang])); n < 40 || n > 200 {
			t.Errorf("%s: got a text of %d characters for the microphone, want 40 to 200", lang, n)
		}
	}
	if texts["de"] == texts["en"] || got[microphone] != texts[got["CFBundleDevelopmentRegion"]] {
		t.Errorf("got the texts %q for the microphone and, in the list, %q; want two languages, and in the list the one of the region", texts, got[microphone])
	}
}

// propertyList reads an XML property list into paths such as a/b[0].
func propertyList(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	values := map[string]string{}
	d := xml.NewDecoder(f)
	// value reads the element start, whose value has the name path.
	var value func(path string, start xml.StartElement) error
	value = func(path string, start xml.StartElement) error {
		key, n := "", 0
		for {
			token, err := d.Token()
			if err != nil {
				return err
			}
			switch token := token.(type) {
			case xml.EndElement:
				return nil
			case xml.StartElement:
				if token.Name.Local == "string" || token.Name.Local == "key" {
					var text string
					if err := d.DecodeElement(&text, &token); err != nil {
						return err
					}
					switch {
					case token.Name.Local == "key":
						key = strings.TrimPrefix(path+"/"+text, "/")
					case start.Name.Local == "array":
						values[fmt.Sprintf("%s[%d]", path, n)] = text
						n++
					default:
						values[key] = text
					}
					continue
				}
				inner := key
				if start.Name.Local == "array" {
					inner = fmt.Sprintf("%s[%d]", path, n)
					n++
				}
				if err := value(inner, token); err != nil {
					return err
				}
			}
		}
	}
	if err := value("", xml.StartElement{}); !errors.Is(err, io.EOF) {
		t.Fatalf("%s: %v", file, err)
	}
	return values
}

var reString = regexp.MustCompile(`(?m)^"(\w+)" = "([^"\\]+)";$`)

// stringsFile reads a file of the form "key" = "text";
func stringsFile(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, m := range reString.FindAllStringSubmatch(string(b), -1) {
		texts[m[1]] = m[2]
	}
	return texts
}
