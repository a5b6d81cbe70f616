//go:build wasip1

package wire

// texts is a chunk of texts that NewText gives out one by one; the first lies with the other variables.
var (
	first [128]string
	texts = first[:0]
)

// NewText returns a new text, for an opt. In a canister, where nothing runs at the same time, it is one of
// a chunk: the methods that decode a device would otherwise allocate nothing else, and the allocator costs
// them three pages.
func NewText() *string {
	if len(texts) == cap(texts) {
		texts = make([]string, 0, len(first))
	}
	texts = append(texts, "")
	return &texts[len(texts)-1]
}
