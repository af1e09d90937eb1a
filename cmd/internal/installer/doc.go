// Package installer contains the tests of the installers in .packaging.
package installer
