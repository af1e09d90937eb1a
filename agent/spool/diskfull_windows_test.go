package spool

// errDiskFull is what the system says of a full disk.
const errDiskFull = errorDiskFull
