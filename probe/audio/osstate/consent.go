package osstate

import (
	"strings"

	"github.com/tonprobe/tonprobe/probe/report"
)

// consent contains the registry's settings for microphone access on Windows. Empty
// strings and nil mean that a value is absent.
type consent struct {
	// Machine, User and NonPackaged are "Value" below
	// …\CapabilityAccessManager\ConsentStore\microphone in HKLM, in HKCU, and
	// in its subkey NonPackaged, which applies to desktop programs.
	Machine, User, NonPackaged string
	// Policy is LetAppsAccessMicrophone: 0 user decides, 1 allow, 2 deny.
	Policy *uint64
}

// Values of the ConsentStore and of the policy.
const (
	consentAllow     = "Allow"
	consentDeny      = "Deny"
	policyForceDeny  = 2
	policyForceAllow = 1
)

// denied returns nil if the settings do not decide: NonPackaged can be absent on
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

// consentUse is the entry of one program in the ConsentStore: a subkey of microphone
// (a package family name) or of microphone\NonPackaged (a file path with # in place of
// \), with its values LastUsedTimeStart and LastUsedTimeStop.
type consentUse struct {
	Key         string
	Start, Stop uint64 // FILETIME: 100 ns since 1601
}

// consentUses returns the programs that use a microphone now. Windows writes the start
// time and sets the stop time to 0 until the program releases the microphone. Entries
// from before the last boot remain after a power failure. own is the file of this program.
func consentUses(entries []consentUse, booted uint64, own string) []Use {
	var uses []Use
	for _, e := range entries {
		if e.Start == 0 || e.Stop != 0 || e.Start < booted {
			continue
		}
		if file := e.Key[strings.LastIndexByte(e.Key, '#')+1:]; own != "" && strings.EqualFold(file, own) {
			continue
		}
		uses = append(uses, Use{Program: report.ProgramName(e.Key)})
	}
	return uses
}

// authorizationDenied interprets AVAuthorizationStatus of macOS: 0 not determined,
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
