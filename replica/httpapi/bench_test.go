package httpapi

import (
	"bytes"
	"encoding/binary"
	"net/http/httptest"
	"testing"

	"kedge/ic/request"
)

// What the HTTP interface itself costs, without HTTP and without execution: one certificate for each call,
// where a network makes one for each round.
func benchmark(b *testing.B, action string, content request.Content) {
	s := New(newFake(b), Options{})
	bodies := make([][]byte, b.N)
	for i := range bodies {
		content.Nonce = binary.BigEndian.AppendUint64(nil, uint64(i))
		bodies[i] = owner.sign(b, content).Encode()
	}
	target := path("v3", "canister", canister, action)
	b.ResetTimer()
	for i := range b.N {
		r := httptest.NewRequest("POST", target, bytes.NewReader(bodies[i]))
		r.Header.Set("Content-Type", "application/cbor")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

func BenchmarkCall(b *testing.B)      { benchmark(b, "call", call("echo", 1)) }
func BenchmarkQuery(b *testing.B)     { benchmark(b, "query", query("echo", 1)) }
func BenchmarkReadState(b *testing.B) { benchmark(b, "read_state", read(labels("subnet"))) }
