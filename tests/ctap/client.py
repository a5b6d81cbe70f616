"""Drives a security key over its Unix socket with python-fido2, which shares no code with Kedge.

Usage: client.py SOCKET STORY. Says "passed STORY" or raises."""

import hashlib, os, socket, struct, sys
from unittest import mock
from fido2 import cbor
from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.ctap import CtapError
from fido2.ctap2 import ClientPin, Config, CredentialManagement, Ctap2, LargeBlobs
from fido2.ctap2.extensions import (CredBlobExtension, CredPropsExtension, CredProtectExtension, HmacSecretExtension, LargeBlobExtension,
                                    MinPinLengthExtension)
from fido2.ctap2.pin import PinProtocolV1, PinProtocolV2
from fido2.hid import CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor
from fido2.server import Fido2Server
from fido2.utils import websafe_decode
from fido2.webauthn import (AuthenticatorData, AuthenticatorSelectionCriteria, PublicKeyCredentialDescriptor, PublicKeyCredentialUserEntity,
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


class Key(CtapHidDevice):
    """Counts the calls, and requires that every answer is canonical CBOR: python-fido2 writes again what it read."""
    calls = 0

    def call(self, cmd, *args, **kwargs):
        Key.calls += 1
        answer = super().call(cmd, *args, **kwargs)
        if cmd == 0x10 and len(answer) > 1:
            assert answer[0] == 0, answer
            value = cbor.decode(answer[1:])
            assert cbor.encode(value) == answer[1:], answer
            if args[0][0] in (1, 2, 8):
                data = AuthenticatorData(value[2])
                more = [data.extensions] if data.extensions is not None else []
                assert data[:37] + (data.credential_data or b"") + b"".join(map(cbor.encode, more)) == value[2], data
        return answer


def connect():
    return Key(HidDescriptor("socket", 0, 0, 64, 64, "kedge", None), Socket(sys.argv[1]))


def client(dev):
    return Fido2Client(dev, DefaultClientDataCollector(ORIGIN), user_interaction=Person(),
                       extensions=[HmacSecretExtension(allow_hmac_secret=True), LargeBlobExtension(), CredBlobExtension(),
                                   CredProtectExtension(), MinPinLengthExtension(), CredPropsExtension()])


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


def owner(dev):
    """Verified by the key itself: not the owner, refused, the owner."""
    p, E = ClientPin(Ctap2(dev)), CtapError.ERR
    token = lambda: p.get_uv_token(ClientPin.PERMISSION.MAKE_CREDENTIAL, "id.example")
    expect(E.UV_INVALID, token)
    expect(E.OPERATION_DENIED, token)
    client_data = os.urandom(32)
    protocol = p.protocol
    made = Ctap2(dev).make_credential(client_data, {"id": "id.example"}, {"id": b"x", "name": "anna"}, [{"type": "public-key", "alg": -7}],
                                      pin_uv_param=protocol.authenticate(token(), client_data), pin_uv_protocol=protocol.VERSION)
    assert made.auth_data.is_user_verified()


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


def raw(dev, name=b"x", listed=None, rk=False, **more):
    return Ctap2(dev).make_credential(b"\0" * 32, {"id": "id.example"}, {"id": name}, [{"type": "public-key", "alg": -7}], listed,
                                      options={"rk": rk} if rk else None, **more)


def quiet(dev, listed=None, **more):
    return Ctap2(dev).get_assertion("id.example", b"\0" * 32, listed, options={"up": False}, **more)


def descriptors(*credentials):
    return [{"type": "public-key", "id": c.credential_id} for c in credentials]


def blobs(dev):
    s, ctap = server(), Ctap2(dev)
    assert LargeBlobs(ctap).read_blob_array() == []
    auth, result = register(dev, s, "anna", resident=True, largeBlob={"support": "required"})
    assert result.client_extension_results["largeBlob"]["supported"], result
    other, result = register(dev, s, "bert", resident=True)
    assert "largeBlob" not in result.client_extension_results
    known = [auth.credential_data]
    for text in (b"a certificate", os.urandom(2000)):
        _, r = sign_in(dev, s, known, largeBlob={"write": text})
        assert r.client_extension_results["largeBlob"]["written"]
        _, r = sign_in(dev, s, known, largeBlob={"read": True})
        assert websafe_decode(r.client_extension_results["largeBlob"]["blob"]) == text
    # Every entry, in pieces, by hand; and what is refused.
    key = quiet(dev, descriptors(auth.credential_data), extensions={"largeBlobKey": True}).large_blob_key
    assert len(key) == 32
    assert quiet(dev, descriptors(other.credential_data), extensions={"largeBlobKey": True}).large_blob_key is None
    E = CtapError.ERR
    expect(E.INVALID_OPTION, lambda: quiet(dev, descriptors(auth.credential_data), extensions={"largeBlobKey": False}))
    expect(E.INVALID_OPTION, lambda: raw(dev, extensions={"largeBlobKey": True}))  # not resident
    expect(E.INVALID_OPTION, lambda: raw(dev, rk=True, extensions={"largeBlobKey": False}))
    whole = cbor.encode([{1: b"c" * 16, 2: b"n" * 12, 3: 0}])
    whole += hashlib.sha256(whole).digest()[:16]
    for wrong, call in ((E.INVALID_PARAMETER, dict(offset=0)), (E.INVALID_PARAMETER, dict(offset=0, get=1, set=b"x")),
                        (E.INVALID_PARAMETER, dict(offset=5000, get=1)), (E.INVALID_LENGTH, dict(offset=0, get=7610)),
                        (E.INVALID_PARAMETER, dict(offset=0, get=1, length=1)), (E.INVALID_PARAMETER, dict(offset=0, set=b"x")),
                        (E.INVALID_PARAMETER, dict(offset=0, set=b"x", length=16)), (E.LARGE_BLOB_STORAGE_FULL, dict(offset=0, set=b"x", length=4097)),
                        (E.INVALID_SEQ, dict(offset=1, set=b"x")), (E.INVALID_PARAMETER, dict(offset=0, set=whole + b"x", length=len(whole))),
                        (E.INTEGRITY_FAILURE, dict(offset=0, set=whole[:-1] + b"\0", length=len(whole)))):
        expect(wrong, lambda: ctap.large_blobs(**call))
    assert LargeBlobs(ctap).get_blob(key) == text  # nothing of this was kept
    ctap.large_blobs(0, set=whole[:5], length=len(whole))
    expect(E.INVALID_SEQ, lambda: ctap.large_blobs(6, set=whole[6:]))
    expect(E.INVALID_SEQ, lambda: ctap.large_blobs(5, set=whole[5:]))  # an error ends it
    ctap.large_blobs(0, set=whole[:5], length=len(whole))
    ctap.get_info()
    expect(E.INVALID_SEQ, lambda: ctap.large_blobs(5, set=whole[5:]))  # and so does another command
    ctap.large_blobs(0, set=whole[:5], length=len(whole))
    ctap.large_blobs(5, set=whole[5:])
    assert ctap.large_blobs(0, get=1000)[1] == whole and ctap.large_blobs(5, get=3)[1] == whole[5:8]
    # With a PIN, writing takes a token that may.
    p = ClientPin(ctap)
    p.set_pin(Person.pin)
    expect(E.PUAT_REQUIRED, lambda: LargeBlobs(ctap).put_blob(key, b"x"))
    wrong = p.get_pin_token(Person.pin, ClientPin.PERMISSION.CREDENTIAL_MGMT)
    expect(E.PIN_AUTH_INVALID, lambda: LargeBlobs(ctap, p.protocol, wrong).put_blob(key, b"x"))
    LargeBlobs(ctap, p.protocol, p.get_pin_token(Person.pin, ClientPin.PERMISSION.LARGE_BLOB_WRITE)).put_blob(key, b"x")
    assert LargeBlobs(ctap).get_blob(key) == b"x"
    _, r = sign_in(dev, s, known, uv="required", largeBlob={"write": b"with the PIN"})
    assert r.client_extension_results["largeBlob"]["written"] and LargeBlobs(ctap).get_blob(key) == b"with the PIN"
    m, K = CredentialManagement(ctap, p.protocol, p.get_pin_token(Person.pin, ClientPin.PERMISSION.CREDENTIAL_MGMT)), CredentialManagement.RESULT
    keys = {c[K.USER]["name"]: c.get(K.LARGE_BLOB_KEY) for c in m.enumerate_creds(hashlib.sha256(b"id.example").digest())}
    assert keys == {"anna": key, "bert": None}, keys


def extensions(dev):
    s, ctap = server(), Ctap2(dev)
    assert set(ctap.get_info().extensions) == {"credBlob", "credProtect", "hmac-secret", "hmac-secret-mc", "largeBlobKey", "minPinLength"}
    # credBlob, of at most 64 bytes, with a record alone
    auth, result = register(dev, s, "anna", resident=True, credBlob=b"b" * 64, credProps=True)
    assert auth.extensions == {"credBlob": True} and result.client_extension_results["credProps"]["rk"], auth.extensions
    bare, result = register(dev, s, "bert", resident=True, credProps=True)
    assert bare.extensions is None
    _, result = register(dev, s, "carl", credProps=True)
    assert not result.client_extension_results["credProps"]["rk"]
    for rk, blob, stored in ((True, b"b" * 65, False), (False, b"b", False), (True, b"", True)):
        assert raw(dev, b"dora", rk=rk, extensions={"credBlob": blob}).auth_data.extensions == {"credBlob": stored}, blob
    known = [auth.credential_data, bare.credential_data]
    for credential, blob in ((known[0], b"b" * 64), (known[1], b"")):
        _, r = sign_in(dev, s, [credential], getCredBlob=True)
        assert r.response.authenticator_data.extensions == {"credBlob": blob}
    # PRF, at creation and at sign-in
    one, two = os.urandom(7), os.urandom(40)
    auth, result = register(dev, s, "emil", resident=True, prf={"eval": {"first": one, "second": two}})
    prf = result.client_extension_results["prf"]
    assert prf["enabled"], result
    _, r = sign_in(dev, s, [auth.credential_data], prf={"eval": {"first": one, "second": two}})
    assert r.client_extension_results["prf"]["results"] == prf["results"] and prf["results"]["first"] != prf["results"]["second"]
    _, r = sign_in(dev, s, [bare.credential_data], prf={"eval": {"first": one}})
    assert not r.client_extension_results.get("prf"), r  # it was made without
    E = CtapError.ERR
    expect(E.MISSING_PARAMETER, lambda: ctap.get_assertion("id.example", b"\0" * 32, descriptors(auth.credential_data), {"hmac-secret": {}}))
    expect(E.UNSUPPORTED_OPTION, lambda: quiet(dev, descriptors(auth.credential_data), extensions={"hmac-secret": {}}))
    # minPinLength is for those whom the owner named
    p = ClientPin(ctap)
    p.set_pin(Person.pin)
    auth, _ = register(dev, s, "anna", uv="required", minPinLength=True)
    assert auth.extensions is None
    Config(ctap, p.protocol, p.get_pin_token(Person.pin, ClientPin.PERMISSION.AUTHENTICATOR_CFG)).set_min_pin_length(5, rp_ids=["id.example"])
    auth, _ = register(dev, s, "anna", uv="required", minPinLength=True)
    assert auth.extensions == {"minPinLength": 5}, auth.extensions
    config = Config(ctap, p.protocol, p.get_pin_token(Person.pin, ClientPin.PERMISSION.AUTHENTICATOR_CFG))
    expect(E.PIN_POLICY_VIOLATION, lambda: config.set_min_pin_length(4))
    expect(E.KEY_STORE_FULL, lambda: config.set_min_pin_length(5, rp_ids=[str(i) for i in range(17)]))
    expect(E.INVALID_SUBCOMMAND, config.enable_enterprise_attestation)


def protect(dev):
    s, E = server(), CtapError.ERR
    ClientPin(Ctap2(dev)).set_pin(Person.pin)
    made = {}
    for level, policy in enumerate(("userVerificationOptional", "userVerificationOptionalWithCredentialIDList", "userVerificationRequired"), 1):
        auth, _ = register(dev, s, str(level), resident=True, uv="required", credentialProtectionPolicy=policy)
        assert auth.extensions == {"credProtect": level}
        made[level] = auth.credential_data
    assert quiet(dev).credential["id"] == made[1].credential_id  # of those without a list
    for level in (1, 2):
        assert quiet(dev, descriptors(made[level])).credential["id"] == made[level].credential_id
        sign_in(dev, s, [made[level]])
    expect(E.NO_CREDENTIALS, lambda: quiet(dev, descriptors(made[3])))
    # The PIN shows all of them, newest first.
    selection, _ = sign_in(dev, s, list(made.values()), listed=False, uv="required")
    assert [a.credential["id"] for a in selection.get_assertions()] == [made[i].credential_id for i in (3, 2, 1)]
    # An excluded one that is hidden stays so, without the PIN.
    expect(E.CREDENTIAL_EXCLUDED, lambda: raw(dev, listed=descriptors(made[2])))
    raw(dev, listed=descriptors(made[3]))
    for bad in (0, 4):
        expect(E.INVALID_OPTION, lambda: raw(dev, extensions={"credProtect": bad}))


def order(dev):
    s, E = server(), CtapError.ERR
    made = [register(dev, s, name, resident=True)[0].credential_data for name in ("anna", "bert", "carl")]
    ctap = Ctap2(dev)
    first = ctap.get_assertion("id.example", b"\0" * 32)
    assert first.number_of_credentials == 3 and first.user == {"id": b"carl"}, first  # names only with the PIN
    rest = [ctap.get_next_assertion(), ctap.get_next_assertion()]
    assert [r.user["id"] for r in rest] == [b"bert", b"anna"] and rest[0].number_of_credentials is None
    for r, credential in zip([first] + rest, reversed(made)):
        r.verify(b"\0" * 32, credential.public_key)
    expect(E.NOT_ALLOWED, ctap.get_next_assertion)
    # Another command ends it, and so does another client.
    ctap.get_assertion("id.example", b"\0" * 32)
    ctap.get_info()
    expect(E.NOT_ALLOWED, ctap.get_next_assertion)
    ctap.get_assertion("id.example", b"\0" * 32)
    expect(E.NOT_ALLOWED, Ctap2(connect()).get_next_assertion)
    # Of a list one answers, wherever it stands; what is foreign, doubled or of another type is passed over.
    foreign = {"type": "public-key", "id": os.urandom(109)}
    other = {"type": "other", "id": made[2].credential_id}
    many = [foreign] * 30 + [other] + descriptors(made[1], made[1], made[0])
    assert quiet(dev, many).credential["id"] == made[1].credential_id
    assert quiet(dev, many).number_of_credentials is None
    expect(E.NO_CREDENTIALS, lambda: quiet(dev, [foreign, other]))
    assert ctap.get_info().max_creds_in_list == 64
    short = {"type": "public-key", "id": b"s" * 16}
    quiet(dev, [short] * 63 + descriptors(made[0]))
    expect(E.INVALID_PARAMETER, lambda: quiet(dev, [short] * 64 + descriptors(made[0])))
    # packed unless the client wants none; the order says which
    for formats, want in ((None, "packed"), (["none"], "none"), (["packed", "none"], "packed"), (["none", "packed"], "none"), (["tpm"], "packed")):
        answer = cbor.decode(dev.call(0x10, b"\x01" + cbor.encode({k: v for k, v in {
            1: b"\0" * 32, 2: {"id": "id.example"}, 3: {"id": b"x"}, 4: [{"type": "public-key", "alg": -7}], 11: formats}.items() if v is not None}))[1:])
        assert answer[1] == want and (answer[3] == {}) == (want == "none"), answer


def always(dev):
    ctap, E = Ctap2(dev), CtapError.ERR
    s = server()
    auth, _ = register(dev, s, "anna")
    Config(ctap).toggle_always_uv()
    info = ctap.get_info()
    assert info.options["alwaysUv"] and not info.options["makeCredUvNotRqd"]
    listed = descriptors(auth.credential_data)
    expect(E.PUAT_REQUIRED, lambda: raw(dev))
    expect(E.PUAT_REQUIRED, lambda: ctap.get_assertion("id.example", b"\0" * 32, listed))
    quiet(dev, listed)
    p = ClientPin(ctap)
    p.set_pin(Person.pin)
    sign_in(dev, s, [auth.credential_data], uv="discouraged")  # the client gives the PIN all the same
    expect(E.PUAT_REQUIRED, Config(ctap).toggle_always_uv)
    Config(ctap, p.protocol, p.get_pin_token(Person.pin, ClientPin.PERMISSION.AUTHENTICATOR_CFG)).toggle_always_uv()
    assert not ctap.get_info().options["alwaysUv"]
    raw(dev)
    expect(E.UNSUPPORTED_OPTION, lambda: ctap.get_assertion("id.example", b"\0" * 32, listed, options={"rk": True}))
    expect(E.INVALID_OPTION, lambda: ctap.get_assertion("id.example", b"\0" * 32, listed, options={"uv": True}))


def verify(dev):
    """The key verifies its owner itself, and the PIN works beside that."""
    ctap, s, E = Ctap2(dev), server(), CtapError.ERR
    info = ctap.get_info()
    assert info.options["uv"] and info.uv_modality == 4 and info.preferred_platform_uv_attempts == 3, info
    auth, _ = register(dev, s, "anna", resident=True, uv="required")
    assert auth.is_user_verified()
    _, r = sign_in(dev, s, [auth.credential_data], listed=False, uv="required")
    assert r.response.authenticator_data.is_user_verified()
    direct = ctap.get_assertion("id.example", b"\0" * 32, options={"uv": True})
    assert direct.auth_data.is_user_verified()
    p = ClientPin(ctap)
    p.get_uv_token(ClientPin.PERMISSION.CREDENTIAL_MGMT)
    p.set_pin(Person.pin)
    p.get_pin_token(Person.pin)


def stranger(dev):
    """Whoever is not verified three times is not asked again, until the PIN is given."""
    p, E = ClientPin(Ctap2(dev)), CtapError.ERR
    p.set_pin(Person.pin)
    for left, code in ((2, E.UV_INVALID), (1, E.UV_INVALID), (0, E.UV_BLOCKED), (0, E.UV_BLOCKED)):
        expect(code, lambda: p.get_uv_token(ClientPin.PERMISSION.CREDENTIAL_MGMT))
        assert p.get_uv_retries() == left
    p.get_pin_token(Person.pin)
    assert p.get_uv_retries() == 3


def wrong(dev):
    """A PIN is set, and wrong three times."""
    p, E = ClientPin(Ctap2(dev)), CtapError.ERR
    if not Ctap2(dev).get_info().options["clientPin"]:
        p.set_pin(Person.pin)
    left = p.get_pin_retries()[0]
    for n in range(1, 4):
        left -= 1
        expect(E.PIN_BLOCKED if left == 0 else E.PIN_AUTH_BLOCKED if n == 3 else E.PIN_INVALID, lambda: p.get_pin_token("wrong"))
        assert p.get_pin_retries()[0] == left
        if left == 0:
            break
    expect(E.PIN_BLOCKED if left == 0 else E.PIN_AUTH_BLOCKED, lambda: p.get_pin_token(Person.pin))


def locked(dev):
    """Locked for ever, until a reset."""
    p, E = ClientPin(Ctap2(dev)), CtapError.ERR
    assert p.get_pin_retries()[0] == 0
    expect(E.PIN_BLOCKED, lambda: p.get_pin_token(Person.pin))
    expect(E.PIN_BLOCKED, lambda: p.change_pin(Person.pin, "new PIN"))
    expect(E.PIN_AUTH_INVALID, lambda: p.set_pin("new PIN"))
    Ctap2(dev).reset()
    p = ClientPin(Ctap2(dev))
    p.set_pin("new PIN")
    p.get_pin_token("new PIN")
    assert p.get_pin_retries()[0] == 8


def right(dev):
    """The right PIN after two wrong ones gives all tries back."""
    p = ClientPin(Ctap2(dev))
    p.set_pin(Person.pin)
    for _ in range(2):
        expect(CtapError.ERR.PIN_INVALID, lambda: p.get_pin_token("wrong"))
    assert p.get_pin_retries()[0] == 6
    p.get_pin_token(Person.pin)
    assert p.get_pin_retries()[0] == 8


STORIES = (sign, resident, pin, manage, secret, press, refuse, owner, wait, unplugged, blobs, extensions, protect, order, always, verify, stranger, wrong, locked, right)
{f.__name__: f for f in STORIES}[sys.argv[2]](connect())
print("passed", sys.argv[2], "with", Key.calls, "calls")
