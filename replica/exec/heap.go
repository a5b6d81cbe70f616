package exec

import (
	"strings"
	"unicode/utf8"

	"kedge/ic/principal"
	"kedge/replica/reject"
)

// How system calls reach the heap. Every access is noted before it happens, so that pages are counted,
// paid for, and saved before they change.

// heapSize is the size of the heap in bytes.
func (s *Step) heapSize() uint64 {
	if s.instance.memory == nil {
		return 0
	}
	return uint64(s.instance.memory.Size())
}

// mostPages is how many pages of 64 KiB the heap can have.
func (i *Instance) mostPages() uint64 {
	if most, ok := i.memory.Definition().Max(); ok {
		return uint64(most)
	}
	return maxHeapPages
}

// inHeap reports whether a range lies inside the heap.
func (s *Step) inHeap(src, size uint32) bool { return uint64(src)+uint64(size) <= s.heapSize() }

func (s *Step) inHeap64(src, size uint64) bool {
	heap := s.heapSize()
	return size <= heap && src <= heap-size
}

// view returns the heap's own bytes; the range lies inside the heap.
func (s *Step) view(src, size uint32) []byte {
	if size == 0 {
		return nil
	}
	data, _ := s.instance.memory.Read(src, size)
	return data
}

func (s *Step) beforeRead(src, size uint32)  { s.touch(src, size, false) }
func (s *Step) beforeWrite(dst, size uint32) { s.touch(dst, size, true) }

func (s *Step) touch(addr, size uint32, write bool) {
	if size == 0 {
		return
	}
	unit := s.instance.pageSize()
	last := (uint64(addr) + uint64(size) - 1) / unit
	for page := uint64(addr) / unit; page <= last; page++ {
		s.pages.touchHeap(s, page, write)
	}
}

// get returns the heap's own bytes of a range, valid until the heap grows. The context names the system
// call in the violation if the range is not inside the heap.
func (s *Step) get(context string, src, size uint32) []byte {
	if !s.inHeap(src, size) {
		panic(violation("%s: src=%d + length=%d exceeds the slice size=%d", context, src, size, s.heapSize()))
	}
	s.beforeRead(src, size)
	return s.view(src, size)
}

// put stores data at dst; the range lies inside the heap.
func (s *Step) put(dst uint32, data []byte) {
	s.beforeWrite(dst, uint32(len(data)))
	copy(s.view(dst, uint32(len(data))), data)
}

// copyOut is the body of every system call x_copy: size bytes of data, from offset, to the heap at dst.
// The bytes have been paid for.
func (s *Step) copyOut(name string, data []byte, dst, offset, size uint32) {
	if !s.inHeap(dst, size) {
		panic(violation("ic0.%s heap: src=%d + length=%d exceeds the slice size=%d", name, dst, size, s.heapSize()))
	}
	if uint64(offset)+uint64(size) > uint64(len(data)) {
		panic(violation("ic0.%s %s: src=%d + length=%d exceeds the slice size=%d", name, copied(name), offset, size, len(data)))
	}
	s.put(dst, data[offset:offset+size])
}

// copied is what the production replica calls the source of a copy in its violations.
func copied(name string) string {
	switch name {
	case "msg_caller_copy", "canister_self_copy", "subnet_self_copy":
		return "id"
	case "msg_reject_msg_copy":
		return "msg"
	case "msg_caller_info_data_copy":
		return "info"
	case "msg_caller_info_signer_copy":
		return "signer"
	case "root_key_copy":
		return "bytes"
	case "env_var_name_copy":
		return "name"
	case "env_var_value_copy":
		return "value"
	default:
		return "payload"
	}
}

// text returns a text from the heap, which must be UTF-8.
func (s *Step) text(context string, src, size uint32) string {
	data := s.get(context, src, size)
	if !utf8.Valid(data) {
		panic(violation("%s: invalid UTF-8 string provided", context))
	}
	return string(data)
}

// principal returns a principal from the heap.
func (s *Step) principal(context string, src, size uint32) principal.Principal {
	p, err := principal.FromBytes(s.get(context, src, size))
	if err != nil {
		panic(&trap{code: reject.ContractViolation, text: "Canister provided invalid principal id", help: toolchainHelp})
	}
	return p
}

func validText(s string) bool { return utf8.ValidString(s) }

// lossyText is bytes as text. U+FFFD stands for each longest beginning of a character that is not one, as
// the Unicode standard recommends (section 3.9) and Rust does it.
func lossyText(b []byte) string {
	var text strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 {
			n = brokenPrefix(b)
		}
		text.WriteRune(r)
		b = b[n:]
	}
	return text.String()
}

// brokenPrefix is the length of what begins like a character and is not one.
func brokenPrefix(b []byte) int {
	for n := min(len(b), utf8.UTFMax-1); n > 1; n-- {
		// What is not a full character yet could become one with more bytes.
		if !utf8.FullRune(b[:n]) {
			return n
		}
	}
	return 1
}
