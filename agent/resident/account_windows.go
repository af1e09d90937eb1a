package resident

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// accountName is the virtual account of the service, which Windows creates with it and
// which has no password and no privileges.
const accountName = `NT SERVICE\` + Name

func createAccount() error { return nil } // Windows does
func removeAccount() error { return nil }
func (u Setup) forget()    {}

// grantAccess lets the service's account write to its folder, which is closed to
// everybody but the administrators and SYSTEM.
func grantAccess(data string) error {
	sid, _, _, err := windows.LookupSID("", accountName)
	if err != nil {
		return fmt.Errorf("find the account of the service: %w", err)
	}
	sd, err := windows.SecurityDescriptorFromString(accessFor(sid.String()))
	if err != nil {
		return fmt.Errorf("grant access to %s: %w", data, err)
	}
	list, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("grant access to %s: %w", data, err)
	}
	err = windows.SetNamedSecurityInfo(data, windows.SE_FILE_OBJECT,
		windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, list, nil)
	if err != nil {
		return fmt.Errorf("grant access to %s: %w", data, err)
	}
	return nil
}

// accessFor is the access list of the folder in SDDL: full access for the owner (OW),
// SYSTEM (SY), the administrators (BA) and the service, inherited by files and folders.
func accessFor(sid string) string {
	return "D:P(A;OICI;FA;;;OW)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;" + sid + ")"
}
