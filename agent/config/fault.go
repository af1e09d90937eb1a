package config

import (
	"strconv"
	"strings"
)

// Fault is what is wrong with a setting. The words for a person are made from
// it, in their language.
type Fault string

// The faults of a setting.
const (
	FaultSyntax     Fault = "syntax"      // the file is no TOML; Value is the parser's complaint
	FaultUnknownKey Fault = "unknown_key" // there is no such setting
	FaultType       Fault = "type"        // a number where a text belongs, or the like
	FaultDuration   Fault = "duration"    // Value is not written like "15m"
	FaultNumber     Fault = "number"      // Value is no whole number
	FaultTruth      Fault = "truth"       // Value is neither true nor false
	FaultRange      Fault = "range"       // Value is none of Want
	FaultEmpty      Fault = "empty"
)

// Faults are all of them.
func Faults() []Fault {
	return []Fault{FaultSyntax, FaultUnknownKey, FaultType, FaultDuration, FaultNumber, FaultTruth, FaultRange, FaultEmpty}
}

// Error says what is wrong with which setting.
type Error struct {
	// Where is the file and its line, as in "tonprobe.toml:3"; empty when the
	// setting comes from a variable or the command line.
	Where string
	// Key is the setting or the variable; empty when the file as a whole is meant.
	Key   string
	Fault Fault
	Value string // what was given, where that helps
	Want  string // what is possible, with FaultRange
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

// valueError is a text that is no value of its kind.
type valueError struct {
	fault Fault
	text  string
}

func (e *valueError) Error() string   { return strconv.Quote(e.text) + e.trouble() }
func (e *valueError) trouble() string { return " is no value: " + string(e.fault) }
