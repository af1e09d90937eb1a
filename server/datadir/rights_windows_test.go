package datadir

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"
)

func TestRightsOnWindows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := Make(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Errorf("the owner cannot write: %v", err)
	}
	if err := Make(dir); err != nil {
		t.Errorf("its own directory: got error %v, want none", err)
	}
	sd, err := windows.SecurityDescriptorFromString("D:P(A;OICI;FA;;;WD)")
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := sd.DACL()
	if err != nil {
		t.Fatal(err)
	}
	if err := windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil); err != nil {
		t.Fatal(err)
	}
	if err := Make(dir); !errors.Is(err, ErrOpen) {
		t.Errorf("accessible to everybody: got error %v, want ErrOpen", err)
	}
}
