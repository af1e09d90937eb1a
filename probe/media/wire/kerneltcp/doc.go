// Package kerneltcp sets and reads what the kernel keeps for a TCP connection:
// the congestion control, and the data that has arrived.
package kerneltcp
