// Package vault keeps names apart from facts.
//
// # Pseudonyms
//
// The same identity under the same Key always gets the same pseudonym, in every
// process and on every machine; nobody without the key can tell which identity
// or value a pseudonym or hash stands for, nor test a guess; pseudonyms and
// hashes of each kind are unrelated even for equal text.
//
// # Sealing
//
// What the pseudonyms stand for and what the facts were is sealed to the vault's
// PublicKey, which services may have. Only the PrivateKey opens it, which never
// leaves the vault: a KeyAgreement does the one step that needs it, in memory or
// in a key management service, and sees nothing of what is opened. The pair is HPKE of RFC 9180 in base mode, with
// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, from the standard
// library: a published standard with test vectors, additional data, and no
// format of our own, which the file format age does not offer.
//
//   - Evidence is sealed by a Sealer with AES-256-GCM. A data key is drawn at
//     random for one hour at most, and itself sealed once to the vault; the key of
//     each person is the HMAC-SHA-256 of their pseudonym under it. Opening is an
//     EvidenceOpener's work.
//   - An Identity is sealed by an IdentitySealer, a fact at a time and at a length
//     that does not tell its own, with AES-256-GCM under a data key that is sealed
//     to the vault and goes with each. SealedIdentities puts the facts together.
//
// Everything is bound to where it belongs: evidence to its user, event and data
// key, a data key to its id and hour, an identity to its pseudonym and key
// version. Moved elsewhere, or changed in any bit, it does not open.
//
// # Shredding
//
// A data key that is deleted takes all evidence with it that it sealed. Puncture
// takes that of some people: it replaces the data key by the keys of the others.
//
// # Rotation
//
// A new pseudonym key has a new version; the same people are then other
// pseudonyms, and a LinkRecord, sealed with the identity, is all that links the
// two. A new vault key has a new id, which every sealed record names; the vault
// loads the older keys beside it on a Keyring for as long as their records are
// kept.
//
// # Reveal
//
// Whose a pseudonym is, is a Reveal: requested for one user, one case, a purpose
// and some fields; approved by one approver for HR and one for Legal, who are two
// people, neither of them the requester, the user, or the user's manager where
// known; opened by the requester until the grant expires. Break-glass is a short
// grant without asking, which HR and Legal review. Grants.Decide is the whole of
// the rules, and testdata/reveal_matrix.golden what comes of them.
//
// # Audit
//
// An AuditChain records what is done before it is done, and cannot be switched
// off. The requests of a RevealStore are its records and nothing else. Each record
// holds the hash of the one before, and checkpoints, signed with Ed25519 as notes
// in the format of Go's checksum database, pin the chain: VerifyAudit finds
// whatever was changed before the last checkpoint. What stands behind that one
// could have been rewritten or cut off by whoever can write the files, so the
// checkpoints belong where that one cannot. An AuditWatch pins the chains of writers
// that have no key, by records of an AuditChain.
//
// PolicySignatures say that HR and Legal signed a policy as it is.
//
// # What it does not do
//
// Sealing is not signing: whoever may write to the topics and has the public key
// can seal inventions. Who steals a normaliser's memory reads the evidence of the
// current hour and of what comes after, not of what was sealed before. Deleting an
// identity's record does not make its pseudonym anonymous while the pseudonym key
// exists, since whoever has that key can try the names of all staff.
//
// No key and no identity shows in output, logs, JSON of a key or error messages.
//
// A private key from a file is in the memory of the process that serves reveals,
// and one that is elsewhere answers that process: whoever rules that machine opens
// everything, off the record. A Reveal made under one
// pseudonym key does not know the pseudonyms of approvers under the next.
//
// It starts no goroutine, has no clock, and imports schemas alone of this
// repository. Sub-package server puts it on the network, keycommand reaches keys
// that a program keeps.
package vault
