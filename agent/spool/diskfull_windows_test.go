package spool

// errDiskFull is the system's error for a full disk.
const errDiskFull = errorDiskFull
