// Package stable is stable memory as the units of storage see it: bytes at offsets, pages, what it answers when
// something in it is not what was written there, and a memory for tests that fails at a chosen write.
package stable
