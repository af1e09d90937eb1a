//go:build unix

package durable

import "syscall"

const noFollow = syscall.O_NOFOLLOW
