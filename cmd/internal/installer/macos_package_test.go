package installer_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// appleTools stand in for the tools of a Mac. They write their arguments to the file log, and pkgbuild
// copies what it would pack to the folder packed.
var appleTools = map[string]string{
	"lipo":     `cat "$4" "$5" >"$3"`,
	"clang":    `while [ "$1" != -o ]; do shift; done; test -f "$3" && echo launcher >"$2"`,
	"codesign": `echo "codesign $*" >>"$TOOLS/log"`,
	"pkgbuild": `echo "pkgbuild $*" >>"$TOOLS/log"; cp -R "$2" "$TOOLS/packed"; eval "echo package >\"\${$#}\""`,
	"xcrun":    `echo "xcrun $*" >>"$TOOLS/log"`,
}

// TestMacPackage runs the script with substitutes for Apple's tools: what the bundle contains, what is
// signed and in which order, and how it is notarised.
func TestMacPackage(t *testing.T) {
	for _, c := range []struct {
		name string
		env  []string
		want []string // the calls of the tools, with ROOT and OUT for paths
		said int      // how often something is not signed or not notarised
	}{
		{"signed", []string{"TONPROBE_APPLE_APPLICATION=A", "TONPROBE_APPLE_INSTALLER=I", "TONPROBE_NOTARY_KEY=key.p8", "TONPROBE_NOTARY_KEY_ID=K", "TONPROBE_NOTARY_ISSUER=N"}, []string{
			"codesign --force --timestamp --options runtime --entitlements PACKAGING/entitlements.plist --sign A ROOT/Applications/Tonprobe.app/Contents/Helpers/tonprobe",
			"codesign --force --timestamp --options runtime --entitlements PACKAGING/entitlements.plist --sign A ROOT/Applications/Tonprobe.app",
			"codesign --verify --deep --strict ROOT/Applications/Tonprobe.app",
			"pkgbuild --root ROOT --component-plist PACKAGING/components.plist --identifier io.github.tonprobe.tonprobe --version 1.3.0 --install-location / --ownership recommended --timestamp --sign I OUT",
			"xcrun notarytool submit OUT --key key.p8 --key-id K --issuer N --wait --timeout 30m",
			"xcrun stapler staple OUT",
		}, 0},
		{"not signed", nil, []string{
			"codesign --force --sign - ROOT/Applications/Tonprobe.app/Contents/Helpers/tonprobe",
			"codesign --force --sign - ROOT/Applications/Tonprobe.app",
			"codesign --verify --deep --strict ROOT/Applications/Tonprobe.app",
			"pkgbuild --root ROOT --component-plist PACKAGING/components.plist --identifier io.github.tonprobe.tonprobe --version 1.3.0 --install-location / --ownership recommended OUT",
		}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			in := func(name string) string { return filepath.Join(dir, name) }
			for name, body := range appleTools {
				writeFile(t, in(name), "#!/bin/sh\nset -e\n"+body+"\n", 0o755)
			}
			writeFile(t, in("arm64"), "arm64\n", 0o755)
			writeFile(t, in("amd64"), "amd64\n", 0o755)
			pkg := in("Für Söhne/tonprobe.pkg")
			script := exec.Command("../../../.ci/macos-package", "v1.3.0-rc.1", in("arm64"), in("amd64"), pkg)
			script.Env = append(os.Environ(), append([]string{
				"TOOLS=" + dir, "PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH"),
				"TONPROBE_APPLE_APPLICATION=", "TONPROBE_APPLE_INSTALLER=", "TONPROBE_NOTARY_KEY=",
			}, c.env...)...)
			out, err := script.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if got := strings.Count(string(out), "NOT SIGNED") + strings.Count(string(out), "NOT NOTARISED"); got != c.said {
				t.Errorf("got %q, want that %d steps are missing", out, c.said)
			}
			if got := string(read(t, pkg)); got != "package\n" {
				t.Errorf("the package contains %q", got)
			}
			checkCalls(t, string(read(t, in("log"))), c.want)
			checkBundle(t, in("packed"))
		})
	}
}

