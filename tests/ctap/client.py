"""Drives a security key over its Unix socket with python-fido2, which shares no code with Kedge.

Usage: client.py SOCKET STORY. Says "passed STORY" or raises."""

import os, socket, sys
from unittest import mock
from fido2 import cbor
from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.ctap import CtapError
from fido2.ctap2 import ClientPin, Config, CredentialManagement, Ctap2
from fido2.ctap2.extensions import HmacSecretExtension, CredProtectExtension
from fido2.ctap2.pin import PinProtocolV1, PinProtocolV2
from fido2.hid import CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor
from fido2.server import Fido2Server
from fido2.webauthn import (AuthenticatorSelectionCriteria, PublicKeyCredentialDescriptor, PublicKeyCredentialUserEntity,
                            ResidentKeyRequirement, UserVerificationRequirement)

ORIGIN = "https://id.example"


class Socket(CtapHidConnection):
    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(path)

    def read_packet(self):
        data = b""
        while len(data) < 64:
            part = self.s.recv(64 - len(data))
            if not part:
                raise OSError("the key hung up")
            data += part
        return data

    def write_packet(self, data):
        self.s.sendall(data.ljust(64, b"\0"))

    def close(self):
        self.s.close()


class Person(UserInteraction):
    pin = "1234 äöü"

    def prompt_up(self):
        pass

    def request_pin(self, permissions, rp_id):
        return self.pin


def connect():
    return CtapHidDevice(HidDescriptor("socket", 0, 0, 64, 64, "kedge", None), Socket(sys.argv[1]))


def client(dev):
    return Fido2Client(dev, DefaultClientDataCollector(ORIGIN), user_interaction=Person(),
                       extensions=[HmacSecretExtension(allow_hmac_secret=True), CredProtectExtension()])


def server():
    return Fido2Server({"id": "id.example", "name": "Kedge"}, attestation="direct")


def register(dev, s, name, resident=False, uv="discouraged", exclude=None, **extensions):
    options, state = s.register_begin(
        PublicKeyCredentialUserEntity(id=name.encode(), name=name, display_name=name.title()), exclude,
        resident_key_requirement=ResidentKeyRequirement.REQUIRED if resident else ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement(uv), extensions=extensions)
    result = client(dev).make_credential(options["publicKey"])
    return s.register_complete(state, result), result


def sign_in(dev, s, known, listed=True, uv="discouraged", index=0, **extensions):
    options, state = s.authenticate_begin(known if listed else None, UserVerificationRequirement(uv), extensions=extensions)
    selection = client(dev).get_assertion(options["publicKey"])
    result = selection.get_response(index)
    s.authenticate_complete(state, known, result)
    return selection, result


def expect(code, call):
    try:
        call()
    except CtapError as e:
        assert e.code == code, (e.code, code)
    except ClientError as e:
        assert e.cause is not None and e.cause.code == code, (e, code)
    else:
        raise AssertionError(f"wanted {code}")


def sign(dev):
    assert Ctap2(dev).get_info().options["rk"]
    dev.wink()
    assert dev.ping(b"x" * 3000) == b"x" * 3000
    s = server()
    auth, result = register(dev, s, "anna")
    att = result.response.attestation_object
    assert att.fmt == "packed" and auth.is_user_present() and not auth.is_user_verified(), att
    known = [auth.credential_data]
    sign_in(dev, s, known)
    expect(CtapError.ERR.NO_CREDENTIALS, lambda: Ctap2(dev).get_assertion("id.example", b"\0" * 32))
    listed = [{"type": "public-key", "id": known[0].credential_id}]
    quiet = Ctap2(dev).get_assertion("id.example", b"\0" * 32, listed, options={"up": False})
    assert not quiet.auth_data.is_user_present()
    expect(CtapError.ERR.CREDENTIAL_EXCLUDED, lambda: Ctap2(dev).make_credential(
        b"\0" * 32, {"id": "id.example"}, {"id": b"x"}, [{"type": "public-key", "alg": -7}], listed))
    expect(CtapError.ERR.UNSUPPORTED_ALGORITHM, lambda: Ctap2(dev).make_credential(
        b"\0" * 32, {"id": "id.example"}, {"id": b"x"}, [{"type": "public-key", "alg": -257}]))
    edwards = Ctap2(dev).make_credential(b"\0" * 32, {"id": "id.example"}, {"id": b"x"}, [{"type": "public-key", "alg": -8}])
    edwards.auth_data.credential_data.public_key.verify(edwards.auth_data + b"\0" * 32, edwards.att_stmt["sig"])
    for bad, code in ((b"\x01", 0x14), (b"\x01\xa1\x01\x01", 0x11), (b"\x01\xbf\xff", 0x12), (b"\x01\xa2\x02\x01\x01\x01", 0x12),
                      (b"\x02\xa1\x01", 0x12), (b"\x04\x00", 0), (b"\x33", 0x01), (b"\x02\xa0", 0x14)):
        assert dev.call(0x10, bad)[0] == code, (bad, dev.call(0x10, bad)[0])
    Ctap2(dev).selection()


