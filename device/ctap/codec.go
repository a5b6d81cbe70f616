package ctap

import (
	"bytes"
	"errors"

	"github.com/fxamacker/cbor/v2"
)

// encoding writes canonical CBOR as CTAP 2.1, section 8, has it; decoding refuses what it forbids.
var (
	encoding = func() cbor.EncMode {
		mode, err := cbor.CTAP2EncOptions().EncMode()
		if err != nil {
			panic("ctap: " + err.Error()) // constant options
		}
		return mode
	}()
	decoding = func() cbor.DecMode {
		mode, err := cbor.DecOptions{
			DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
			MaxNestedLevels: 4, UTF8: cbor.UTF8RejectInvalid, MaxArrayElements: 1024, MaxMapPairs: 256,
		}.DecMode()
		if err != nil {
			panic("ctap: " + err.Error()) // constant options
		}
		return mode
	}()
)

// encode panics on what has no encoding; the types of the answers all have one.
func encode(v any) []byte {
	data, err := encoding.Marshal(v)
	if err != nil {
		panic("ctap: " + err.Error())
	}
	return data
}

// decode reads the parameters of a command. What is not canonical is [InvalidCBOR], what is of the wrong
// type [CBORUnexpectedType].
func decode(data []byte, into any) error {
	if len(data) == 0 {
		return MissingParameter
	}
	var whole any
	if err := decoding.Unmarshal(data, &whole); err != nil {
		return InvalidCBOR
	}
	// The library reads every order of keys and every width of a number. One encoding is canonical.
	if again, err := encoding.Marshal(whole); err != nil || !bytes.Equal(again, data) {
		return InvalidCBOR
	}
	err := decoding.Unmarshal(data, into)
	var wrongType *cbor.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		return CBORUnexpectedType
	case err != nil:
		return InvalidCBOR
	}
	return nil
}