// checkCalls compares the calls of the tools. Temporary folders have other names each time.
func checkCalls(t *testing.T, log string, want []string) {
	t.Helper()
	packaging, err := filepath.Abs(macOS)
	if err != nil {
		t.Fatal(err)
	}
	_, root, _ := strings.Cut(log, "pkgbuild --root ")
	root, _, _ = strings.Cut(root, " ")
	log = strings.NewReplacer(packaging, "PACKAGING", root, "ROOT", filepath.Join(filepath.Dir(root), "out.pkg"), "OUT").Replace(log)
	if got := strings.Split(strings.TrimSpace(log), "\n"); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// checkBundle checks what the package installs.
func checkBundle(t *testing.T, root string) {
	t.Helper()
	var files []string
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files = append(files, strings.TrimPrefix(path, root+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	const contents = "Applications/Tonprobe.app/Contents/"
	want := []string{
		contents + "Helpers/tonprobe", contents + "Info.plist", contents + "MacOS/Tonprobe",
		contents + "Resources/Tonprobe.command", contents + "Resources/Tonprobe.icns",
		contents + "Resources/de.lproj/InfoPlist.strings", contents + "Resources/en.lproj/InfoPlist.strings", contents + "Resources/licences.txt",
		"usr/local/bin/tonprobe",
	}
	if !slices.Equal(files, want) {
		t.Errorf("got the files\n%s\nwant\n%s", strings.Join(files, "\n"), strings.Join(want, "\n"))
	}
	if got := string(read(t, filepath.Join(root, contents, "Helpers/tonprobe"))); got != "arm64\namd64\n" {
		t.Errorf("the program is %q, want both processors", got)
	}
	list := propertyList(t, filepath.Join(root, contents, "Info.plist"))
	if list["CFBundleShortVersionString"] != "1.3.0" || list["CFBundleVersion"] != "1.3.0" {
		t.Errorf("got the versions %q and %q, want 1.3.0", list["CFBundleShortVersionString"], list["CFBundleVersion"])
	}
	if icon := filepath.Join(root, contents, "Resources", list["CFBundleIconFile"]+".icns"); !strings.HasPrefix(string(read(t, icon)), "icns") {
		t.Error("the bundle has no icon")
	}
	if link, err := os.Readlink(filepath.Join(root, "usr/local/bin/tonprobe")); err != nil || link != "/"+contents+"Helpers/tonprobe" {
		t.Errorf("the command is %q, %v", link, err)
	}
}

// TestStartInTerminal: the text of a link is one argument, whatever it is, and the folder of the start
// is removed.
func TestStartInTerminal(t *testing.T) {
	for link, want := range map[string]string{
		"": "[window=1]",
		"tonprobe://enroll?tonprobe.example.org/K2MV-H5MN-00DY": "[window=1][open][tonprobe://enroll?tonprobe.example.org/K2MV-H5MN-00DY]",
		"tonprobe://enroll?x'\"; touch pwned; $(touch pwned) *": "[window=1][open][tonprobe://enroll?x'\"; touch pwned; $(touch pwned) *]",
		"-n": "[window=1][open][-n]",
	} {
		dir := t.TempDir()
		program := filepath.Join(dir, "Für Söhne's program")
		writeFile(t, program, "#!/bin/sh\nprintf '[window=%s]' \"$TONPROBE_WINDOW\"\nif [ $# -gt 0 ]; then printf '[%s]' \"$@\"; fi\n", 0o755)
		folder := filepath.Join(dir, "a start")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		script := filepath.Join(folder, "Tonprobe.command")
		writeFile(t, script, string(read(t, filepath.Join(macOS, "Tonprobe.command"))), 0o755)
		writeFile(t, filepath.Join(folder, "program"), program, 0o600)
		writeFile(t, filepath.Join(folder, "link"), link, 0o600)
		c := exec.Command(script)
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%q: got %s, %v, want %s", link, out, err, want)
		}
		for _, gone := range []string{folder, filepath.Join(dir, "pwned")} {
			if _, err := os.Stat(gone); err == nil {
				t.Errorf("%q: %s exists", link, gone)
			}
		}
	}
}

// TestStartFromAnotherFolder: a copy of the script in a folder of a person removes nothing.
func TestStartFromAnotherFolder(t *testing.T) {
	folder := t.TempDir()
	script := filepath.Join(folder, "Tonprobe.command")
	writeFile(t, script, string(read(t, filepath.Join(macOS, "Tonprobe.command"))), 0o755)
	writeFile(t, filepath.Join(folder, "letter.txt"), "letter", 0o600)
	if out, err := exec.Command(script).CombinedOutput(); err == nil {
		t.Errorf("got %s, want an error", out)
	}
	for _, name := range []string{"Tonprobe.command", "letter.txt"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
	// Nor if the folder contains files named like those of a real start.
	writeFile(t, filepath.Join(folder, "program"), "true", 0o600)
	writeFile(t, filepath.Join(folder, "link"), "", 0o600)
	if out, err := exec.Command(script).CombinedOutput(); err != nil {
		t.Errorf("got %s, error %v", out, err)
	}
	if _, err := os.Stat(filepath.Join(folder, "letter.txt")); err != nil {
		t.Error(err)
	}
}

func writeFile(t *testing.T, file, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}
