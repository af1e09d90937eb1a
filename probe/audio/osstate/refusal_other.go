//go:build !linux

package osstate

import "context"

// WhyRefused has nothing to add where the capture library names the reason itself.
func WhyRefused(context.Context, string) Refusal { return RefusalUnknown }
