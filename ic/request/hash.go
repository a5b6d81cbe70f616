package request

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"kedge/ic/hashtree"
)

// Hash is a representation-independent hash.
type Hash = [sha256.Size]byte

// HashMap returns the representation-independent hash of a map (Interface Specification,
// "Representation-independent hashing of structured data"): each pair becomes the hash of its key
// followed by the hash of its value; the pairs are sorted, joined and hashed. Values are []byte, string,
// uint64, []any and map[string]any of the same; HashMap panics on others.
func HashMap(m map[string]any) Hash {
	var h mapHasher
	for key, value := range m {
		h.add(sha256.Sum256([]byte(key)), hashValue(value))
	}
	return h.sum()
}

func hashValue(value any) Hash {
	switch v := value.(type) {
	case []byte:
		return sha256.Sum256(v)
	case string:
		return sha256.Sum256([]byte(v))
	case uint64:
		return hashNat(v)
	case []any:
		joined := make([]byte, 0, len(v)*sha256.Size)
		for _, element := range v {
			sum := hashValue(element)
			joined = append(joined, sum[:]...)
		}
		return sha256.Sum256(joined)
	case map[string]any:
		return HashMap(v)
	default:
		panic(fmt.Sprintf("request: a value of type %T has no representation-independent hash", value))
	}
}

func hashNat(n uint64) Hash { return sha256.Sum256(hashtree.EncodeNat(n)) }

// mapHasher collects the hashed pairs of a map of few keys.
type mapHasher struct {
	buf  [10][2 * sha256.Size]byte
	rows [][2 * sha256.Size]byte
}

func (h *mapHasher) add(key, value Hash) {
	if h.rows == nil {
		h.rows = h.buf[:0]
	}
	var row [2 * sha256.Size]byte
	copy(row[:], key[:])
	copy(row[sha256.Size:], value[:])
	h.rows = append(h.rows, row)
}

func (h *mapHasher) addBytes(key Hash, value []byte) { h.add(key, sha256.Sum256(value)) }

func (h *mapHasher) sum() Hash {
	slices.SortFunc(h.rows, func(a, b [2 * sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) })
	d := sha256.New()
	for i := range h.rows {
		d.Write(h.rows[i][:])
	}
	var out Hash
	d.Sum(out[:0])
	return out
}

func key(name string) Hash { return sha256.Sum256([]byte(name)) }

// The keys of the maps that are hashed for every request.
var (
	keyRequestType   = key("request_type")
	keySender        = key("sender")
	keyIngressExpiry = key("ingress_expiry")
	keyNonce         = key("nonce")
	keyCanisterID    = key("canister_id")
	keyMethodName    = key("method_name")
	keyArg           = key("arg")
	keyPaths         = key("paths")
	keySenderInfo    = key("sender_info")
	keyInfo          = key("info")
	keySigner        = key("signer")
	keySig           = key("sig")
	keyPubkey        = key("pubkey")
	keyExpiration    = key("expiration")
	keyTargets       = key("targets")
	keyPermissions   = key("permissions")
	keyStatus        = key("status")
	keyReply         = key("reply")
	keyRejectCode    = key("reject_code")
	keyRejectMessage = key("reject_message")
	keyErrorCode     = key("error_code")
	keyTimestamp     = key("timestamp")
	keyRequestID     = key("request_id")
)
