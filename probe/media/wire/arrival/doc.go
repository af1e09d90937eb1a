// Package arrival tells when RTP packets really arrived.
//
// Between the network card and the code that measures lie a sleeping process
// and several goroutines of the WebRTC library. On a busy computer that is
// milliseconds, and they would be taken for jitter of the line. So a [Conn]
// reads the time at which the kernel took each packet in (SO_TIMESTAMPNS, on
// Linux; elsewhere the time of the read call) and [Stamps] keeps it until the
// packet has come through the library.
package arrival
