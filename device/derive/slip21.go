package derive

// Symmetric returns the 32-byte symmetric key at the path of labels below a seed (SLIP-0021):
//
//	node(m)         = HMAC-SHA512("Symmetric key seed", seed)
//	node(N / label) = HMAC-SHA512(N[:32], 00 ‖ label)
//	key(N)          = N[32:]
//
// A label is any bytes. The path keeps uses apart: keys at different paths say nothing of each other.
func Symmetric(seed []byte, labels ...string) []byte {
	node := hmac512([]byte("Symmetric key seed"), seed)
	for _, label := range labels {
		node = hmac512(node[:32], append([]byte{0}, label...))
	}
	return node[32:]
}
