package installer_test

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tonprobe/tonprobe/probe/probetest/need"
)

var update = flag.Bool("update", false, "write the golden files anew")

const script = "../../../.ci/windows-installer"

// TestWindowsInstaller builds both installers around a program of a few lines, and compares their
// tables: the files, registry, service, environment and actions that Windows Installer executes.
func TestWindowsInstaller(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	program := tinyProgram(t, dir, "v1.3.0-rc.1")
	out := run(t, nil, script, "build", "v1.3.0-rc.1", program, in("all.msi"), in("user.msi"))
	if n := strings.Count(out, "NOT SIGNED"); n != 4 {
		t.Errorf("got %q, want that four files are not signed", out)
	}
	run(t, nil, script, "build", "v1.3.0-rc.1", program, in("all2.msi"), in("user2.msi"))
	for _, c := range []struct {
		name, golden, upgradeCode, folder string
		// wordCount 2: with a cabinet; 8: needs no administrator.
		wordCount string
	}{
		{"all", "windows.txt", "9A5D1C0E-6F0B-4C57-9B0E-2B6B6E2E7A41", "", "2"},
		{"user", "windows-user.txt", "3F7D8B52-1C94-4E0B-A6D3-5E9B0C7A2F18", "Programs", "10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			msi := in(c.name + ".msi")
			if !bytes.Equal(read(t, msi), read(t, in(c.name+"2.msi"))) {
				t.Error("two builds of one program differ")
			}
			text, golden := tables(t, msi), filepath.Join("testdata", c.golden)
			if *update {
				if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(read(t, golden)); text != want {
				t.Errorf("got tables\n%s\nwant\n%s", text, want)
			}
			// msiinfo prints UTF-8 whatever is in the file, which Windows reads in the code page 1252.
			if in := read(t, msi); !bytes.Contains(in, []byte("d\xfcrfen")) || bytes.Contains(in, []byte("dürfen")) {
				t.Error("the texts are not in the code page 1252")
			}
			// Windows finds the installed version by this code: another one would install a second Tonprobe.
			if !strings.Contains(text, "UpgradeCode | {"+c.upgradeCode+"}\n") {
				t.Error("the upgrade code has changed")
			}
			info := run(t, nil, "msiinfo", "suminfo", msi)
			for _, want := range []string{"Template: x64;0\n", "Source: " + c.wordCount + " ("} {
				if !strings.Contains(info, want) {
					t.Errorf("got %s, want %q", info, want)
				}
			}
			to := in(c.name)
			run(t, nil, "msiextract", "-C", to, msi)
			if !bytes.Equal(read(t, filepath.Join(to, c.folder, "Tonprobe", "tonprobe.exe")), read(t, program)) {
				t.Error("the installed program is another one")
			}
			if !bytes.Contains(read(t, filepath.Join(to, c.folder, "Tonprobe", "licences.txt")), []byte("==== github.com/gen2brain/malgo ")) {
				t.Error("the licences of the libraries are not installed")
			}
		})
	}
}

// tables returns the relevant tables of an installer, with sorted rows.
func tables(t *testing.T, msi string) string {
	t.Helper()
	present := strings.Fields(run(t, nil, "msiinfo", "tables", msi))
	var got strings.Builder
	for _, table := range []string{
		"Property", "Upgrade", "AppSearch", "RegLocator", "LaunchCondition", "Directory", "Feature", "FeatureComponents", "Component",
		"File", "MsiFileHash", "RemoveFile", "Registry", "Environment", "Shortcut", "ServiceInstall", "ServiceControl", "CustomAction",
		"InstallUISequence", "InstallExecuteSequence", "_ForceCodepage",
	} {
		if !slices.Contains(present, table) && table != "_ForceCodepage" {
			got.WriteString("== " + table + ": none\n")
			continue
		}
		exported := run(t, nil, "msiinfo", "export", msi, table)
		rows := strings.Split(strings.TrimRight(strings.NewReplacer("\r", "", "\x00", "").Replace(exported), "\n"), "\n")
		if table == "_ForceCodepage" {
			rows = rows[2:] // no names and types of columns
		} else {
			rows = rows[3:]
			slices.Sort(rows)
		}
		got.WriteString("== " + table + "\n")
		for _, row := range rows {
			got.WriteString(strings.ReplaceAll(strings.TrimRight(row, "\t"), "\t", " | ") + "\n")
		}
	}
	// The size of the program depends on the compiler, and the licences on the libraries.
	text := regexp.MustCompile(`(?m)^(licences\.txt \| 0)( \| -?\d+){4}`).ReplaceAllString(got.String(), "$1 | HASH")
	return regexp.MustCompile(`(?m)^(\S+\.(?:exe|txt) \| [A-Z]\w+ \| \S+) \| \d+`).ReplaceAllString(text, "$1 | SIZE")
}

