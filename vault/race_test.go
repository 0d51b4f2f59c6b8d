//go:build race

package vault

// raceDetector tells that pools drop things at random, which costs allocations.
const raceDetector = true
