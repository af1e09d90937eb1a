//go:build !linux

package rounds

import (
	"context"
	"errors"
	"io"
)

// Disk requires mount namespaces.
func Disk(context.Context, []string, io.Writer) error {
	return errors.New("disk runs on Linux only: it needs a small file system")
}
