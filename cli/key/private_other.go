//go:build !unix

package key

// makePrivate does nothing: what is made here is private by the folder that it is in.
func makePrivate() {}