def resident(dev):
    s = server()
    known = [register(dev, s, name, resident=True)[0].credential_data for name in ("anna", "bert")]
    again = register(dev, s, "anna", resident=True)[0].credential_data  # takes the place of the first
    known = [known[1], again]
    selection, result = sign_in(dev, s, known, listed=False)
    assert len(selection.get_assertions()) == 2
    assert {a.user["id"] for a in selection.get_assertions()} == {b"anna", b"bert"}
    sign_in(dev, s, known, listed=False, index=1)
    expect(CtapError.ERR.NOT_ALLOWED, Ctap2(dev).get_next_assertion)
    Ctap2(dev).reset()
    expect(CtapError.ERR.NO_CREDENTIALS, lambda: Ctap2(dev).get_assertion("id.example", b"\0" * 32))
    listed = [{"type": "public-key", "id": again.credential_id}]
    expect(CtapError.ERR.NO_CREDENTIALS, lambda: Ctap2(dev).get_assertion("id.example", b"\0" * 32, listed))


def pin(dev):
    for protocol, old, new in ((PinProtocolV1(), None, "1234 äöü"), (PinProtocolV2(), "1234 äöü", "5678"), (PinProtocolV1(), "5678", "1234 äöü")):
        p = ClientPin(Ctap2(dev), protocol)
        p.change_pin(old, new) if old else p.set_pin(new)
        p.get_pin_token(new)
        p.get_pin_token(new, ClientPin.PERMISSION.MAKE_CREDENTIAL, "id.example")
    p = ClientPin(Ctap2(dev))
    expect(CtapError.ERR.PIN_AUTH_INVALID, lambda: p.set_pin("9999"))
    with mock.patch("fido2.ctap2.pin._pad_pin", lambda pin: pin.encode().ljust(64, b"\0")):  # the client refuses it itself
        expect(CtapError.ERR.PIN_POLICY_VIOLATION, lambda: p.change_pin(Person.pin, "12ä"))
    s = server()
    auth, _ = register(dev, s, "anna", resident=True, uv="required")
    assert auth.is_user_verified()
    _, result = sign_in(dev, s, [auth.credential_data], listed=False, uv="required")
    assert result.response.authenticator_data.is_user_verified()
    expect(CtapError.ERR.PUAT_REQUIRED, lambda: Ctap2(dev).make_credential(
        b"\0" * 32, {"id": "id.example"}, {"id": b"x"}, [{"type": "public-key", "alg": -7}], options={"rk": True}))
    ctap = Ctap2(dev)
    config = Config(ctap, p.protocol, p.get_pin_token(Person.pin, ClientPin.PERMISSION.AUTHENTICATOR_CFG))
    config.set_min_pin_length(6, force_change_pin=True)
    assert ctap.get_info().force_pin_change and ctap.get_info().min_pin_length == 6
    expect(CtapError.ERR.PIN_INVALID, lambda: p.get_pin_token(Person.pin))
    expect(CtapError.ERR.PIN_POLICY_VIOLATION, lambda: p.change_pin(Person.pin, Person.pin))
    p.change_pin(Person.pin, "123456")
    assert p.get_pin_retries()[0] == 8
    for left, code in ((7, CtapError.ERR.PIN_INVALID), (6, CtapError.ERR.PIN_INVALID), (5, CtapError.ERR.PIN_AUTH_BLOCKED), (5, CtapError.ERR.PIN_AUTH_BLOCKED)):
        expect(code, lambda: p.get_pin_token("wrong one"))
        assert p.get_pin_retries()[0] == left
    expect(CtapError.ERR.PIN_AUTH_BLOCKED, lambda: p.get_pin_token("123456"))


