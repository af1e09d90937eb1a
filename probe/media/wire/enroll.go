package wire

// EnrollRequest is the JSON request of POST /api/v1/enroll.
type EnrollRequest struct {
	Code string `json:"code"`
	// AgentID is the id that the agent has; the collector may assign another one.
	AgentID string `json:"agent_id"`
	Agent   struct {
		Version string `json:"version"`
		OS      string `json:"os"`
		Arch    string `json:"arch"`
	} `json:"agent"`
}

// EnrollResponse is the JSON response of POST /api/v1/enroll.
type EnrollResponse struct {
	AgentID string `json:"agent_id"`
	Token   string `json:"token"`
	// Participant is the name of the participant for whom the computer was enrolled.
	Participant string `json:"participant"`
}

// PathToken is the path of an agent's token: POST issues the next one, GET returns a TokenState.
const PathToken = "api/v1/agent/token"

// HeaderRenewToken is part of the responses to an agent that is to replace its token, with
// [RenewTokenValue].
const (
	HeaderRenewToken = "Tonprobe-Renew-Token"
	RenewTokenValue  = "1"
)

// TokenResponse is the JSON response of POST on PathToken.
type TokenResponse struct {
	// Token is the next token. The present one ends when the next one is used.
	Token string `json:"token"`
}

// TokenState is the JSON response of GET on PathToken.
type TokenState struct {
	// Renew is set if the agent is to replace its token.
	Renew bool `json:"renew"`
}

// Error codes of a refused token, with status 401.
const (
	// CodeTokenInvalid means that the token is unknown or was revoked.
	CodeTokenInvalid = "token_invalid"
	// CodeTokenReplaced means that the agent has used a newer token since.
	CodeTokenReplaced = "token_replaced"
)

// CodeErased, with status 403, means that everything about the participant of this agent was erased,
// at their request or the office's. No later request with this token succeeds.
const CodeErased = "participant_erased"

// BrowserArch is the architecture of a browser, which enrols with the code of its own that belongs to each code of an
// invitation.
const BrowserArch = "wasm"
