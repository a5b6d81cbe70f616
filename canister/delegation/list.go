package delegation

// list is a slice that grows by chunks and never moves what it has: with 10,000 signatures, whoever makes
// a slice grow would pay a million instructions for copying it.
type list[T any] struct {
	chunks []*[chunkLen]T
	len    int
	room   [32]*[chunkLen]T // what chunks begins with
}

const chunkLen = 64

// begin gives a list its first chunk.
func (l *list[T]) begin(first *[chunkLen]T) { l.chunks = append(l.room[:0], first) }

func (l *list[T]) at(i int) *T { return &l.chunks[i/chunkLen][i%chunkLen] }

// add appends a value and returns its position.
func (l *list[T]) add(v *T) int {
	if l.len == len(l.chunks)*chunkLen {
		l.chunks = append(l.chunks, new([chunkLen]T))
	}
	*l.at(l.len) = *v
	l.len++
	return l.len - 1
}

// queue is a list whose first values leave. The chunk that they leave behind is used again.
type queue struct {
	list[entry]
	head int // position of the first value that has not left
}

func (q *queue) empty() bool { return q.head == q.len }

func (q *queue) first() *entry { return q.at(q.head) }

// drop makes the first value leave.
func (q *queue) drop() {
	q.head++
	switch {
	case q.head == q.len:
		q.head, q.len = 0, 0
	case q.head == chunkLen:
		left := q.chunks[0]
		copy(q.chunks, q.chunks[1:])
		q.chunks[len(q.chunks)-1] = left
		q.head, q.len = 0, q.len-chunkLen
	}
}