// TestWindowsInstallerIsSigned signs with a certificate that was created for the test.
func TestWindowsInstallerIsSigned(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	program := tinyProgram(t, dir, "1.3.0")
	run(t, nil, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", in("key.pem"), "-out", in("cert.pem"), "-days", "2",
		"-subj", "/CN=Tonprobe test", "-addext", "extendedKeyUsage=codeSigning")
	run(t, nil, "openssl", "pkcs12", "-export", "-inkey", in("key.pem"), "-in", in("cert.pem"), "-out", in("cert.p12"), "-passout", "pass:geheim")
	env := []string{"TONPROBE_SIGN_PKCS12=" + in("cert.p12"), "TONPROBE_SIGN_PASSWORD=geheim"}
	out := run(t, env, script, "build", "1.3.0", program, in("a.msi"))
	if strings.Contains(out, "NOT SIGNED") || strings.Count(out, "NO TIME STAMP") != 2 {
		t.Errorf("got %q, want that both files are signed without a time stamp", out)
	}
	run(t, nil, "msiextract", "-C", dir, in("a.msi"))
	for _, file := range []string{in("a.msi"), filepath.Join(dir, "Tonprobe", "tonprobe.exe")} {
		run(t, nil, "osslsigncode", "verify", "-CAfile", in("cert.pem"), "-in", file)
	}
	env[1] = "TONPROBE_SIGN_PASSWORD=falsch"
	if out, err := command(t, env, script, "build", "1.3.0", program, in("b.msi")).CombinedOutput(); err == nil || !strings.Contains(string(out), "cannot sign") {
		t.Errorf("with a wrong password: got %s, error %v; want an error with %q", out, err, "cannot sign")
	}
}

func TestWindowsInstallerRefuses(t *testing.T) {
	dir := t.TempDir()
	program := tinyProgram(t, dir, "1.3.0")
	for version, want := range map[string]string{
		"1.3.1": "does not contain the version 1.3.1", "1.3": "not a version", "1.256.0": "at most 255.255.65535", "": "not a version",
	} {
		msi := filepath.Join(dir, "a.msi")
		out, err := command(t, nil, script, "build", version, program, msi).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("version %q: got %v, %s; want an error with %q", version, err, out, want)
		}
		if _, err := os.Stat(msi); err == nil {
			t.Errorf("version %q: there is an installer", version)
		}
	}
}

// TestWindowsInstallerIsSmall: a program that cannot be compressed to 12 MB is refused.
func TestWindowsInstallerIsSmall(t *testing.T) {
	dir := t.TempDir()
	program := tinyProgram(t, dir, "1.3.0")
	noise := make([]byte, 12_100_000)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	if err := os.WriteFile(program, append(read(t, program), noise...), 0o755); err != nil {
		t.Fatal(err)
	}
	msi := filepath.Join(dir, "a.msi")
	out, err := command(t, nil, script, "build", "1.3.0", program, msi).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "more than the 12 MB that are allowed") {
		t.Errorf("got %v, %s; want that it is too large", err, out)
	}
	if _, err := os.Stat(msi); err == nil {
		t.Error("there is an installer")
	}
}

// TestWindowsInstallerUsesTheBlockBefore: what repeats in another block of the cabinet is compressed.
func TestWindowsInstallerUsesTheBlockBefore(t *testing.T) {
	dir := t.TempDir()
	program := tinyProgram(t, dir, "1.3.0")
	noise := make([]byte, 20_000)
	rand.NewChaCha8([32]byte{1}).Read(noise)
	content := append(read(t, program), bytes.Repeat(noise, 50)...)
	if err := os.WriteFile(program, content, 0o755); err != nil {
		t.Fatal(err)
	}
	msi := filepath.Join(dir, "a.msi")
	run(t, nil, script, "build", "1.3.0", program, msi)
	if cabinet := run(t, nil, "msiinfo", "extract", msi, "tonprobe.cab"); len(cabinet) > len(content)/5 {
		t.Errorf("the cabinet has %d bytes, the program %d", len(cabinet), len(content))
	}
	run(t, nil, "msiextract", "-C", dir, msi)
	if !bytes.Equal(read(t, filepath.Join(dir, "Tonprobe", "tonprobe.exe")), content) {
		t.Error("the installed program is another one")
	}
}

// tinyProgram compiles a program with the icon and the version of tonprobe.exe.
func tinyProgram(t *testing.T, dir, version string) string {
	t.Helper()
	source, object, program := filepath.Join(dir, "main.c"), filepath.Join(dir, "resources.o"), filepath.Join(dir, "program.exe")
	if err := os.WriteFile(source, []byte("int main(void) { return 0; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, nil, script, "resources", version, object)
	run(t, nil, "x86_64-w64-mingw32-gcc", "-s", "-o", program, source, object)
	return program
}

// run runs a program and returns its output. Without the tools the test is skipped.
func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	out, err := command(t, env, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func command(t *testing.T, env []string, name string, args ...string) *exec.Cmd {
	t.Helper()
	need.Programs(t, "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-windres", "wixl", "msibuild", "msiextract", "osslsigncode", "openssl", "perl")
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), append([]string{"SOURCE_DATE_EPOCH=1767225600", "TONPROBE_SIGN_PKCS12=", "TONPROBE_SIGN_TIMESTAMP="}, env...)...)
	return c
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
