// Package emodel computes voice quality scores by the E-model of the ITU-T:
// G.107 for narrowband, G.107.1 for wideband and G.107.2 for fullband speech.
//
// The three scales must never be mixed: an R of 90 is excellent narrowband,
// poor wideband at 129 and bad fullband at 148. So a [Score] carries the model
// and the codec it assumes, and there is no way to change the model of a score.
//
// The package is pure: no I/O, no state.
package emodel
