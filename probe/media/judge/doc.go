// Package judge computes the figures of a finished voice-like stream and determines how far it
// got. It opens no connection, so that every sender of such a stream uses it.
package judge
