//go:build race

package normalise

// raceDetector tells that functions are not inlined, which costs allocations.
const raceDetector = true
