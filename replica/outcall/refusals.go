package outcall

import "kedge/replica/reject"

// Interrupted is the refusal of a request that was under way when its network ended.
func Interrupted() *reject.Error {
	return reject.New(Transient, "The network ended before the HTTP request was answered; whether the server saw it is not known")
}

// TooLarge is the refusal when a transform function returned more than a response may hold.
func TooLarge(size int) *reject.Error {
	return reject.New(Fatal, "Transformed http response exceeds limit: %d bytes are more than %d", size, MaxResponse)
}
