package request

// QueryResponse is the answer to a query, as nodes sign it.
type QueryResponse struct {
	Replied bool
	Arg     []byte // the reply

	RejectCode    uint64
	RejectMessage string
	ErrorCode     string // "" if absent
}

// SigningPayload returns the message that a node signs: "\x0Bic-response" and the hash of the answer,
// its time in nanoseconds since 1970, and the id of the request.
func (r *QueryResponse) SigningPayload(id ID, timestamp uint64) []byte {
	var h mapHasher
	if r.Replied {
		h.addBytes(keyStatus, []byte("replied"))
		var reply mapHasher
		reply.addBytes(keyArg, r.Arg)
		h.add(keyReply, reply.sum())
	} else {
		h.addBytes(keyStatus, []byte("rejected"))
		h.add(keyRejectCode, hashNat(r.RejectCode))
		h.addBytes(keyRejectMessage, []byte(r.RejectMessage))
		if r.ErrorCode != "" {
			h.addBytes(keyErrorCode, []byte(r.ErrorCode))
		}
	}
	h.add(keyTimestamp, hashNat(timestamp))
	h.addBytes(keyRequestID, id[:])
	sum := h.sum()
	return append([]byte("\x0bic-response"), sum[:]...)
}
