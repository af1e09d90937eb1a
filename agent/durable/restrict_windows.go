package durable

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// private is the access list of a private folder in SDDL: full access for the owner
// (OW), SYSTEM (SY) and the administrators (BA), inherited by its files and folders
// (OICI), and nothing inherited from the parent (P). Without it every user could
// read and create files in ProgramData.
const private = "D:P(A;OICI;FA;;;OW)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

// restrict sets the access list of a folder to private. Windows ignores mode bits.
func restrict(dir string) error {
	sd, err := windows.SecurityDescriptorFromString(private)
	if err != nil {
		return fmt.Errorf("restrict %s: %w", dir, err)
	}
	list, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("restrict %s: %w", dir, err)
	}
	err = windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
	if err != nil {
		return fmt.Errorf("restrict %s: %w", dir, err)
	}
	return nil
}
