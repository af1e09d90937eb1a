package osstate

import "strings"

// consent is what Windows' registry says about programs and the microphone.
// Empty strings and nil are values that are not there.
type consent struct {
	// Machine, User and NonPackaged are "Value" below
	// …\CapabilityAccessManager\ConsentStore\microphone in HKLM, in HKCU, and
	// in its subkey NonPackaged, which decides for desktop programs.
	Machine, User, NonPackaged string
	// Policy is LetAppsAccessMicrophone: 0 user's choice, 1 allow, 2 deny.
	Policy *uint64
}

// Values in the ConsentStore and of the policy.
const (
	consentAllow     = "Allow"
	consentDeny      = "Deny"
	policyForceDeny  = 2
	policyForceAllow = 1
)

// denied is nil when the settings do not say: NonPackaged can be absent on
// machines that allow everything.
func (c consent) denied() *bool {
	switch {
	case c.Policy != nil && *c.Policy == policyForceDeny,
		c.Machine == consentDeny, c.User == consentDeny, c.NonPackaged == consentDeny:
		return new(true)
	case c.Policy != nil && *c.Policy == policyForceAllow, c.NonPackaged == consentAllow:
		return new(false)
	}
	return nil
}

// consentUse is one program's entry in the ConsentStore: a subkey of microphone
// (a package's family name) or of microphone\NonPackaged (the path of a file
// with # in place of \), with its values LastUsedTimeStart and LastUsedTimeStop.
type consentUse struct {
	Key         string
	Start, Stop uint64 // FILETIME: 100 ns since 1601
}

// consentUses are the programs that use a microphone now: Windows writes a
// start and sets the stop to 0 until the program lets go. An entry from before
// the last boot is one that a power cut left behind. own is this program's file.
func consentUses(entries []consentUse, booted uint64, own string) []Use {
	var uses []Use
	for _, e := range entries {
		if e.Start == 0 || e.Stop != 0 || e.Start < booted {
			continue
		}
		if file := e.Key[strings.LastIndexByte(e.Key, '#')+1:]; own != "" && strings.EqualFold(file, own) {
			continue
		}
		uses = append(uses, Use{Program: programName(e.Key)})
	}
	return uses
}

// authorizationDenied reads macOS' AVAuthorizationStatus: 0 not determined,
// 1 restricted, 2 denied, 3 authorized.
func authorizationDenied(status int) *bool {
	switch status {
	case 1, 2:
		return new(true)
	case 3:
		return new(false)
	}
	return nil
}
