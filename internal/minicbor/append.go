package minicbor

// AppendHead appends the head of an item in its shortest form.
func AppendHead(dst []byte, major Major, arg uint64) []byte {
	m := byte(major) << 5
	switch {
	case arg < 24:
		return append(dst, m|byte(arg))
	case arg < 1<<8:
		return append(dst, m|24, byte(arg))
	case arg < 1<<16:
		return append(dst, m|25, byte(arg>>8), byte(arg))
	case arg < 1<<32:
		return append(dst, m|26, byte(arg>>24), byte(arg>>16), byte(arg>>8), byte(arg))
	default:
		return append(dst, m|27, byte(arg>>56), byte(arg>>48), byte(arg>>40), byte(arg>>32),
			byte(arg>>24), byte(arg>>16), byte(arg>>8), byte(arg))
	}
}

// AppendBytes appends a byte string.
func AppendBytes(dst, value []byte) []byte {
	return append(AppendHead(dst, Bytes, uint64(len(value))), value...)
}

// AppendText appends a text string.
func AppendText(dst []byte, value string) []byte {
	return append(AppendHead(dst, Text, uint64(len(value))), value...)
}

// AppendInt appends an integer of either sign.
func AppendInt(dst []byte, value int64) []byte {
	if value < 0 {
		return AppendHead(dst, Negative, uint64(-1-value))
	}
	return AppendHead(dst, Uint, uint64(value))
}

// AppendSelfDescribed appends the tag 55799.
func AppendSelfDescribed(dst []byte) []byte { return AppendHead(dst, Tag, SelfDescribed) }
