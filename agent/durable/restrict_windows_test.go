package durable

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
)

func TestPrivateFolderOnWindows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := MkdirPrivate(dir); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "token"), []byte("x")); err != nil {
		t.Errorf("the owner cannot write: %v", err)
	}
	if _, err := os.ReadFile(filepath.Join(dir, "token")); err != nil {
		t.Errorf("the owner cannot read: %v", err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "token")} {
		sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
		if err != nil {
			t.Fatal(err)
		}
		text := sd.String()
		for _, group := range []string{";WD)", ";BU)", ";AU)"} {
			if strings.Contains(text, group) {
				t.Errorf("%s permits access of %s: %s", path, group, text)
			}
		}
		t.Log(text)
	}
}
