package datadir

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// private is the access list of the directory in SDDL: full access for the owner (OW),
// SYSTEM (SY) and the administrators (BA), inherited by its content (OICI). Nothing is inherited
// from the parent (P).
const private = "D:P(A;OICI;FA;;;OW)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

// restrict sets the access list of a new directory.
func restrict(dir string) error {
	sd, err := windows.SecurityDescriptorFromString(private)
	if err != nil {
		return fmt.Errorf("restrict the data directory: %w", err)
	}
	list, _, err := sd.DACL()
	if err == nil {
		err = windows.SetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT,
			windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
	}
	if err != nil {
		return fmt.Errorf("restrict the data directory: %w", err)
	}
	return nil
}

// mayChange contains the rights that allow a user to replace the keys or the database.
const mayChange = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER |
	windows.GENERIC_WRITE | windows.GENERIC_ALL

// checkRights rejects a directory that all users of the machine may write to, which is the default
// in ProgramData.
func checkRights(dir string) error {
	sd, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("check the data directory: %w", err)
	}
	list, _, err := sd.DACL()
	if err != nil || list == nil {
		return nil // a file system without access lists
	}
	for i := range list.AceCount {
		var ace *windows.ACCESS_ALLOWED_ACE
		if windows.GetAce(list, uint32(i), &ace) != nil || ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE || ace.Mask&mayChange == 0 {
			continue
		}
		sid := (*windows.SID)(unsafe.Pointer(&ace.SidStart))
		for _, everybody := range []windows.WELL_KNOWN_SID_TYPE{windows.WinWorldSid, windows.WinBuiltinUsersSid, windows.WinAuthenticatedUserSid} {
			if sid.IsWellKnown(everybody) {
				return fmt.Errorf("%w: run 'icacls \"%s\" /inheritance:r /grant:r *S-1-3-4:(OI)(CI)F *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F' as administrator", ErrOpen, dir)
			}
		}
	}
	return nil
}
