package ctap

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"slices"

	"kedge/device"
)

// Bounds of what sites keep on the key, in bytes.
const (
	maxCredBlob    = 64
	maxLargeBlobs  = 4096 // of the serialized array
	minLargeBlobs  = 17   // the empty array
	largeBlobCheck = 16   // of the hash at its end
	maxFragment    = maxMessage - 64
)

// extra is what the protocol keeps with a credential that can be discovered.
type extra struct {
	Mark     []byte `cbor:"1,keyasint"`           // first 16 bytes of the SHA-256 of the credential id
	Blob     []byte `cbor:"2,keyasint,omitempty"` // of the extension credBlob
	LargeKey []byte `cbor:"3,keyasint,omitempty"` // of the extension largeBlobKey
}

func markOf(id []byte) []byte {
	h := sha256.Sum256(id)
	return h[:16]
}

// extraOf returns what is kept with a credential, or an empty one.
func (s pinState) extraOf(id []byte) extra {
	mark := markOf(id)
	for _, e := range s.Extras {
		if bytes.Equal(e.Mark, mark) {
			return e
		}
	}
	return extra{Mark: mark}
}

// prune forgets what belongs to credentials that are no more, whoever deleted them.
func (s *pinState) prune(k *device.SecurityKey) {
	if len(s.Extras) == 0 {
		return
	}
	there := map[string]bool{}
	for _, c := range discoverable(k) {
		there[string(markOf(c.CredentialID()))] = true
	}
	s.Extras = slices.DeleteFunc(s.Extras, func(e extra) bool { return !there[string(e.Mark)] })
}

// largeBlobArray is the array as the platform wrote it, at first the empty one (CTAP 2.1, section 6.10).
func (s pinState) largeBlobArray() []byte {
	if s.LargeBlobs != nil {
		return s.LargeBlobs
	}
	empty := []byte{0x80}
	h := sha256.Sum256(empty)
	return append(empty, h[:largeBlobCheck]...)
}

type blobsRequest struct {
	Get       *uint64 `cbor:"1,keyasint"`
	Set       *[]byte `cbor:"2,keyasint"`
	Offset    *uint64 `cbor:"3,keyasint"`
	Length    *uint64 `cbor:"4,keyasint"`
	AuthParam []byte  `cbor:"5,keyasint"`
	Protocol  *uint64 `cbor:"6,keyasint"`
}

type blobsAnswer struct {
	Fragment []byte `cbor:"1,keyasint"`
}

// upload is a large-blob array that comes in fragments.
type upload struct {
	data     []byte
	expected uint64
}

// largeBlobs is CTAP 2.1, section 6.10.2. Who reads needs no right: each entry is encrypted to a credential.
func (a *Authenticator) largeBlobs(parameters []byte) (any, error) {
	var r blobsRequest
	if err := decode(parameters, &r); err != nil {
		return nil, err
	}
	if r.Offset == nil || (r.Get == nil) == (r.Set == nil) {
		return nil, InvalidParameter
	}
	if r.Get != nil {
		a.upload = nil
		return a.readLargeBlobs(r)
	}
	if err := a.writeLargeBlobs(r); err != nil {
		a.upload = nil
		return nil, err
	}
	return nil, nil
}

func (a *Authenticator) readLargeBlobs(r blobsRequest) (any, error) {
	switch {
	case r.Length != nil || r.AuthParam != nil || r.Protocol != nil:
		return nil, InvalidParameter
	case *r.Get > maxFragment:
		return nil, InvalidLength
	}
	s, err := a.pin()
	if err != nil {
		return nil, err
	}
	array := s.largeBlobArray()
	if *r.Offset > uint64(len(array)) {
		return nil, InvalidParameter
	}
	rest := array[*r.Offset:]
	return blobsAnswer{append([]byte{}, rest[:min(*r.Get, uint64(len(rest)))]...)}, nil
}

func (a *Authenticator) writeLargeBlobs(r blobsRequest) error {
	fragment, offset := *r.Set, *r.Offset
	if len(fragment) > maxFragment {
		return InvalidLength
	}
	if offset == 0 {
		switch {
		case r.Length == nil:
			return InvalidParameter
		case *r.Length > maxLargeBlobs:
			return LargeBlobStorageFull
		case *r.Length < minLargeBlobs:
			return InvalidParameter
		}
		a.upload = &upload{expected: *r.Length}
	} else if r.Length != nil {
		return InvalidParameter
	}
	if a.upload == nil || offset != uint64(len(a.upload.data)) {
		return InvalidSequence
	}
	s, err := a.pin()
	if err != nil {
		return err
	}
	if a.guarded(s) {
		if r.AuthParam == nil {
			return PUATRequired
		}
		hash := sha256.Sum256(fragment)
		message := append(bytes.Repeat([]byte{0xff}, 32), cmdLargeBlobs, 0)
		message = binary.LittleEndian.AppendUint32(message, uint32(offset)) // no larger than maxLargeBlobs
		if err := a.authorize(r.Protocol, r.AuthParam, mayWriteBlobs, message, hash[:]); err != nil {
			return err
		}
	}
	if offset+uint64(len(fragment)) > a.upload.expected {
		return InvalidParameter
	}
	a.upload.data = append(a.upload.data, fragment...)
	if uint64(len(a.upload.data)) < a.upload.expected {
		return nil
	}
	whole := a.upload.data
	a.upload = nil
	body, check := whole[:len(whole)-largeBlobCheck], whole[len(whole)-largeBlobCheck:]
	if hash := sha256.Sum256(body); subtle.ConstantTimeCompare(hash[:largeBlobCheck], check) != 1 {
		return IntegrityFailure
	}
	return a.changeState(func(s *pinState) error { s.LargeBlobs = whole; return nil })
}
