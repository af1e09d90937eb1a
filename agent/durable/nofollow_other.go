//go:build !unix

package durable

// noFollow is 0: on Windows only administrators can create symbolic links.
const noFollow = 0
