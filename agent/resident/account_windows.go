package resident

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"golang.org/x/sys/windows"
)

// accountName is the virtual account of the service, which Windows creates with it and
// which has no password and no privileges.
const accountName = `NT SERVICE\` + Name

func createAccount() error       { return nil } // Windows creates and removes the account
func removeAccount(string) error { return nil }
func (u Setup) removeState()     {}

// isAdmin reports whether this process may control services. An administrator's programs
// usually run without that right.
func isAdmin() bool { return windows.GetCurrentProcessToken().IsElevated() }

// checkOwners returns a *ForeignOwnerError if somebody else owns the folder or a file in it.
// Every user may create folders in ProgramData, and the owner of a file can always regain
// access to it.
func checkOwners(data string) error {
	return filepath.WalkDir(data, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !e.IsDir() && !e.Type().IsRegular() { // a link to a folder of others
			return &ForeignOwnerError{Path: path}
		}
		sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a temporary file
		}
		if err != nil {
			return fmt.Errorf("read the owner of %s: %w", path, err)
		}
		owner, _, err := sd.Owner()
		if err != nil {
			return fmt.Errorf("read the owner of %s: %w", path, err)
		}
		if !mayOwnData(owner) {
			return &ForeignOwnerError{Path: path}
		}
		return nil
	})
}

// mayOwnData reports whether owner is the group of administrators, SYSTEM, the service, or the
// administrator who runs this program: not all systems make the group the owner.
func mayOwnData(owner *windows.SID) bool {
	if me, err := windows.GetCurrentProcessToken().GetTokenUser(); err == nil && owner.Equals(me.User.Sid) {
		return true
	}
	return slices.ContainsFunc([]windows.WELL_KNOWN_SID_TYPE{
		windows.WinBuiltinAdministratorsSid, windows.WinLocalSystemSid,
	}, owner.IsWellKnown) || owner.String() == serviceSID(Name)
}

// grantAccess gives the folder to the administrators, and lets the service's account write
// to it.
func grantAccess(data string) error {
	sid, _, _, err := windows.LookupSID("", accountName)
	if err != nil {
		return fmt.Errorf("find the account of the service: %w", err)
	}
	sd, err := windows.SecurityDescriptorFromString(accessFor(sid.String()))
	if err != nil {
		return fmt.Errorf("grant access to %s: %w", data, err)
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return fmt.Errorf("grant access to %s: %w", data, err)
	}
	list, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("grant access to %s: %w", data, err)
	}
	err = windows.SetNamedSecurityInfo(data, windows.SE_FILE_OBJECT,
		windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION,
		owner, nil, list, nil)
	if err != nil {
		return fmt.Errorf("grant access to %s: %w", data, err)
	}
	return nil
}

// accessFor returns the owner and the access list of the folder in SDDL: the administrators
// own it; full access for SYSTEM (SY), the administrators (BA) and the service, inherited by
// files and folders. The owner of a file (OW) may read its access list only; without this
// entry, the owner could change the list.
func accessFor(sid string) string {
	return "O:BAD:P(A;OICI;RC;;;OW)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;" + sid + ")"
}
