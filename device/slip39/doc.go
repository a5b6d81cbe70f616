// Package slip39 splits a secret into shares of words and joins them again (SLIP-0039, Shamir's
// secret-sharing for mnemonic codes, https://github.com/satoshilabs/slips/blob/master/slip-0039.md).
//
// A set of shares has groups: so many groups out of all, and of each of these so many shares out of all,
// give the secret. One group is the usual case, three shares of five. A passphrase may be needed, too; a
// wrong one is not noticed and gives another secret, as the standard has it, so compare a fingerprint.
//
// The list of words is the standard's, and testdata/vectors.json are the test vectors of its reference
// implementation (trezor/python-shamir-mnemonic, MIT).
package slip39
