//go:build !unix

package key

func letGo() {}
