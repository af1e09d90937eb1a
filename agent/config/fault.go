package config

import (
	"strconv"
	"strings"
)

// Fault classifies an invalid setting. The message is generated from it in the
// person's language.
type Fault string

// Faults of a setting.
const (
	FaultSyntax     Fault = "syntax"      // the file is not TOML; Value is the parser's message
	FaultUnknownKey Fault = "unknown_key" // the setting does not exist
	FaultType       Fault = "type"        // wrong type, such as a number instead of a string
	FaultDuration   Fault = "duration"    // Value is not a duration such as "15m"
	FaultNumber     Fault = "number"      // Value is not an integer
	FaultTruth      Fault = "truth"       // Value is neither true nor false
	FaultRange      Fault = "range"       // Value is not one of Want
	FaultEmpty      Fault = "empty"
)

// Faults returns all faults.
func Faults() []Fault {
	return []Fault{FaultSyntax, FaultUnknownKey, FaultType, FaultDuration, FaultNumber, FaultTruth, FaultRange, FaultEmpty}
}

// Error describes an invalid setting.
type Error struct {
	// Where is the file and the line, as in "tonprobe.toml:3"; empty if the setting
	// comes from a variable or the command line.
	Where string
	// Key is the setting or the variable; empty if the whole file is meant.
	Key   string
	Fault Fault
	Value string // the given value, where it helps
	Want  string // the allowed values, with FaultRange
}

func (e *Error) Error() string {
	var parts []string
	for _, s := range []string{e.Where, e.Key, string(e.Fault), e.Value} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	text := strings.Join(parts, ": ")
	if e.Want != "" {
		text += ", want " + e.Want
	}
	return text
}

// valueError is a string that is not a valid value of its type.
type valueError struct {
	fault Fault
	text  string
}

func (e *valueError) Error() string   { return strconv.Quote(e.text) + e.trouble() }
func (e *valueError) trouble() string { return " is not a valid value: " + string(e.fault) }
