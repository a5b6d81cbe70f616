package canister

import (
	"errors"
	"fmt"

	"kedge/candid/kedge"
	"kedge/canister/identity"
	"kedge/canister/storage"
	"kedge/cdk"
)

// scratch is memory that every message uses anew, together on a page or two: the network charges for every
// page that a message touches, and whatever is allocated touches those of the allocator besides its own.
// Nothing of it is kept beyond the message.
var scratch struct {
	actor   identity.Actor
	lookup  [identity.MaxDevices]kedge.LookupDevice
	order   [identity.MaxDevices]uint16
	devices [identity.MaxDevices]kedge.DeviceWithUsage
	matches [1]kedge.CredentialMatch
	arg     [4 << 10]byte
	reply   [6 << 10]byte

	certificate [2 << 10]byte
	signature   [4 << 10]byte
	key         [128]byte
}

// argument is the argument of a message for methods that decode and use it at once: not for those that
// wait for randomness in between, see seed.
func argument() []byte { return cdk.ArgInto(scratch.arg[:0]) }

// answer is where to append a reply.
func answer() []byte { return scratch.reply[:0] }

// asUpdate runs an update method.
func asUpdate(method func()) {
	cdk.Update(func() {
		rearm(advance())
		method()
	})
}

// asQuery runs a query method.
func asQuery(method func()) { cdk.Query(method) }

// call is what the rules need to know of the message that is running.
func call() identity.Call {
	now := cdk.Time()
	return identity.Call{
		Caller:   cdk.Caller(),
		Canister: state.self,
		Now:      now,
		Service:  state.clock.At(now),
	}
}

// load reads the one anchor that a message is about; the text of its error is the one that classic clients know.
func load(number uint64) (*identity.Anchor, error) {
	a, err := state.store.Borrow(number)
	if err != nil {
		return nil, fmt.Errorf("failed to read device data of user %d: %w", number, err)
	}
	return a, nil
}

func save(a *identity.Anchor) {
	if err := state.store.Write(a); err != nil {
		cdk.Trap(fmt.Sprintf("unable to update anchor %d in stable memory: %v", a.Number, err))
	}
}

// classic runs an update method on an anchor as one of its devices. Whatever is refused traps.
func classic(number uint64, method func(*identity.Actor) error) {
	a, err := load(number)
	must(err)
	must(scratch.actor.Become(a, call()))
	must(method(&scratch.actor))
	save(a)
}

// decide runs a method of Kedge's own on an anchor. What the rules refuse is answered with the error; the
// anchor is saved all the same, because the call has proved its device.
func decide(number uint64, method func(*identity.Actor) error) error {
	a, err := load(number)
	if err != nil {
		return err
	}
	if err := scratch.actor.Become(a, call()); err != nil {
		return err
	}
	err = method(&scratch.actor)
	save(a)
	return err
}

// recognise reads an anchor for a query by one of its devices.
func recognise(number uint64) (*identity.Anchor, error) {
	a, err := load(number)
	if err != nil {
		return nil, err
	}
	_, err = a.Recognise(call())
	return a, err
}

// replyResult answers with Ok or the error.
func replyResult(err error) {
	if err != nil {
		cdk.Reply(kedge.AppendProtectResult(answer(), kedge.Result{Tag: kedge.ResultTagErr, Err: refusal(err)}))
		return
	}
	cdk.Reply(kedge.AppendProtectResult(answer(), kedge.Result{Tag: kedge.ResultTagOk}))
}

// refusal is the error in Candid. Anything but a refusal by the rules or an answer of the storage traps.
func refusal(err error) kedge.Error {
	if e, ok := err.(*identity.Error); ok {
		return refusalOf(e)
	}
	var corrupted *storage.CorruptedError
	switch {
	case isUnknown(err):
		return coded(identity.ErrNoSuchAnchor, err.Error()+"; check the number")
	case errors.As(err, &corrupted):
		return coded(identity.ErrCorrupted, err.Error()+"; other anchors are not affected: tell the operator, who runs fsck")
	}
	cdk.Trap(err.Error())
	panic(err)
}

func coded(code identity.Code, message string) kedge.Error {
	return kedge.Error{Code: &errorCodes[code], Message: message}
}

func refusalOf(e *identity.Error) kedge.Error {
	r := coded(e.Code, e.Error())
	r.Device = e.Key
	if e.Field != "" {
		r.Field = &e.Field
	}
	if e.Length != 0 || e.Limit != 0 {
		r.Length, r.Limit = &e.Length, &e.Limit
	}
	if service := state.clock.At(cdk.Time()); e.At > service {
		wait := (e.At - service + second - 1) / second
		r.WaitS = &wait
	}
	return r
}
