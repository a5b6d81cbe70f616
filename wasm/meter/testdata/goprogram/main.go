package main

import (
	"crypto/sha256"
	"fmt"
	"sort"
	"strings"
)

var sink string

//go:wasmexport run
func run(n int32) int32 {
	buf := make([]byte, 4096)
	var h [32]byte
	for i := int32(0); i < n; i++ {
		h = sha256.Sum256(buf)
		copy(buf, h[:])
	}
	return int32(h[0])
}

//go:wasmexport maps
func maps(n int32) int32 {
	m := map[string]int{}
	for i := int32(0); i < n; i++ {
		m[fmt.Sprintf("key %d", i%1000)] += int(i)
	}
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	sink = strings.Join(keys, ",")
	return int32(len(sink))
}

func main() {}
