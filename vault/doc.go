// Package vault keeps names apart from facts.
//
// It guarantees that the same identity under the same key always gets the same
// pseudonym, in every process and on every machine; that nobody without the key
// can tell which identity or value a pseudonym or hash stands for, nor test a
// guess; that pseudonyms and hashes of each kind are unrelated even for equal
// text; and that a key never shows in output, logs, JSON or error messages.
//
// It imports schemas alone.
package vault
