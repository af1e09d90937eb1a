// Package emodel computes voice quality scores by the E-model of the ITU-T: G.107 for
// narrowband, G.107.1 for wideband and G.107.2 for fullband speech.
//
// The three scales must not be mixed: an R of 90 is excellent on the narrowband scale, poor on
// the wideband scale of 129 and bad on the fullband scale of 148. Therefore a [Score] includes
// the model and the codec, and its model cannot be changed.
//
// The package is pure: no I/O, no state.
package emodel