def manage(dev):
    ClientPin(Ctap2(dev)).set_pin(Person.pin)
    s = server()
    made = {name: register(dev, s, name, resident=True, uv="required")[0].credential_data for name in ("anna", "bert")}

    def manager():
        p = ClientPin(Ctap2(dev))
        return CredentialManagement(Ctap2(dev), p.protocol, p.get_pin_token(Person.pin, ClientPin.PERMISSION.CREDENTIAL_MGMT))

    m, K = manager(), CredentialManagement.RESULT
    assert m.get_metadata()[K.EXISTING_CRED_COUNT] == 2
    parties = m.enumerate_rps()
    assert [p[K.RP]["id"] for p in parties] == ["id.example"]
    found = m.enumerate_creds(parties[0][K.RP_ID_HASH])
    assert {c[K.USER]["name"] for c in found} == {"anna", "bert"}
    assert {c[K.CREDENTIAL_ID]["id"] for c in found} == {c.credential_id for c in made.values()}
    anna = PublicKeyCredentialDescriptor(type="public-key", id=made["anna"].credential_id)
    m.update_user_info(anna, PublicKeyCredentialUserEntity(id=b"anna", name="anna b", display_name="Anna B"))
    assert "anna b" in {c[K.USER]["name"] for c in m.enumerate_creds(parties[0][K.RP_ID_HASH])}
    m.delete_cred(anna)
    expect(CtapError.ERR.NO_CREDENTIALS, lambda: m.delete_cred(anna))
    assert m.get_metadata()[K.EXISTING_CRED_COUNT] == 1


def secret(dev):
    s = server()
    auth, result = register(dev, s, "anna", resident=True, hmacCreateSecret=True)
    assert result.client_extension_results.get("hmacCreateSecret"), result
    one, two = os.urandom(32), os.urandom(32)

    def outputs(**salts):
        _, r = sign_in(dev, s, [auth.credential_data], hmacGetSecret=salts)
        return r.client_extension_results["hmacGetSecret"]

    both, first = outputs(salt1=one, salt2=two), outputs(salt1=one)
    assert both["output1"] == first["output1"] and both["output2"] not in (None, both["output1"])
    ClientPin(Ctap2(dev)).set_pin(Person.pin)
    _, r = sign_in(dev, s, [auth.credential_data], uv="required", hmacGetSecret={"salt1": one})
    assert r.client_extension_results["hmacGetSecret"]["output1"] != first["output1"]
    guarded, result = register(dev, s, "bert", resident=True, uv="required", credentialProtectionPolicy="userVerificationRequired")
    assert guarded.extensions["credProtect"] == 3, guarded.extensions
    listed = [{"type": "public-key", "id": guarded.credential_data.credential_id}]
    expect(CtapError.ERR.NO_CREDENTIALS, lambda: Ctap2(dev).get_assertion("id.example", b"\0" * 32, listed))
    sign_in(dev, s, [guarded.credential_data], uv="required")


def press(dev):
    """Registers and signs in, where a person presses each time."""
    s = server()
    auth, _ = register(dev, s, "anna\u202e\x1b[2J", resident=True)
    sign_in(dev, s, [auth.credential_data], listed=False)


def refuse(dev):
    expect(CtapError.ERR.OPERATION_DENIED, lambda: register(dev, server(), "anna"))


def wait(dev):
    """Nobody presses; what needs no press is answered."""
    expect(CtapError.ERR.USER_ACTION_TIMEOUT, lambda: Ctap2(dev).make_credential(
        b"\0" * 32, {"id": "id.example"}, {"id": b"x"}, [{"type": "public-key", "alg": -7}]))
    expect(CtapError.ERR.NO_CREDENTIALS, lambda: Ctap2(dev).get_assertion("id.example", b"\0" * 32, options={"up": False}))


def unplugged(dev):
    """The key goes away while it asks."""
    try:
        register(dev, server(), "anna")
    except (OSError, ClientError, CtapError):
        return
    raise AssertionError("the key answered")


{f.__name__: f for f in (sign, resident, pin, manage, secret, press, refuse, wait, unplugged)}[sys.argv[2]](connect())
print("passed", sys.argv[2])
