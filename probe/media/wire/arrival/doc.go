// Package arrival determines when RTP packets really arrived.
//
// Between the network card and the measuring code there are scheduling delays and several goroutines of the WebRTC
// library. On a busy computer they add milliseconds that would look like jitter of the line. Therefore a [Conn] reads the
// time at which the kernel received each packet (SO_TIMESTAMPNS on Linux, elsewhere the time of the read call), and
// [Stamps] stores it until the packet has passed the library.
package arrival
