package wire

// What one message may demand of its decoder. A message beyond one of these is
// refused with an error that names it. They are far above what people and
// programs send, and keep time and memory in proportion to the message's size.
const (
	// MaxDepth is how deep values may nest.
	MaxDepth = 128
	// MaxTypes is the largest number of entries in a message's type table.
	MaxTypes = 1000
	// MaxFields is the largest number of fields, arguments and methods in a
	// message's type table together.
	MaxFields = 10_000
	// MaxSkipped is how many bytes of values that the receiver does not know
	// a message may carry.
	MaxSkipped = 512 << 10
	// MaxElements is the largest number of elements of all vectors together,
	// blobs aside.
	MaxElements = 200_000

	// A message pays steps for each value that may take no byte at all. It
	// has a few per byte, as an opt that does not fit is read twice, and
	// freeSteps more.
	freeSteps    = 10_000
	stepsPerByte = 8
)
