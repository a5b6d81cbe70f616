package captcha

import (
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"
)

// bitmap is a picture of two colours, row by row; true is ink.
type bitmap [Height][Width]bool

// The colours, each red, green and blue.
const palette = "\xff\xff\xff\x20\x20\x20"

// png encodes the picture (PNG, third edition): one bit a dot, with a palette, not compressed, which takes less than
// 4 KiB. The encoder of the standard library compresses, and comes with a decoder for every kind of PNG; together
// they would be a twentieth of the module, whose installation is charged by size.
func (m *bitmap) png() []byte {
	const row = 1 + (Width+7)/8 // filter type 0, and a bit for each dot
	var pixels [Height * row]byte
	for y := range m {
		for x, ink := range m[y] {
			if ink {
				pixels[y*row+1+x/8] |= 0x80 >> (x % 8)
			}
		}
	}
	be := binary.BigEndian
	header := be.AppendUint32(be.AppendUint32(nil, Width), Height)
	header = append(header, 1, 3, 0, 0, 0) // bits a dot, palette, deflate, adaptive filters, not interlaced

	// A zlib stream (RFC 1950) of one stored block (RFC 1951, section 3.2.4).
	const size = uint16(len(pixels))
	data := append(make([]byte, 0, len(pixels)+16), 0x78, 0x01, 1)
	data = binary.LittleEndian.AppendUint16(data, size)
	data = binary.LittleEndian.AppendUint16(data, ^size)
	data = append(data, pixels[:]...)
	data = be.AppendUint32(data, adler32.Checksum(pixels[:]))

	b := append(make([]byte, 0, len(data)+128), "\x89PNG\r\n\x1a\n"...)
	b = appendChunk(b, "IHDR", header)
	b = appendChunk(b, "PLTE", []byte(palette))
	b = appendChunk(b, "IDAT", data)
	return appendChunk(b, "IEND", nil)
}

func appendChunk(b []byte, kind string, data []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	from := len(b)
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[from:]))
}
