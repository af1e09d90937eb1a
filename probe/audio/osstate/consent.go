package osstate

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
